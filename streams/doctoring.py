"""Looks at everything a worker stands on and says what is wrong and what to do about it."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Literal, NamedTuple

import redis
from aiokafka import codec as aiokafka_codec
from kafka import codec as kafka_codec

from models.errors import ServiceUnavailable
from streams.kafka_admin import find, open_admin, problems
from streams.settings import KafkaSettings, RedisSettings, Settings
from streams.store.redis_errors import address_of

OLDEST_REDIS = 7


class Check(NamedTuple):
    """One finding.

    Attributes:
        what: the thing looked at.
        verdict: PASS; WARN works but should be changed; FAIL does not work; AWAY cannot be reached.
        detail: what was found, and what to do unless it is PASS.
    """

    what: str
    verdict: Literal["PASS", "WARN", "FAIL", "AWAY"]
    detail: str


def examine(settings: Settings) -> Iterator[Check]:
    """Give the findings one by one, as they are made."""
    yield Check("settings", "PASS", f"rules {settings.rules.config_hash}, mode {settings.rules.guards.mode}")
    yield from _codecs()
    yield from _kafka(settings.kafka)
    yield from _redis(settings.redis)


def exit_code(checks: list[Check]) -> int:
    """Give 3 when a service is away, else 1 when something fails, else 0."""
    verdicts = {check.verdict for check in checks}
    return 3 if "AWAY" in verdicts else 1 if "FAIL" in verdicts else 0


def _codecs() -> Iterator[Check]:
    for client, found in (
        ("aiokafka", {name: getattr(aiokafka_codec, f"has_{name}")() for name in ("gzip", "snappy", "lz4", "zstd")}),
        ("kafka-python", {name: getattr(kafka_codec, f"has_{name}")() for name in ("gzip", "lz4")}),
    ):
        missing = [name for name, there in found.items() if not there]
        if missing:
            yield Check(f"codecs of {client}", "FAIL", f"cannot read {', '.join(missing)}: install the locked packages")
        else:
            yield Check(f"codecs of {client}", "PASS", ", ".join(found))


def _kafka(settings: KafkaSettings) -> Iterator[Check]:
    try:
        with open_admin(settings) as client:
            found = find(client)
    except ServiceUnavailable as away:
        yield Check("Kafka", "AWAY", str(away))
        return
    yield Check("Kafka", "PASS", f"answers at {settings.bootstrap}")
    wrong = problems(found, settings)
    for sentence in wrong:
        yield Check("topics", "FAIL", sentence)
    if not wrong:
        yield Check("topics", "PASS", f"all {len(found)} are as they should be")


def _redis(settings: RedisSettings) -> Iterator[Check]:
    place = address_of(settings.url)
    client = redis.Redis.from_url(
        settings.url,
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else None,
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
    )
    try:
        info = client.info()
        yield from _redis_checks(info, place)
        folder = files("streams.store")
        scripts = sorted(path.name for path in folder.iterdir() if path.name.endswith(".lua"))
        for name in scripts:
            client.script_load(folder.joinpath(name).read_text(encoding="utf-8"))
        yield Check("scripts", "PASS", f"{', '.join(scripts)} load")
    except redis.ResponseError as error:
        yield Check("Redis", "FAIL", f"refuses at {place}: {error}")
    except (redis.RedisError, OSError) as error:
        fix = "check SUBSIDYWATCH_REDIS__URL and that it runs"
        yield Check("Redis", "AWAY", f"cannot be reached at {place}: {type(error).__name__}; {fix}")
    finally:
        client.close()


def _redis_checks(info: dict[str, object], place: str) -> Iterator[Check]:
    version = str(info.get("redis_version", "0"))
    if "valkey_version" in info:
        yield Check("Redis", "PASS", f"Valkey {info['valkey_version']} answers at {place}")
    elif int(version.split(".")[0]) >= OLDEST_REDIS:
        yield Check("Redis", "PASS", f"Redis {version} answers at {place}")
    else:
        yield Check("Redis", "FAIL", f"Redis {version} at {place} is too old: use Redis {OLDEST_REDIS} or later")
    policy = info.get("maxmemory_policy")
    if policy == "noeviction":
        yield Check("Redis memory", "PASS", "evicts nothing")
    else:
        yield Check("Redis memory", "FAIL", f"{policy} would evict totals: CONFIG SET maxmemory-policy noeviction")
    if info.get("aof_enabled"):
        yield Check("Redis persistence", "PASS", "appendonly is on")
    else:
        yield Check("Redis persistence", "WARN", "totals are lost when it stops: CONFIG SET appendonly yes")
