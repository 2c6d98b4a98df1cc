"""The stores under contract: memory, Valkey on one shard and on three, Redis 7, and Redis Cluster on four."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from zoneinfo import ZoneInfo

import pytest

from streams.ports import Store
from streams.settings import RedisSettings
from streams.store.memory_store import MemoryStore
from streams.store.redis_store import RedisStore

ZONE = ZoneInfo("Asia/Shanghai")

Contents = Callable[[], Awaitable[object]]


async def connected(url: str, **settings: object) -> RedisStore:
    """Open a Redis store on an address."""
    return await RedisStore.connect(RedisSettings.model_validate({"url": url, **settings}), ZONE)


REAL = [pytest.param(kind, marks=pytest.mark.integration) for kind in ("redis", "cluster")]


@pytest.fixture(params=["memory", "valkey", "valkey-3-shards", *REAL])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore(ZONE)
        return
    if request.param == "cluster":
        cluster = request.getfixturevalue("redis_cluster")
        cluster.flush()
        opened = await connected(cluster.url, cluster=True, shards=4)
        yield opened
        await opened.close()
        return
    kind, _, shards = request.param.partition("-")
    server = request.getfixturevalue(f"{kind}_server")
    server.flush()
    opened = await connected(server.url, shards=3 if shards else 1)
    yield opened
    await opened.close()


@pytest.fixture
def contents(store: Store) -> Contents:
    """Everything a store holds, comparable: what must be equal before and after a refusal."""

    async def look() -> object:
        if isinstance(store, RedisStore):
            client = store._client
            return {key: await client.dump(key) for key in sorted(await client.keys("*"))}
        kept = vars(store).items()
        return copy.deepcopy({name: value for name, value in kept if not name.startswith("_known_")})

    return look
