"""What `doctor` makes of what it was told: values in, findings out."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from models.units import DAY_MS, EpochMs
from streams.ports import Limit, TopicPartition

OLDEST_REDIS: Final = 7
MENDED_REDIS: Final = {(7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2}
"""First patch release of each Redis that closes CVE-2025-49844, by which a script leaves its sandbox."""

MENDED_VALKEY: Final = {(7, 2): 11, (8, 0): 6, (8, 1): 4}
MOST_SKEW_MS: Final = 5_000
SHORTEST_RETENTION_MS: Final = 3 * DAY_MS
"""A worker that stops on a Friday evening is started again on Monday."""


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


def redis_version(info: Mapping[str, object], place: str) -> Iterator[Check]:
    """Judge which server it is."""
    valkey = info.get("valkey_version")
    version = str(valkey or info.get("redis_version", "0"))
    name = "Valkey" if valkey else "Redis"
    parts = [int(part) if part.isdecimal() else 0 for part in (*version.split("."), "0", "0")]
    if not valkey and parts[0] < OLDEST_REDIS:
        yield Check("Redis", "FAIL", f"Redis {version} at {place} is too old: use Redis {OLDEST_REDIS} or later")
        return
    yield Check("Redis", "PASS", f"{name} {version} answers at {place}")
    mended = MENDED_VALKEY if valkey else MENDED_REDIS
    release = parts[0], parts[1]
    least = mended.get(release)
    if least is not None and parts[2] < least:
        fix = f"update to {release[0]}.{release[1]}.{least} or later"
        yield Check("Redis security", "WARN", f"{name} {version} lets a script out of its sandbox: {fix}")
    elif least is None and release < max(mended):
        yield Check(
            "Redis security",
            "WARN",
            f"{version} does not tell whether CVE-2025-49844 is closed (Debian's 7.0.15-1~deb12u6 and later are): "
            "ask your package manager, and let no stranger run scripts there",
        )
    else:
        yield Check("Redis security", "PASS", "scripts stay in their sandbox")


def redis_safety(info: Mapping[str, object]) -> Iterator[Check]:
    """Judge memory, persistence and role."""
    policy, used, most = info.get("maxmemory_policy"), _number(info, "used_memory"), _number(info, "maxmemory")
    if policy != "noeviction":
        yield Check("Redis memory", "FAIL", f"{policy} would evict totals: CONFIG SET maxmemory-policy noeviction")
    elif most and used > 0.8 * most:
        yield Check(
            "Redis memory", "WARN", f"{used / most:.0%} of maxmemory are used: raise it before writes are refused"
        )
    else:
        yield Check("Redis memory", "PASS", "evicts nothing")
    if not info.get("aof_enabled"):
        yield Check("Redis persistence", "WARN", "totals are lost when it stops: CONFIG SET appendonly yes")
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield Check("Redis persistence", "FAIL", "the append-only file cannot be written: look at its disk")
    else:
        yield Check("Redis persistence", "PASS", "appendonly is on")
    if info.get("role") == "slave":
        yield Check("Redis role", "FAIL", "it is a replica and takes no writes: name its master")


def redis_cluster(info: Mapping[str, object], state: Mapping[str, object] | None, *, shards: int) -> Iterator[Check]:
    """Judge a cluster.

    Args:
        info: of any of its nodes.
        state: what `CLUSTER INFO` says; None where the settings name a single server.
        shards: as the settings say.
    """
    if state is None:
        if info.get("cluster_enabled"):
            yield Check("Redis cluster", "FAIL", "it is a node of a cluster: set SUBSIDYWATCH_REDIS__CLUSTER=true")
        return
    if state.get("cluster_state") != "ok":
        yield Check("Redis cluster", "FAIL", f"its state is {state.get('cluster_state')}: some slots have no server")
    elif shards < _number(state, "cluster_size"):
        yield Check(
            "Redis cluster", "WARN", f"{shards} shards leave some of its masters idle: SUBSIDYWATCH_REDIS__SHARDS"
        )
    else:
        yield Check("Redis cluster", "PASS", f"{state.get('cluster_size')} masters, all slots served, {shards} shards")


def clock(theirs: EpochMs, ours: EpochMs) -> Check:
    """Hold our clock against that of Redis."""
    skew = ours - theirs
    if abs(skew) <= MOST_SKEW_MS:
        return Check("clock", "PASS", f"within {MOST_SKEW_MS // 1000} s of that of Redis")
    way = "ahead of" if skew > 0 else "behind"
    return Check("clock", "WARN", f"{abs(skew) / 1000:.0f} s {way} that of Redis: set both by NTP")


def record_times(newest: EpochMs | None, now: EpochMs) -> Check:
    """Hold the newest record of the input topics against our clock: records are stamped by producers or the broker."""
    if newest is not None and newest > now + MOST_SKEW_MS:
        ahead = f"{(newest - now) / 1000:.0f} s"
        return Check(
            "record times", "WARN", f"the newest record is from {ahead} ahead of us: set producers' clocks by NTP"
        )
    return Check("record times", "PASS", "no record is from the future" if newest is not None else "no record yet")


def retention(configs: Mapping[str, Mapping[str, str]]) -> Iterator[Check]:
    """Judge whether the log outlasts an outage.

    Args:
        configs: per input topic that is not compacted, `retention.ms` and `retention.bytes` as far as known.
    """
    short, sized = [], []
    for topic, config in sorted(configs.items()):
        kept = config.get("retention.ms", "-1")
        if kept.isdecimal() and int(kept) < SHORTEST_RETENTION_MS:
            short.append(topic)
        if config.get("retention.bytes", "-1") not in ("-1", "None"):
            sized.append(topic)
    if short:
        days = SHORTEST_RETENTION_MS // DAY_MS
        yield Check(
            "retention", "WARN", f"{', '.join(short)} keep less than the {days} days of a long weekend without us"
        )
    if sized:
        yield Check(
            "retention", "WARN", f"{', '.join(sized)} also drop records by size: retention.bytes=-1 keeps the days"
        )
    if not short and not sized:
        yield Check("retention", "PASS", f"every log keeps at least {SHORTEST_RETENTION_MS // DAY_MS} days")


def duplicate_window(
    stands: Mapping[TopicPartition, int], reach: Mapping[TopicPartition, tuple[int, int]], window: int
) -> Check:
    """Judge whether a worker that starts finds the records before the fence that it needs to know repeats.

    Args:
        stands: where the store stands in the logs whose repeats are told by a window.
        reach: first offset that each log still has, and its end.
        window: records that a repeat is known for; 0 for none.
    """
    short = {tp: stands[tp] - reach[tp][0] for tp in sorted(stands) if tp in reach and reach[tp][0] > 0}
    short = {tp: max(left, 0) for tp, left in short.items() if left < window}
    if not short:
        return Check("duplicates", "PASS", f"known for {window:,} records, which the logs still have")
    tp, left = min(short.items(), key=lambda row: row[1])
    return Check(
        "duplicates",
        "WARN",
        f"{tp.topic}/{tp.partition} keeps {left:,} records before our place, of {window:,} that a repeat is known for: "
        "a worker that starts would count older copies again; raise the retention or lower ingest.duplicate_window",
    )


def dead_letters(refused: int, lying: int | None, live: Limit | None, settings_limit: int) -> Check:
    """Judge how near the limit is.

    Args:
        refused: records refused so far.
        lying: letters on the dead-letter topics; None when Kafka was not asked.
        live: the limit that was set live; None for none.
        settings_limit: the limit of the settings; 0 for none.
    """
    limit = settings_limit if live is None else live.value
    source = "" if live is None else f", set live by {live.actor}"
    there = "" if lying is None else f", {lying:,} letters kept"
    said = f"{refused:,} records refused so far{there}; limit {f'{limit:,}' if limit else 'none'}{source}"
    if limit and refused > 0.8 * limit:
        return Check("dead letters", "WARN", f"{said}: look at `subsidywatch dlq list`, raise it with `dlq limit N`")
    return Check("dead letters", "PASS", said)


def _number(info: Mapping[str, object], name: str) -> int:
    text = str(info.get(name, "0"))
    return int(text) if text.isdecimal() else 0
