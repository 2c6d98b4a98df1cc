"""Looks at everything a worker stands on and says what is wrong and what to do about it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, cast

import redis
from aiokafka import codec as aiokafka_codec
from kafka import codec as kafka_codec

from models.errors import ServiceUnavailable
from models.events import KINDS, Kind
from models.lateness import LATE_BY
from models.units import EpochMs
from streams.burying import DEAD_LETTERS
from streams.checks import (
    Check,
    clock,
    dead_letters,
    duplicate_window,
    record_times,
    redis_cluster,
    redis_safety,
    redis_version,
    retention,
)
from streams.dead_reading import newest_time, open_reader
from streams.kafka_admin import FoundTopic, find, open_admin, problems, reach_of
from streams.ports import Limit, TopicPartition
from streams.repeats import WINDOWED
from streams.settings import RedisSettings, Settings
from streams.store.keys import Keys
from streams.store.redis_errors import address_of
from streams.topics import DEAD_TOPICS, INPUTS

ANEW = "the topic was created anew or lost its tail; restore it, or clear the totals and start over"


@dataclass(slots=True)
class _Told:
    """What one service told that is held against the other.

    Attributes:
        stands: first offset not applied of every partition the store knows.
        refused: records refused so far; None when Redis was not asked.
        limit: bound of dead letters that was set live; None for none.
        lying: letters on the dead-letter topics; None when Kafka was not asked.
    """

    stands: dict[TopicPartition, int] = field(default_factory=dict)
    refused: int | None = None
    limit: Limit | None = None
    lying: int | None = None


def examine(settings: Settings, now: Callable[[], EpochMs]) -> Iterator[Check]:
    """Give the findings one by one, as they are made.

    Args:
        settings: where everything is.
        now: wall clock, held against that of Redis.
    """
    yield Check("settings", "PASS", f"rules {settings.rules.config_hash}, mode {settings.rules.guards.mode}")
    yield from _codecs()
    told = _Told()
    redis_checks = list(_redis(settings.redis, now, told))  # first: it tells where the store stands
    yield from _kafka(settings, now, told)
    yield from redis_checks
    if told.refused is not None:
        yield dead_letters(told.refused, told.lying, told.limit, settings.ingest.dead_letter_limit)


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


def _kafka(settings: Settings, now: Callable[[], EpochMs], told: _Told) -> Iterator[Check]:
    kafka, stands = settings.kafka, told.stands
    try:
        with open_admin(kafka) as client:
            found = find(client)
            reach = reach_of(client, [tp for tp in stands if tp.topic in found])
            dead = reach_of(client, [TopicPartition(name, 0) for name in DEAD_TOPICS if name in found])
        with open_reader(kafka) as consumer:
            newest = newest_time(consumer, [spec.name for spec in INPUTS if spec.name in found])
    except ServiceUnavailable as away:
        yield Check("Kafka", "AWAY", str(away))
        return
    told.lying = sum(end - start for start, end in dead.values())
    yield Check("Kafka", "PASS", f"answers at {kafka.bootstrap}")
    wrong = problems(found, kafka)
    for sentence in wrong:
        yield Check("topics", "FAIL", sentence)
    if not wrong:
        yield Check("topics", "PASS", f"all {len(found)} are as they should be")
    yield from retention(_kept(found))
    yield record_times(newest, now())
    yield from _progress(stands, reach)
    if settings.ingest.duplicate_window:
        windowed = {tp: at for tp, at in stands.items() if KINDS.get(tp.topic) in WINDOWED}
        yield duplicate_window(windowed, reach, settings.ingest.duplicate_window)


def _kept(found: Mapping[str, FoundTopic]) -> dict[str, Mapping[str, str]]:
    """Give the settings of the input topics that drop records by age."""
    return {spec.name: found[spec.name].configs for spec in INPUTS if spec.cleanup == "delete" and spec.name in found}


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


def _open(settings: RedisSettings) -> redis.Redis:
    options: dict[str, Any] = {
        "username": settings.username,
        "password": settings.password.get_secret_value() if settings.password else None,
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
    }
    if settings.cluster:
        # Calls without a key go to one node, the scripts to all masters.
        return cast("redis.Redis", redis.RedisCluster.from_url(settings.url, require_full_coverage=False, **options))
    return redis.Redis.from_url(settings.url, **options)


def _redis(settings: RedisSettings, now: Callable[[], EpochMs], told: _Told) -> Iterator[Check]:
    place, client, keys = address_of(settings.url), None, Keys(settings.prefix, settings.shards)
    try:
        client = _open(settings)
        info: dict[str, object] = client.info()
        yield from redis_version(info, place)
        yield from redis_safety(info)
        state: dict[str, object] | None = _cluster_state(client) if settings.cluster else None
        yield from redis_cluster(info, state, shards=settings.shards)
        seconds, micros = client.time()
        yield clock(EpochMs(seconds * 1_000 + micros // 1_000), now())
        told.stands = _stands(client, keys)
        counts = _tallies(client, keys)
        yield from _counts(counts)
        told.refused = sum(count for name, count in counts.items() if name.startswith("rejected:"))
        live = cast("bytes | None", client.hget(keys.limits(), DEAD_LETTERS))
        if live is not None:
            value, _, actor = live.decode().partition(" ")
            told.limit = Limit(int(value), actor)
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
        if client is not None:
            client.close()


def _cluster_state(client: redis.Redis) -> dict[str, object]:
    state: dict[str, object] = client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]  # redis-py has no types here
    return state


def _fields(client: redis.Redis, key: str) -> dict[bytes, bytes]:
    return cast("dict[bytes, bytes]", client.hgetall(key))  # typed for asyncio as well


def _tallies(client: redis.Redis, keys: Keys) -> Counter[str]:
    counts: Counter[str] = Counter()
    for shard in range(keys.shards):
        counts.update({name.decode(): int(count) for name, count in _fields(client, keys.tallies(shard)).items()})
    return counts


def _counts(counts: Counter[str]) -> Iterator[Check]:
    """Say how late records came, and what attribution could not keep; nothing where there was neither."""
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
        for name, value in _fields(client, keys.fences(shard)).items():
            topic, _, rest = name.decode().partition(":")
            partition, _, what = rest.partition(":")
            if what == "next":
                stands[TopicPartition(topic, int(partition))] = int(value)
    return stands
