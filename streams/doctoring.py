"""Looks at everything a worker stands on and says what is wrong and what to do about it."""

from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Literal, NamedTuple

import redis
from aiokafka import codec as aiokafka_codec
from kafka import codec as kafka_codec

from models.errors import ServiceUnavailable
from models.events import Kind
from models.lateness import LATE_BY
from models.units import EpochMs
from streams.kafka_admin import find, open_admin, problems, reach_of
from streams.ports import TopicPartition
from streams.settings import KafkaSettings, RedisSettings, Settings
from streams.store.keys import Keys
from streams.store.redis_errors import address_of

OLDEST_REDIS = 7
MOST_SKEW_MS = 5_000
ANEW = "the topic was created anew or lost its tail; restore it, or clear the totals and start over"


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


def examine(settings: Settings, now: Callable[[], EpochMs]) -> Iterator[Check]:
    """Give the findings one by one, as they are made.

    Args:
        settings: where everything is.
        now: wall clock, held against that of Redis.
    """
    yield Check("settings", "PASS", f"rules {settings.rules.config_hash}, mode {settings.rules.guards.mode}")
    yield from _codecs()
    stands: dict[TopicPartition, int] = {}
    redis_checks = list(_redis(settings.redis, now, stands))  # first: it tells where the store stands
    yield from _kafka(settings.kafka, stands)
    yield from redis_checks


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


def _kafka(settings: KafkaSettings, stands: dict[TopicPartition, int]) -> Iterator[Check]:
    try:
        with open_admin(settings) as client:
            found = find(client)
            reach = reach_of(client, [tp for tp in stands if tp.topic in found])
    except ServiceUnavailable as away:
        yield Check("Kafka", "AWAY", str(away))
        return
    yield Check("Kafka", "PASS", f"answers at {settings.bootstrap}")
    wrong = problems(found, settings)
    for sentence in wrong:
        yield Check("topics", "FAIL", sentence)
    if not wrong:
        yield Check("topics", "PASS", f"all {len(found)} are as they should be")
    yield from _progress(stands, reach)


def _progress(stands: dict[TopicPartition, int], reach: dict[TopicPartition, tuple[int, int]]) -> Iterator[Check]:
    """Hold where the store stands against what the logs still have."""
    wrong = False
    for tp, (earliest, latest) in sorted(reach.items()):
        at, where = stands[tp], f"{tp.topic}/{tp.partition}"
        if at > latest:
            yield Check("progress", "FAIL", f"{where}: the store stands at {at}, the log ends at {latest}: {ANEW}")
        elif at < earliest:
            yield Check(
                "progress", "WARN", f"{where}: the log dropped {earliest - at} records before they were counted"
            )
        wrong |= not earliest <= at <= latest
    if not wrong:
        yield Check("progress", "PASS", f"{len(reach)} partitions go on where the store stands")


def _redis(settings: RedisSettings, now: Callable[[], EpochMs], stands: dict[TopicPartition, int]) -> Iterator[Check]:
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
        yield _clock(client.time(), now())
        stands |= _stands(client, Keys(settings.prefix, settings.shards))
        yield from _counts(client, Keys(settings.prefix, settings.shards))
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


def _clock(theirs: tuple[int, int], ours: EpochMs) -> Check:
    skew = ours - theirs[0] * 1000 - theirs[1] // 1000
    if abs(skew) <= MOST_SKEW_MS:
        return Check("clock", "PASS", f"within {MOST_SKEW_MS // 1000} s of that of Redis")
    way = "ahead of" if skew > 0 else "behind"
    return Check("clock", "WARN", f"{abs(skew) / 1000:.0f} s {way} that of Redis: set both by NTP")


def _counts(client: redis.Redis, keys: Keys) -> Iterator[Check]:
    """Say how late records came, and what attribution could not keep; nothing where there was neither."""
    counts: Counter[str] = Counter()
    for shard in range(keys.shards):
        tallies: dict[bytes, bytes] = client.hgetall(keys.tallies(shard))  # type: ignore[assignment]  # typed for both modes
        counts.update({name.decode(): int(count) for name, count in tallies.items()})
    late = [
        f"{kind} by {least} {n:,}" for kind in Kind for least, _ in LATE_BY if (n := counts[f"late_by:{kind}:{least}"])
    ]
    if late:
        yield Check("late records", "PASS", f"counted, by at least: {', '.join(late)}")
    names = {"late:attribution": "lines too late", "forgotten:clicks": "clicks", "forgotten:lines": "lines"}
    gone = [f"{counts[tally]:,} {words}" for tally, words in names.items() if counts[tally]]
    if gone:
        fix = "their credit may be to an older click; raise attribution.lateness_s if they are many"
        yield Check("attribution", "WARN", f"beyond what is kept: {', '.join(gone)}; {fix}")


def _stands(client: redis.Redis, keys: Keys) -> dict[TopicPartition, int]:
    """Give the first offset not applied of every partition the store knows."""
    stands = {}
    for shard in range(keys.shards):
        fences: dict[bytes, bytes] = client.hgetall(keys.fences(shard))  # type: ignore[assignment]  # typed for both modes
        for field, value in fences.items():
            topic, _, rest = field.decode().partition(":")
            partition, _, name = rest.partition(":")
            if name == "next":
                stands[TopicPartition(topic, int(partition))] = int(value)
    return stands


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
