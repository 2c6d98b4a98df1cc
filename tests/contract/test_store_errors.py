"""Each error of the Redis client becomes one of ours, and no sentence tells a secret."""

from zoneinfo import ZoneInfo

import pytest
from redis import exceptions

from models.errors import ServiceUnavailable, SettingsError, UnsafeStore
from streams.settings import RedisSettings
from streams.store.redis_errors import address_of, fate
from streams.store.redis_link import RedisLink


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (exceptions.ConnectionError("refused"), ServiceUnavailable),
        (exceptions.TimeoutError(), ServiceUnavailable),
        (OSError("no route"), ServiceUnavailable),
        (exceptions.BusyLoadingError("loading"), ServiceUnavailable),
        (exceptions.ReadOnlyError("You can't write against a read only replica."), ServiceUnavailable),
        (exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), ServiceUnavailable),
        (exceptions.ResponseError("MISCONF Errors writing to the AOF file"), ServiceUnavailable),
        (exceptions.ResponseError("BUSY Redis is busy running a script"), ServiceUnavailable),
        (exceptions.AuthenticationError("WRONGPASS"), SettingsError),
        (exceptions.NoPermissionError("no permissions"), SettingsError),
        (exceptions.ResponseError("WRONGTYPE Operation"), UnsafeStore),
        (exceptions.ResponseError("SWARG part 1"), ValueError),
        (exceptions.ResponseError("ERR unknown command"), type(None)),
        (exceptions.MovedError("1 here:1"), SettingsError),
        (exceptions.RedisClusterException("Cluster mode is not enabled on this node"), SettingsError),
        (exceptions.RedisClusterException("Redis Cluster cannot be connected"), ServiceUnavailable),
        (exceptions.RedisClusterException("EVAL - all keys must map to the same key slot"), type(None)),
    ],
)
def test_each_error_of_the_client_has_one_fate(error: Exception, expected: type) -> None:
    """Away is repeated, a wrong set-up stops, and what nobody foresaw stays what it is."""
    assert expected is type(fate(error, "here"))


@pytest.mark.parametrize(
    "error",
    [
        exceptions.MovedError("1 here:1"),
        exceptions.AskError("1 here:1"),
        exceptions.TryAgainError("Multiple keys request during rehashing of slot"),
        exceptions.ClusterDownError("The cluster is down"),
        exceptions.SlotNotCoveredError("Slot 1 not covered"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_cluster_that_changes_is_waited_for(error: Exception) -> None:
    """What a cluster answers while its layout changes passes."""
    assert ServiceUnavailable is type(fate(error, "here", cluster=True))


def test_a_cluster_tells_why_it_could_not_be_reached() -> None:
    """The reason is in the cause, and is what counts."""
    error = exceptions.RedisClusterException("Redis Cluster cannot be connected")
    error.__cause__ = exceptions.AuthenticationError("WRONGPASS")

    assert SettingsError is type(fate(error, "here", cluster=True))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1/0", "127.0.0.1:6379"),
        ("rediss://me:hush@redis.test:7000/1", "redis.test:7000"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Addresses go into logs."""
    assert shown == address_of(url)


@pytest.mark.parametrize("options", ["foo=bar", "db=first", "socket_timeout=soon"])
async def test_options_no_client_has_are_wrong_settings(options: str) -> None:
    """An address with options that cannot be taken is one sentence that names the setting, before any connection."""
    settings = RedisSettings(url=f"redis://127.0.0.1:1/0?{options}")

    with pytest.raises(SettingsError, match="SUBSIDYWATCH_REDIS__URL"):
        await RedisLink.connect(settings, ZoneInfo("Asia/Shanghai"))
