"""What every store must do for clicks and orders that know of each other: vectors, visits, one version of both."""

import pytest

from cases.writes import CLICKS, MINUTE, NOON, REGION, slice_of
from models.totals import GROUPS, Totals
from models.units import DAY_MS, EpochMs
from models.windows import Bucket, Level, Scope
from streams.ports import Applied, BucketRef, Joined, LineSwap, Reply, Store, TopicPartition

DAY = EpochMs(1_735_660_800_000)
NEXT_DAY = EpochMs(DAY + DAY_MS)
ORDERS = TopicPartition("shop.orders.v1", 0)
OTHERS = TopicPartition("shop.orders.v1", 1)


async def owned(store: Store, *partitions: TopicPartition) -> Store:
    """Claim partitions."""
    for tp in partitions:
        await store.claim(tp)
    return store


async def test_an_untouched_partition_number_joins_nothing(store: Store) -> None:
    """Version 0, no event time, None for each line and nothing for each day asked for."""
    expected = Joined(0, None, None, [None], {DAY: {}, NEXT_DAY: {}})

    assert expected == await store.join(CLICKS, [(DAY, "1:o1")], {DAY: ["u1"], NEXT_DAY: []})


async def test_a_join_tells_what_either_topic_wrote(store: Store) -> None:
    """Clicks and orders of a number share version, lines and visits; texts come in the order asked."""
    await owned(store, CLICKS, ORDERS)
    visits = {DAY: {"u1": "one", "用户:1": "三"}, NEXT_DAY: {"u1": "two"}, EpochMs(DAY - DAY_MS): {}}
    await store.apply(slice_of(0, 1, CLICKS, head=EpochMs(NOON + 5), join=0, visits=visits))
    await store.apply(slice_of(0, 1, ORDERS, join=1, lines=[LineSwap(DAY, "1:o1", None, "placed")]))

    lines = [(DAY, "1:o2"), (DAY, "1:o1")]
    asked = {NEXT_DAY: ["u1"], DAY: ["用户:1", "u2", "u1"]}
    found = {NEXT_DAY: {"u1": "two"}, DAY: {"用户:1": "三", "u1": "one"}}
    expected = Joined(2, NOON, EpochMs(NOON + 5), [None, "placed"], found)
    assert expected == await store.join(CLICKS, lines, asked)
    assert expected == await store.join(ORDERS, lines, asked)
    assert Joined(2, NOON, EpochMs(NOON + 5), [], {}) == await store.join(ORDERS, [], {})


async def test_a_write_between_is_a_conflict_for_the_other_topic(store: Store) -> None:
    """Who read before the other wrote reads again; a write that names no version neither minds nor counts."""
    await owned(store, CLICKS, ORDERS, OTHERS)
    read = (await store.join(ORDERS, [], {})).version
    await store.apply(slice_of(0, 1, CLICKS, join=read, visits={DAY: {"u1": "first"}}))

    late = slice_of(0, 1, ORDERS, join=read, visits={DAY: {"u1": "second"}})
    assert Applied(Reply.CONFLICT, None) == await store.apply(late)
    assert {DAY: {"u1": "first"}} == (await store.join(ORDERS, [], {DAY: ["u1"]})).visits
    assert Reply.APPLIED == (await store.apply(slice_of(0, 1, OTHERS, join=0))).reply
    assert Reply.APPLIED == (await store.apply(slice_of(1, 2, CLICKS))).reply
    again = slice_of(0, 1, ORDERS, join=1, visits={DAY: {"u1": "second"}})
    assert Reply.APPLIED == (await store.apply(again)).reply
    assert (2, {DAY: {"u1": "second"}}) == (await store.join(ORDERS, [], {DAY: ["u1"]}))[::4]


async def test_vectors_add_by_position(store: Store) -> None:
    """Arrays may differ in length, groups and members do not mix, and plain counters stand beside them."""
    await owned(store, CLICKS)
    member = "440000:计划:^7"
    first = {"o:440000": [1, 2], "d:440000": [5], f"o:{member}": [7], "k:440000": []}
    await store.apply(slice_of(0, 1, vectors={REGION: first}))
    await store.apply(slice_of(1, 2, vectors={REGION: {"o:440000": [10, -2, 0, 4]}}))
    await store.apply(slice_of(2, 3, vectors={REGION: {"o:440000": [1]}, BucketRef(Scope.CAMPAIGN, MINUTE): {}}))

    both = Totals(clicks=3, orders_placed=12, orders_refunded=4, direct_orders=5)
    assert {"440000": both, member: Totals(orders_placed=7)} == await store.totals(Scope.REGION, [MINUTE])
    assert {} == await store.totals(Scope.CAMPAIGN, [MINUTE])


async def test_buckets_may_share_their_vectors(store: Store) -> None:
    """One mapping under minute, hour and day adds to each, and so does another of equal content."""
    await owned(store, CLICKS)
    shared = {f"{group}:c{number}": [number, 1] for number in range(600) for group in GROUPS}
    levels = [Bucket(level, DAY) for level in (Level.MINUTE, Level.HOUR, Level.DAY)]
    refs = [BucketRef(Scope.CAMPAIGN, bucket) for bucket in levels]
    await store.apply(slice_of(0, 1, deltas={}, vectors=dict.fromkeys(refs, shared)))
    await store.apply(slice_of(1, 2, deltas={}, vectors={refs[0]: shared, refs[1]: dict(shared)}))

    for bucket, times in zip(levels, (2, 2, 1), strict=True):
        totals = await store.totals(Scope.CAMPAIGN, [bucket])
        assert 600 == len(totals)
        assert (599 * times, times) == (totals["c599"].orders_placed, totals["c599"].orders_paid)
        assert (599 * times, 599 * times) == (totals["c599"].direct_orders, totals["c599"].click_direct_orders)


@pytest.mark.parametrize(("ahead", "kept"), [(-1, {"u1": "seen"}), (0, {})], ids=["the day before", "the day"])
async def test_visits_go_seventeen_days_after_their_day(store: Store, ahead: int, kept: dict[str, str]) -> None:
    """The end of the local day and 17 days is the event time at which a sweep takes them."""
    await owned(store, CLICKS)
    await store.apply(slice_of(0, 1, deltas={}, visits={DAY: {"u1": "seen"}}, join=0))

    assert (0 if kept else 1) == await store.sweep(EpochMs(DAY + 18 * DAY_MS + ahead))
    assert {DAY: kept} == (await store.join(CLICKS, [], {DAY: ["u1"]})).visits


async def test_many_lines_and_visits_are_kept_and_compared(store: Store) -> None:
    """More texts than one command takes at once; one changed line of them refuses all."""
    await owned(store, ORDERS)
    lines = [LineSwap(DAY, f"1:o{number}", None, f"s{number}") for number in range(1201)]
    visits = {DAY: {f"u{number}": f"v{number}" for number in range(1201)}}
    await store.apply(slice_of(0, 1, ORDERS, lines=lines, visits=visits, join=0))

    asked = [(DAY, line.key) for line in reversed(lines)], {DAY: list(visits[DAY])}
    joined = await store.join(ORDERS, *asked)
    assert [line.new for line in reversed(lines)] == joined.lines
    assert visits == joined.visits
    swaps = [line._replace(old=line.new, new="t") for line in lines]
    swaps[1100] = swaps[1100]._replace(old="another")
    assert Reply.CONFLICT == (await store.apply(slice_of(1, 2, ORDERS, lines=swaps, join=1))).reply
    assert ["s1200"] == await store.lines(ORDERS, [(DAY, "1:o1200")])
