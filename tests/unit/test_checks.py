"""What the doctor makes of what it is told."""

import pytest

from models.units import DAY_MS, EpochMs
from streams.checks import (
    clock,
    dead_letters,
    duplicate_window,
    record_times,
    redis_cluster,
    redis_safety,
    redis_version,
    retention,
)
from streams.ports import Limit, TopicPartition

NOW = EpochMs(1_750_000_000_000)
CLICKS = TopicPartition("ads.clicks.v1", 0)
SAFE = {"maxmemory_policy": "noeviction", "aof_enabled": 1, "role": "master"}


@pytest.mark.parametrize(
    ("info", "verdicts", "words"),
    [
        ({"redis_version": "6.2.20"}, ["FAIL"], "too old"),
        ({"redis_version": "7.0.15"}, ["PASS", "WARN"], "1~deb12u6"),
        ({"redis_version": "7.2.10"}, ["PASS", "WARN"], "7.2.11 or later"),
        ({"redis_version": "7.2.11"}, ["PASS", "PASS"], "sandbox"),
        ({"redis_version": "8.1.0"}, ["PASS", "WARN"], "does not tell"),
        ({"redis_version": "8.2.1"}, ["PASS", "WARN"], "8.2.2 or later"),
        ({"redis_version": "8.4"}, ["PASS", "PASS"], "sandbox"),
        ({"redis_version": "7.2.4", "valkey_version": "8.1.3"}, ["PASS", "WARN"], "8.1.4 or later"),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.0"}, ["PASS", "PASS"], "sandbox"),
        ({}, ["FAIL"], "too old"),
    ],
)
def test_versions_are_held_against_what_is_known_of_them(
    info: dict[str, object], verdicts: list[str], words: str
) -> None:
    """Too old fails, a hole that is open or may be warns and says what to do."""
    checks = list(redis_version(info, "here"))

    assert verdicts == [check.verdict for check in checks]
    assert words in checks[-1].detail


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"Redis memory": "PASS", "Redis persistence": "PASS"}),
        ({"maxmemory_policy": "allkeys-lru"}, {"Redis memory": "FAIL", "Redis persistence": "PASS"}),
        ({"maxmemory": 100, "used_memory": 81}, {"Redis memory": "WARN", "Redis persistence": "PASS"}),
        ({"aof_enabled": 0}, {"Redis memory": "PASS", "Redis persistence": "WARN"}),
        ({"aof_last_write_status": "err"}, {"Redis memory": "PASS", "Redis persistence": "FAIL"}),
        ({"role": "slave"}, {"Redis memory": "PASS", "Redis persistence": "PASS", "Redis role": "FAIL"}),
    ],
)
def test_a_redis_that_may_lose_totals_is_found(changes: dict[str, object], expected: dict[str, str]) -> None:
    """Eviction, a full memory, no append-only file or one that cannot be written, a replica."""
    assert expected == {check.what: check.verdict for check in redis_safety(SAFE | changes)}


@pytest.mark.parametrize(
    ("info", "state", "expected"),
    [
        ({}, None, []),
        ({"cluster_enabled": 1}, None, ["FAIL"]),
        ({}, {"cluster_state": "fail"}, ["FAIL"]),
        ({}, {"cluster_state": "ok", "cluster_size": "3"}, ["WARN"]),
        ({}, {"cluster_state": "ok", "cluster_size": "2"}, ["PASS"]),
    ],
)
def test_a_cluster_serves_all_slots_and_has_work_for_all(
    info: dict[str, object], state: dict[str, object] | None, expected: list[str]
) -> None:
    """Its state, the settings, and the number of shards fit together."""
    assert expected == [check.verdict for check in redis_cluster(info, state, shards=2)]


def test_clocks_may_differ_by_five_seconds() -> None:
    """On either side of Redis; records only ahead, for old ones are old."""
    skews = [clock(EpochMs(NOW - skew), NOW).verdict for skew in (-5_001, -5_000, 5_000, 5_001)]
    times = [record_times(newest, NOW).verdict for newest in (None, EpochMs(NOW + 5_000), EpochMs(NOW + 5_001))]

    assert ["WARN", "PASS", "PASS", "WARN"] == skews
    assert ["PASS", "PASS", "WARN"] == times


def test_a_log_outlasts_a_long_weekend() -> None:
    """By age and by size; -1 is for ever, and what is not known is not blamed."""
    long = {"retention.ms": str(3 * DAY_MS), "retention.bytes": "-1"}
    found = {"a": long, "b": {"retention.ms": "-1"}, "c": {}}

    assert ["PASS"] == [check.verdict for check in retention(found)]
    assert ["WARN"] == [check.verdict for check in retention({"a": long | {"retention.ms": str(3 * DAY_MS - 1)}})]
    assert "by size" in next(retention({"a": long | {"retention.bytes": "9"}})).detail


@pytest.mark.parametrize(("earliest", "verdict"), [(0, "PASS"), (100, "PASS"), (101, "WARN"), (999, "WARN")], ids=str)
def test_the_log_keeps_what_repeats_are_told_by(earliest: int, verdict: str) -> None:
    """A worker that starts reads the window before its place; a log that begins at 0 has all there ever was."""
    assert verdict == duplicate_window({CLICKS: 200}, {CLICKS: (earliest, 1_000)}, 100).verdict


def test_a_limit_that_is_near_is_said() -> None:
    """With who set it; without a limit there is nothing to be near to."""
    near = dead_letters(81, None, Limit(100, "Ann"), 0)

    assert ("WARN", True) == (near.verdict, "set live by Ann" in near.detail)
    assert ["PASS", "WARN", "PASS"] == [
        dead_letters(81, 7, live, 100).verdict for live in (Limit(0, "Ann"), None, Limit(1_000, "Ann"))
    ]
