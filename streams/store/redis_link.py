"""The connection below the Redis store: how it is opened, checked, and what its errors mean.

```
no answer, LOADING, READONLY, OOM, CLUSTERDOWN ...   ServiceUnavailable   wait and repeat the same call
wrong password, no right, a cluster or none          SettingsError        somebody must set it right
evicting policy, old version, foreign keys           UnsafeStore          the same
```

All keys of a shard share a hash tag, so a call meets one server, on a cluster too:
its client finds the server, follows MOVED and ASK, which tell that nothing was
done yet, and looks the cluster's layout up again after an outage.

The client never repeats a call by itself: a caller that repeats an apply whose
outcome it does not know is told `DUPLICATE` when the first one arrived.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from importlib.resources import files
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.cluster import ClusterPipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from models.errors import ServiceUnavailable, SettingsError
from streams.settings import RedisSettings
from streams.store.keys import FieldCodes, Keys
from streams.store.redis_errors import AWAY, a_cluster, address_of, fate, is_of_client, judge
from streams.store.vectors import VectorSizes

Client = Redis | RedisCluster

MOST_CONNECTIONS: Final = 32
"""Connections of one process; a call beyond waits for a free one."""


def _open(settings: RedisSettings) -> Client:
    """Build a client; nothing is connected before the first call."""
    options: dict[str, Any] = {
        "username": settings.username,
        "password": settings.password.get_secret_value() if settings.password else None,
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    client: Client
    if settings.cluster:
        # A layout with holes is taken too: shards whose server is there are served.
        client = RedisCluster.from_url(settings.url, require_full_coverage=False, **options)
    else:
        pool = BlockingConnectionPool.from_url(
            settings.url, max_connections=MOST_CONNECTIONS, timeout=settings.timeout_s, **options
        )
        # Connects nothing, but takes the options of the address.
        pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py has no types here
        client = Redis.from_pool(pool)
    client.set_response_callback("HGETALL", _as_it_is)
    return client


def _as_it_is(response: Any, **kwargs: Any) -> Any:
    """Leave a reply flat: sums never need the dictionary the client would build."""
    return response


class Script:
    """One script, sent by its hash, and whole to a server that does not know it yet."""

    def __init__(self, client: Client, name: str) -> None:
        """Read the script; nothing is sent."""
        self._client = client
        self._text = files("streams.store").joinpath(f"{name}.lua").read_text(encoding="utf-8")
        self._hash = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, *, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run it where its keys are."""
        run = self._client.execute_command
        try:
            return await run("EVALSHA", self._hash, len(keys), *keys, *args)
        except exceptions.NoScriptError:
            return await run("EVAL", self._text, len(keys), *keys, *args)


class RedisLink:
    """A checked connection with the key names, the zone of days and the three scripts."""

    def __init__(self, client: Client, keys: Keys, zone: ZoneInfo, address: str) -> None:
        """Take the parts; use `connect`."""
        self._client = client
        self._keys = keys
        self._zone = zone
        self._address = address
        self._fields = FieldCodes()
        self._sizes = VectorSizes()
        self._claim, self._apply, self._swap = (Script(client, name) for name in ("claim", "apply", "swap_state"))

    @classmethod
    async def connect(cls, settings: RedisSettings, zone: ZoneInfo) -> Self:
        """Connect and check that totals are safe there.

        Raises:
            ServiceUnavailable: nobody answers, or Redis is not ready; try again later.
            SettingsError: the address asks for what the client does not have, user or password are refused, or it is a
                cluster where the settings say that it is none, or the reverse.
            UnsafeStore: it, or a server of the cluster, may evict keys, or is older than Redis 7.
        """
        try:
            client = _open(settings)
        except (TypeError, ValueError, exceptions.RedisClusterException) as error:
            raise SettingsError(f"SUBSIDYWATCH_REDIS__URL (redis.url): no client can be made of it: {error}") from None
        link = cls(client, Keys(settings.prefix, settings.shards), zone, address_of(settings.url))
        try:
            await link._inspect()
        except BaseException:
            await link.close()
            raise
        return link

    async def _inspect(self) -> None:
        if isinstance(self._client, RedisCluster):
            with self._serving():
                await self._client.initialize()
                found = await self._client.info(target_nodes=RedisCluster.PRIMARIES)
            # Of one server the client gives the figures alone.
            servers = {self._address: found} if "redis_version" in found else found
        else:
            with self._serving():
                servers = {self._address: await self._client.info()}
            if servers[self._address].get("cluster_enabled"):
                raise a_cluster(self._address)
        for address, info in servers.items():
            judge(address, info)

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        await self._client.aclose()
        if isinstance(self._client, RedisCluster):  # while its layout is to be looked up again, that closes nothing
            for nodes in ("nodes_cache", "startup_nodes"):
                await self._client.nodes_manager.aclose(nodes)

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """Turn the client's errors into ours."""
        try:
            yield
        except (exceptions.RedisError, exceptions.RedisClusterException, OSError) as error:
            ours = fate(error, self._address, cluster=isinstance(self._client, RedisCluster))
            if ours is None:
                raise
            raise ours from error
        except (AttributeError, RuntimeError, AssertionError) as error:
            if not isinstance(self._client, RedisCluster) or not is_of_client(error):
                raise
            # When a cluster is down its client closes every connection, also under calls that another task has made.
            raise ServiceUnavailable(f"Redis Cluster at {self._address} does not serve: connection closed") from error

    async def _ask(self, *command: Any) -> Any:
        """Send one command and give its reply as it came: bytes, integers and lists."""
        with self._serving():
            return await self._client.execute_command(*command)

    async def _ask_all(
        self, commands: Iterable[Sequence[Any]], *, atomic: bool = False, in_order: bool = False
    ) -> list[Any]:
        """Send many commands in one round trip.

        Args:
            commands: each with its arguments.
            atomic: run them as one transaction.
            in_order: no command may be answered after a later one. A cluster's client sends single ones again when
                their keys have just moved; then it is an outage instead, and the caller repeats all of them.
        """
        pipe = self._client.pipeline(transaction=atomic)
        for command in commands:
            pipe.execute_command(*command)
        with self._serving():
            if not isinstance(pipe, ClusterPipeline):
                return await pipe.execute()
            try:
                return await pipe.execute(allow_redirections=not in_order)
            except AWAY:
                # The next call looks the layout up again, as after a single command. Closing the client would do so
                # too, but break the calls that are under way.
                if isinstance(self._client, RedisCluster):
                    self._client._initialize = True  # noqa: SLF001
                raise

    def _all_shards(self) -> range:
        return range(self._keys.shards)
