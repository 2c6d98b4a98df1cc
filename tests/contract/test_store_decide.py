"""What every store must do on the decide side: state, outbox, logs, switch, sweep."""

import asyncio
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

import pytest

from models.totals import Totals
from models.units import DAY_MS, HOUR_MS, SECOND_MS, EpochMs
from models.windows import RETENTION, Bucket, Level, Scope, end_of
from streams.ports import (
    BatchWrite,
    BucketRef,
    EvidenceBucket,
    Fact,
    Limit,
    LineSwap,
    LogEntry,
    OutboxEntry,
    Store,
    TopicPartition,
)
from streams.store.limits import LOG_CAP

Contents = Callable[[], Awaitable[object]]

ZONE = ZoneInfo("Asia/Shanghai")
NOON = EpochMs(1_735_704_000_000)
DAY = EpochMs(1_735_660_800_000)
CLICKS = TopicPartition("ads.clicks.v1", 0)
ORDERS = TopicPartition("shop.orders.v1", 1)


def entry(name: str) -> OutboxEntry:
    """A record to publish under a name."""
    return OutboxEntry(name, "budget.shifts.v1", "计划 1", f'{{"id":"{name}"}}')


async def keep(store: Store, tp: TopicPartition, **fields: object) -> None:
    """Apply a first slice that holds `fields`."""
    await store.claim(tp)
    write = BatchWrite(tp=tp, epoch=1, first=0, next_offset=1, head=NOON, now=NOON, **fields)  # type: ignore[arg-type]
    await store.apply(write)


async def test_the_state_starts_at_version_zero(store: Store) -> None:
    """Before the first write there is a version to compare with, but no state."""
    assert (0, None) == await store.load_state()


async def test_the_state_moves_only_from_the_version_that_was_read(store: Store, contents: Contents) -> None:
    """A second runner with the same version loses, and nothing of its decision is written."""
    assert await store.swap_state(0, "one", [entry("a")], [])
    assert (1, "one") == await store.load_state()
    before = await contents()

    assert not await store.swap_state(0, "two", [entry("b")], [LogEntry("shifts", "b", "{}")])
    assert not await store.swap_state(2, "two", [entry("b")], [LogEntry("shifts", "b", "{}")])
    assert before == await contents()


async def test_one_of_many_runners_wins(store: Store) -> None:
    """Of twenty runners that read the same version exactly one writes."""
    won = await asyncio.gather(*[store.swap_state(0, str(name), [entry(str(name))], []) for name in range(20)])

    assert 1 == won.count(True)
    winner = str(won.index(True))
    assert (1, winner) == await store.load_state()
    assert [entry(winner)] == await store.outbox(99)


async def test_the_outbox_gives_the_oldest_unsent_first(store: Store) -> None:
    """Entries leave in the order they were decided, each once, until they are marked as sent."""
    await store.swap_state(0, "s", [entry("c"), entry("a")], [])
    await store.swap_state(1, "s", [entry("b"), OutboxEntry("a", "other", "again", "{}")], [])

    assert [entry("c"), entry("a"), entry("b")] == await store.outbox(99)
    assert [entry("c"), entry("a")] == await store.outbox(2)
    assert [] == await store.outbox(0)
    await store.mark_sent(["c", "b", "unknown"])
    await store.mark_sent([])
    assert [entry("a")] == await store.outbox(99)


async def test_logs_are_read_newest_first(store: Store) -> None:
    """Each log is its own; an entry whose id is known is not added again."""
    log = [LogEntry("shifts", "1", "一"), LogEntry("held", "1", "h"), LogEntry("shifts", "2", "二")]
    await store.swap_state(0, "s", [], log)
    await store.swap_state(1, "s", [], [LogEntry("shifts", "1", "again"), LogEntry("shifts", "3", "三")])

    assert ["三", "二", "一"] == await store.read_log("shifts", 99)
    assert ["三"] == await store.read_log("shifts", 1)
    assert [] == await store.read_log("shifts", 0)
    assert ["h"] == await store.read_log("held", 5)
    assert [] == await store.read_log("results", 5)


async def test_a_log_keeps_its_newest(store: Store) -> None:
    """Past the cap the oldest entries go."""
    await store.swap_state(0, "s", [], [LogEntry("held", str(at), str(at)) for at in range(LOG_CAP)])
    await store.swap_state(1, "s", [], [LogEntry("held", str(at), str(at)) for at in range(LOG_CAP, LOG_CAP + 2)])
    await store.swap_state(2, "s", [], [LogEntry("held", "last", "last")])

    kept = await store.read_log("held", LOG_CAP + 99)
    assert (LOG_CAP, "last", "3") == (len(kept), kept[0], kept[-1])


async def test_the_switch_is_off_until_it_is_set(store: Store) -> None:
    """The kill switch keeps what it was told last."""
    assert not await store.switch()
    await store.set_switch(True, "operator")
    assert await store.switch()
    await store.set_switch(False, "operator")
    assert not await store.switch()


