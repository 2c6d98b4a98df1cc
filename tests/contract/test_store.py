"""What every store must do on the ingest side: fences, slices, sums, lines, facts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from cases.writes import CLICKS, MINUTE, NOON, REGION, slice_of
from models.totals import Totals
from models.units import EpochMs
from models.windows import Scope
from streams.ports import (
    Applied,
    BatchWrite,
    Claim,
    Fact,
    LineSwap,
    Progress,
    Reply,
    Store,
    TopicPartition,
)

Contents = Callable[[], Awaitable[object]]

DAY = EpochMs(1_735_660_800_000)
ORDERS = TopicPartition("shop.orders.v1", 1)


async def clicks(store: Store) -> int:
    """Clicks of Guangdong in the minute that the slices write to."""
    return (await store.totals(Scope.REGION, [MINUTE])).get("440000", Totals()).clicks


async def test_a_claim_of_an_untouched_partition_knows_nothing(store: Store) -> None:
    """Before the first apply there is neither an offset nor an event time, and no progress to show."""
    assert Claim(1, None, None) == await store.claim(CLICKS)
    assert {} == await store.progress()


async def test_a_claim_tells_where_to_go_on(store: Store) -> None:
    """The next owner gets a higher epoch, the first offset not applied and the newest event time."""
    await store.claim(CLICKS)
    await store.apply(slice_of(0, 10))

    assert Claim(2, 10, NOON) == await store.claim(CLICKS)


async def test_the_first_slice_may_start_anywhere(store: Store) -> None:
    """A log whose old records are gone starts past zero."""
    await store.claim(CLICKS)

    assert Applied(Reply.APPLIED, 510) == await store.apply(slice_of(500, 510))


async def test_progress_follows_the_newest_slice(store: Store) -> None:
    """Offset, newest event time and wall time move; the event time never goes back."""
    await store.claim(CLICKS)
    await store.claim(ORDERS)
    await store.apply(slice_of(0, 5, head=NOON, now=EpochMs(70)))
    await store.apply(slice_of(5, 9, head=EpochMs(NOON - 1), now=EpochMs(80), caught_up=False))
    await store.apply(slice_of(0, 2, ORDERS, head=None, now=EpochMs(90), deltas={}))

    expected = {
        CLICKS: Progress(9, NOON, EpochMs(80), caught_up=False),
        ORDERS: Progress(2, None, EpochMs(90), caught_up=True),
    }
    assert expected == await store.progress()


REFUSED = [
    pytest.param(slice_of(10, 20, epoch=0), Reply.FENCED, id="an older owner"),
    pytest.param(slice_of(10, 20, epoch=2), Reply.FENCED, id="an owner the store has never heard of"),
    pytest.param(slice_of(0, 10), Reply.DUPLICATE, id="the same slice again"),
    pytest.param(slice_of(2, 8), Reply.DUPLICATE, id="a part of it again"),
    pytest.param(slice_of(9, 12), Reply.OVERLAP, id="a slice that starts inside"),
    pytest.param(slice_of(9, 12, allow_gap=True), Reply.OVERLAP, id="likewise, although gaps are allowed"),
    pytest.param(slice_of(11, 12), Reply.GAP, id="a slice past a hole"),
    pytest.param(slice_of(10, 20, lines=[LineSwap(DAY, "o1:1", None, "z")]), Reply.CONFLICT, id="a line there is"),
    pytest.param(slice_of(10, 20, lines=[LineSwap(DAY, "o1:1", "q", "z")]), Reply.CONFLICT, id="another line state"),
    pytest.param(slice_of(10, 20, lines=[LineSwap(DAY, "o2:1", "q", "z")]), Reply.CONFLICT, id="a line there is not"),
    pytest.param(
        slice_of(10, 20, lines=[LineSwap(DAY, "o1:1", "placed", "z"), LineSwap(DAY, "o2:1", "q", "z")]),
        Reply.CONFLICT,
        id="one line of two",
    ),
    pytest.param(slice_of(10, 20, join=0), Reply.CONFLICT, id="an older version of the join"),
    pytest.param(slice_of(10, 20, join=2), Reply.CONFLICT, id="a version of the join that never was"),
]


@pytest.mark.parametrize(("write", "reply"), REFUSED)
async def test_a_refusal_changes_nothing(store: Store, contents: Contents, write: BatchWrite, reply: Reply) -> None:
    """Whatever the reason, the store is byte for byte what it was, and tells where it stands."""
    await store.claim(CLICKS)
    await store.apply(slice_of(0, 10, lines=[LineSwap(DAY, "o1:1", None, "placed")], join=0))
    before = await contents()
    more = replace(
        write,
        vectors={REGION: {"o:440000": [1]}},
        visits={DAY: {"u1": "seen"}},
        facts=[Fact("campaigns", "c1", "{}")],
        tallies={"late:clicks": 1},
        evidence={NOON: {"440000": (1, 0)}},
    )

    assert Applied(reply, 10) == await store.apply(more)
    assert before == await contents()


async def test_nobody_may_write_without_a_claim(store: Store, contents: Contents) -> None:
    """A store that lost its data refuses the owners of before, so that they start over."""
    before = await contents()

    assert Applied(Reply.FENCED, None) == await store.apply(slice_of(0, 10))
    assert before == await contents()


async def test_a_hole_is_crossed_only_on_demand(store: Store) -> None:
    """With `allow_gap` the offsets between are given up."""
    await store.claim(CLICKS)
    await store.apply(slice_of(0, 10))

    assert Applied(Reply.APPLIED, 40) == await store.apply(slice_of(30, 40, allow_gap=True))
    assert 2 == await clicks(store)


async def test_a_store_that_forgot_a_partition_says_so(store: Store) -> None:
    """A copy made between claim and first slice holds no offset: a writer that wrote already is told of a hole."""
    await store.claim(CLICKS)

    assert Applied(Reply.GAP, None) == await store.apply(slice_of(30, 40, begun=True))
    assert Applied(Reply.GAP, None) == await store.apply(slice_of(30, 40, begun=True, allow_gap=True))
    assert Applied(Reply.APPLIED, 40) == await store.apply(slice_of(30, 40))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"first": 5, "next_offset": 4}, "not a slice"),
        ({"first": -1}, "not a slice"),
        ({"next_offset": 1 << 53}, "not a slice"),
        ({"now": EpochMs(1 << 53)}, "now"),
        ({"deltas": {REGION: {"visits:440000": 1}}}, "visits:440000"),
        ({"join": 1 << 53}, "join"),
        ({"deltas": {REGION: {"clicks": 1}}}, "clicks"),
        ({"deltas": {REGION: {"gifts:440000": 1}}}, "gifts:440000"),
        ({"vectors": {REGION: {"z:440000": [1]}}}, "z:440000"),
        ({"vectors": {REGION: {"o": [1]}}}, "'o'"),
        ({"vectors": {REGION: {"o:440000": [1] * 15}}}, "15 amounts"),
    ],
    ids=[
        "backwards",
        "negative",
        "too far",
        "too late",
        "no counter",
        "no version",
        "no member",
        "a counter of a group",
        "no group",
        "no member of a group",
        "more than the group has",
    ],
)
async def test_nonsense_is_a_fault_of_the_caller(
    store: Store, contents: Contents, change: dict[str, object], match: str
) -> None:
    """A write that cannot be meant raises before anything is written."""
    await store.claim(CLICKS)
    before = await contents()

    with pytest.raises(ValueError, match=match):
        await store.apply(replace(slice_of(0, 1), **change))  # type: ignore[arg-type]
    assert before == await contents()


async def test_many_writers_end_in_an_exact_total(store: Store) -> None:
    """Two copies of each owner repeat every slice while a fenced owner tries too: each slice counts once."""
    partitions = [TopicPartition("ads.clicks.v1", number) for number in range(5)]
    for tp in partitions:
        await store.claim(tp)
        await store.claim(tp)

    async def push(tp: TopicPartition, at: int) -> Reply:
        while True:
            reply = (await store.apply(slice_of(at, at + 1, tp, epoch=2))).reply
            if reply is not Reply.GAP:  # another task still has to apply the slice before
                return reply
            await asyncio.sleep(0)

    async def zombie(tp: TopicPartition, at: int) -> Reply:
        return (await store.apply(slice_of(at, at + 1, tp, epoch=1))).reply

    first = [store.apply(slice_of(0, 1, tp, epoch=2)) for tp in partitions]
    assert {Reply.APPLIED} == {applied.reply for applied in await asyncio.gather(*first)}
    places = [(tp, at) for at in range(1, 11) for tp in partitions]
    pushed = asyncio.gather(*[push(*place) for place in places * 2])
    refused = asyncio.gather(*[zombie(*place) for place in places])

    assert 50 == (await pushed).count(Reply.APPLIED)
    assert 50 == (await pushed).count(Reply.DUPLICATE)
    assert {Reply.FENCED} == set(await refused)
    assert 55 == await clicks(store)
