"""What the answers of Redis and of its client mean for us, and which servers are refused."""

from traceback import walk_tb
from typing import Any, Final
from urllib.parse import urlsplit

from redis import exceptions

from models.errors import MonitorError, ServiceUnavailable, SettingsError, UnsafeStore

_REFUSED: Final = (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.NoPermissionError)
AWAY: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ExecAbortError,
    exceptions.ClusterError,
    exceptions.TryAgainError,
    exceptions.MovedError,
    exceptions.AskError,
    OSError,
)
"""What passes when Redis, or the server of the cluster, is back."""
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


def fate(error: BaseException, address: str, *, cluster: bool = False) -> MonitorError | ValueError | None:
    """Give the error of ours that an error of the client stands for; None when it is a fault of this program.

    Args:
        error: what the client raised.
        address: what to call the server.
        cluster: the client was told that it is a cluster.
    """
    text = str(error)
    if isinstance(error, exceptions.RedisClusterException):
        return _cluster_fate(error, address)
    if isinstance(error, _REFUSED):
        return SettingsError(f"Redis at {address} refuses this user: {text}")
    if isinstance(error, exceptions.MovedError | exceptions.AskError) and not cluster:
        return a_cluster(address)
    if isinstance(error, AWAY) or text.startswith(_NOT_READY):
        return ServiceUnavailable(f"Redis at {address} does not serve: {text or type(error).__name__}")
    if text.startswith(("SWTYPE", "WRONGTYPE")):
        return UnsafeStore(f"Redis at {address} holds foreign data where totals belong, nothing was written: {text}")
    if text.startswith("SWARG"):
        return ValueError(text)
    return None


def _cluster_fate(error: BaseException, address: str) -> MonitorError | ValueError | None:
    """The same of what the cluster's client found out before it asked a server; the reason is in its cause."""
    text = str(error)
    if "Cluster mode is not enabled" in text:
        return SettingsError(
            f"Redis at {address} is not a node of a cluster; set SUBSIDYWATCH_REDIS__CLUSTER (redis.cluster) to false"
        )
    if "same key slot" in text or "dispatch" in text:
        return None
    ours = fate(error.__cause__, address, cluster=True) if error.__cause__ else None
    return ours or ServiceUnavailable(f"Redis Cluster at {address} does not serve: {text}")


def is_of_client(error: BaseException) -> bool:
    """Tell whether an error was raised inside the client's own code."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__")).split(".")[0] == "redis"


def a_cluster(address: str) -> SettingsError:
    """Give the error of a cluster's node where a single server is expected."""
    return SettingsError(
        f"Redis at {address} is a node of a cluster; "
        "set SUBSIDYWATCH_REDIS__CLUSTER (redis.cluster) to true, or name a single Redis or Valkey"
    )


def address_of(url: str) -> str:
    """Give the part of an address that may be shown: no user, no password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or 6379}"


def judge(address: str, info: dict[str, Any]) -> None:
    """Refuse a server on which totals are not safe.

    Args:
        address: what to call it.
        info: what it says about itself.

    Raises:
        UnsafeStore: it may evict keys, or is older than Redis 7.
    """
    version = str(info.get("redis_version", "0"))
    if "valkey_version" not in info and int(version.split(".")[0]) < 7:
        raise UnsafeStore(f"Redis at {address} is version {version}; use Redis 7 or Valkey")
    policy = info.get("maxmemory_policy")
    if policy != "noeviction":
        raise UnsafeStore(
            f"Redis at {address} may evict totals (maxmemory-policy is {policy}); "
            "run `CONFIG SET maxmemory-policy noeviction` there and keep it in its configuration"
        )