async def test_a_limit_holds_until_it_is_given_back(store: Store) -> None:
    """A bound keeps its last value and who set it, and is absent before and after."""
    assert {} == await store.limits()
    await store.set_limit("dead_letters", 5, "someone")
    await store.set_limit("dead_letters", 7, "Ann Other")
    await store.set_limit("other", 0, "")
    assert {"dead_letters": Limit(7, "Ann Other"), "other": Limit(0, "")} == await store.limits()
    await store.set_limit("dead_letters", None, "someone")
    assert {"other": Limit(0, "")} == await store.limits()


async def test_of_many_notes_of_one_key_the_first_stays(store: Store) -> None:
    """A note is written once unless it is told to replace, and is a fact like any other."""
    one, two = Fact("marks", "a", "1"), Fact("marks", "a", "2")

    assert [True, False] == await store.note([one, two], replace=False)
    assert {"a": "1"} == await store.facts("marks")
    assert [True, True] == await store.note([two, Fact("marks", "b", "3")], replace=True)
    assert {"a": "2", "b": "3"} == await store.facts("marks")
    await store.forget("marks", ["a"])
    assert {"b": "3"} == await store.facts("marks")
    assert [] == await store.note([], replace=False)


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("level", list(Level))
async def test_a_bucket_goes_when_its_retention_has_passed(store: Store, scope: Scope, level: Level) -> None:
    """By event time: still there one millisecond before, gone at the instant, and gone only once."""
    bucket = Bucket(level, DAY)
    deltas = {BucketRef(scope, bucket): {"clicks:440000": 1}}
    await keep(store, CLICKS, deltas=deltas)
    await keep(store, ORDERS, deltas=deltas)
    at = EpochMs(end_of(bucket, ZONE) + RETENTION[scope][level])

    assert 0 == await store.sweep(EpochMs(at - 1))
    assert {"440000": Totals(clicks=2)} == await store.totals(scope, [bucket])
    assert await store.sweep(at) > 0
    assert {} == await store.totals(scope, [bucket])
    assert 0 == await store.sweep(at)


async def test_evidence_goes_an_hour_after_its_second(store: Store) -> None:
    """What no decision can still need is deleted, the seconds after it are not."""
    counts = {"440000": (1, 1)}
    await keep(store, ORDERS, evidence={NOON: counts, EpochMs(NOON + SECOND_MS): counts})
    at = EpochMs(NOON + SECOND_MS + HOUR_MS)

    assert 0 == await store.sweep(EpochMs(at - 1))
    assert 1 == await store.sweep(at)
    assert [EvidenceBucket(EpochMs(NOON + SECOND_MS), counts)] == await store.evidence(EpochMs(0), at)


async def test_one_sweep_takes_what_one_run_consumed(store: Store) -> None:
    """A replay consumes hours of evidence in a run; none of it is left behind when the log ends there."""
    seconds = 4 * HOUR_MS // SECOND_MS
    await keep(store, ORDERS, evidence={EpochMs(NOON + i * SECOND_MS): {"440000": (1, 0)} for i in range(seconds)})

    assert seconds == await store.sweep(EpochMs(NOON + 5 * HOUR_MS))
    assert [] == await store.evidence(EpochMs(0), EpochMs(NOON + DAY_MS))


async def test_order_lines_go_forty_days_after_their_day(store: Store) -> None:
    """A refund may come late, but not later than the day's totals are kept."""
    await keep(store, ORDERS, lines=[LineSwap(DAY, "o1:1", None, "placed")])
    at = EpochMs(DAY + DAY_MS + 40 * DAY_MS)

    assert 0 == await store.sweep(EpochMs(at - 1))
    assert ["placed"] == await store.lines(ORDERS, [(DAY, "o1:1")])
    assert 1 == await store.sweep(at)
    assert [None] == await store.lines(ORDERS, [(DAY, "o1:1")])


async def test_what_was_swept_may_be_written_anew(store: Store) -> None:
    """A late slice into a swept bucket starts it again, and a later sweep takes it again."""
    bucket = BucketRef(Scope.REGION, Bucket(Level.MINUTE, NOON))
    await keep(store, CLICKS, deltas={bucket: {"clicks:440000": 5}}, evidence={NOON: {"1": (1, 0)}})
    late = EpochMs(NOON + 60 * DAY_MS)
    await store.sweep(late)
    await keep(store, ORDERS, deltas={bucket: {"clicks:440000": 2}}, evidence={NOON: {"1": (0, 0)}})

    assert {"440000": Totals(clicks=2)} == await store.totals(Scope.REGION, [bucket.bucket])
    assert [EvidenceBucket(NOON, {"1": (0, 0)})] == await store.evidence(NOON, late)
    assert 2 == await store.sweep(late)
