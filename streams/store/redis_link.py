"""The connection below the Redis store: how it is opened, checked, and what its errors mean.

```
no answer, LOADING, READONLY, OOM, MISCONF ...   ServiceUnavailable   wait and repeat the same call
wrong password, no right, a cluster's node       SettingsError        somebody must set it right
evicting policy, old version, foreign keys       UnsafeStore          the same
```

The client never repeats a call by itself: a caller that repeats an apply whose
outcome it does not know is told `DUPLICATE` when the first one arrived.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Final, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from models.errors import MonitorError, ServiceUnavailable, SettingsError, UnsafeStore
from streams.settings import RedisSettings
from streams.store.keys import FieldCodes, Keys
from streams.store.vectors import VectorSizes

MOST_CONNECTIONS: Final = 32
"""Connections of one process; a call beyond waits for a free one."""

_REFUSED: Final = (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.NoPermissionError)
_AWAY: Final = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ExecAbortError, OSError)
_NOT_READY: Final = (
    "LOADING",
    "READONLY",
    "OOM",
    "MISCONF",
    "MASTERDOWN",
    "BUSY",
    "NOREPLICAS",
    "command not allowed when used memory",
    "You can't write against a read only",
    "Link with MASTER is down",
)
"""How the answers begin that time or an operator heals; the client strips some of the code words."""


def fate(error: Exception, address: str) -> MonitorError | ValueError | None:
    """Give the error of ours that an error of the client stands for; None when it is a fault of this program."""
    text = str(error)
    if isinstance(error, _REFUSED):
        return SettingsError(f"Redis at {address} refuses this user: {text}")
    if isinstance(error, exceptions.MovedError | exceptions.AskError):
        return SettingsError(f"Redis at {address} is a node of a cluster; name a single Redis or Valkey")
    if isinstance(error, _AWAY) or text.startswith(_NOT_READY):
        return ServiceUnavailable(f"Redis at {address} does not serve: {text or type(error).__name__}")
    if text.startswith(("SWTYPE", "WRONGTYPE")):
        return UnsafeStore(f"Redis at {address} holds foreign data where totals belong, nothing was written: {text}")
    if text.startswith("SWARG"):
        return ValueError(text)
    return None


def address_of(url: str) -> str:
    """Give the part of an address that may be shown: no user, no password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"


def _open(settings: RedisSettings) -> Redis:
    """Build a client; nothing is connected before the first call."""
    pool = BlockingConnectionPool.from_url(
        settings.url,
        max_connections=MOST_CONNECTIONS,
        timeout=settings.timeout_s,
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else None,
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
    client = Redis.from_pool(pool)
    client.set_response_callback("HGETALL", _as_it_is)
    return client


def _as_it_is(response: Any, **kwargs: Any) -> Any:
    """Leave a reply flat: sums never need the dictionary the client would build."""
    return response


class RedisLink:
    """A checked connection with the key names, the zone of days and the three scripts."""

    def __init__(self, client: Redis, keys: Keys, zone: ZoneInfo, address: str) -> None:
        """Take the parts; use `connect`."""
        self._client = client
        self._keys = keys
        self._zone = zone
        self._address = address
        self._fields = FieldCodes()
        self._sizes = VectorSizes()
        folder = files("streams.store")
        self._claim, self._apply, self._swap = (
            client.register_script(folder.joinpath(f"{name}.lua").read_text(encoding="utf-8"))
            for name in ("claim", "apply", "swap_state")
        )

    @classmethod
    async def connect(cls, settings: RedisSettings, zone: ZoneInfo) -> Self:
        """Connect and check that totals are safe there.

        Raises:
            ServiceUnavailable: nobody answers, or Redis is not ready; try again later.
            SettingsError: the address asks for what the client does not have, user or password are refused, or it is a
                node of a cluster.
            UnsafeStore: it may evict keys, or is older than Redis 7.
        """
        try:
            client = _open(settings)
            # Connects nothing, but takes the options of the address.
            client.connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py has no types here
        except (TypeError, ValueError) as error:
            raise SettingsError(f"SUBSIDYWATCH_REDIS__URL (redis.url): no client can be made of it: {error}") from None
        link = cls(client, Keys(settings.prefix, settings.shards), zone, address_of(settings.url))
        try:
            await link._inspect()
        except BaseException:
            await link.close()
            raise
        return link

    async def _inspect(self) -> None:
        with self._serving():
            info: dict[str, Any] = await self._client.info()
        version = str(info.get("redis_version", "0"))
        if "valkey_version" not in info and int(version.split(".")[0]) < 7:
            raise UnsafeStore(f"Redis at {self._address} is version {version}; use Redis 7 or Valkey")
        if info.get("cluster_enabled"):
            raise SettingsError(f"Redis at {self._address} is a node of a cluster; name a single Redis or Valkey")
        policy = info.get("maxmemory_policy")
        if policy != "noeviction":
            raise UnsafeStore(
                f"Redis at {self._address} may evict totals (maxmemory-policy is {policy}); "
                "run `CONFIG SET maxmemory-policy noeviction` there and keep it in its configuration"
            )

    async def close(self) -> None:
        """Close all connections; may be called twice."""
        await self._client.aclose()

    @contextmanager
    def _serving(self) -> Iterator[None]:
        """Turn the client's errors into ours."""
        try:
            yield
        except (exceptions.RedisError, OSError) as error:
            ours = fate(error, self._address)
            if ours is None:
                raise
            raise ours from error

    async def _ask(self, *command: Any) -> Any:
        """Send one command and give its reply as it came: bytes, integers and lists."""
        with self._serving():
            return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here

    async def _ask_all(self, commands: Iterable[Sequence[Any]], *, atomic: bool = False) -> list[Any]:
        """Send many commands in one round trip; `atomic` runs them as one transaction."""
        pipe = self._client.pipeline(transaction=atomic)
        for command in commands:
            pipe.execute_command(*command)
        with self._serving():
            return await pipe.execute()

    def _all_shards(self) -> range:
        return range(self._keys.shards)
