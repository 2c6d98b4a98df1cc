"""The store on Redis 7 or Valkey: fenced atomic writes by Lua, plain reads, integers only."""

from streams.store.redis_decide import RedisDecide
from streams.store.redis_ingest import RedisIngest
from streams.store.redis_read import RedisRead


class RedisStore(RedisIngest, RedisDecide, RedisRead):
    """All ports on one connection pool: `store = await RedisStore.connect(settings.redis, zone)`, then `close()`."""
