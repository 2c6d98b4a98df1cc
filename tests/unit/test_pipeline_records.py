"""What the ingest line makes of the records themselves: dead letters, order lines, kept facts."""

import json

import pytest

from cases.ingesting import AT, CLICKS, ORDERS, World, click, order, part
from models.errors import ServiceUnavailable
from models.totals import Totals
from models.units import DAY_MS
from streams.ports import Applied, BatchWrite, LineSwap, Reply, TopicPartition
from streams.settings import load
from streams.store.memory_store import MemoryStore


@pytest.fixture
async def world() -> World:
    """A world with nothing counted yet."""
    made = World(load(), MemoryStore(load().zone))
    await made.claim()
    return made


async def test_bad_records_are_buried_with_their_bytes(world: World) -> None:
    """What is wrong goes to the dead letters with reason, position and bytes; the rest counts."""
    values = [click(0), b"\xff garbage", click(2), click(3, region="mars"), None, click(5, spend_micros=-1)]
    await world.pipeline.ingest(part(CLICKS, 100, values))

    assert (await world.totals()).clicks == 2
    assert [
        (101, "not_json", values[1]),
        (103, "unknown_region", values[3]),
        (104, "empty", None),
        (105, "out_of_range", values[5]),
    ] == [(letter.offset, letter.reason, letter.value) for letter in world.sink.buried]


async def test_future_event_is_buried_and_moves_no_watermark(world: World) -> None:
    """An event past the broker's time by more than the bound is refused; the head stays."""
    await world.pipeline.ingest(part(CLICKS, 0, [click(0), click(1, at=AT + 10**9)]))

    assert ["future"] == [letter.reason for letter in world.sink.buried]
    assert (await world.store.progress())[CLICKS].head == AT


class Forgetful(MemoryStore):
    """Applies, and then loses the answer on the way, once."""

    lost = False

    async def apply(self, write: BatchWrite) -> Applied:
        """Apply; the first answer never arrives."""
        answer = await super().apply(write)
        if not self.lost:
            self.lost = True
            raise ServiceUnavailable("the answer did not arrive")
        return answer


async def test_lost_answer_counts_once_and_buries_once() -> None:
    """When the store applied but could not say so, the repeated slice is known and not buried again."""
    world = World(load(), Forgetful(load().zone))
    await world.claim()
    bad = part(CLICKS, 0, [click(0), b"garbage"])

    with pytest.raises(ServiceUnavailable):
        await world.pipeline.ingest(bad)
    await world.pipeline.ingest(bad)
    await world.pipeline.ingest(part(CLICKS, 2, [click(2)]))

    assert (await world.totals()).clicks == 2
    assert len(world.sink.buried) == 1


async def test_slice_cut_after_a_lost_answer_is_held_against_what_came_before() -> None:
    """Records behind those whose answer was lost meet the same head as if the answer had arrived."""
    world = World(load(), Forgetful(load().zone))
    await world.claim()
    values = [click(0), click(1, at=AT - 45 * DAY_MS)]

    with pytest.raises(ServiceUnavailable):
        await world.pipeline.ingest(part(CLICKS, 0, values[:1]))
    await world.pipeline.ingest(part(CLICKS, 0, values))

    assert 1 == (await world.store.tallies())["accepted:clicks"]
    assert [(1, "too_old")] == [(letter.offset, letter.reason) for letter in world.sink.buried]


class Contended(MemoryStore):
    """Another worker pays for the line between our reading it and our writing it, once."""

    rival: LineSwap | None = None

    async def apply(self, write: BatchWrite) -> Applied:
        """Refuse the first swap of lines as a conflict."""
        if write.lines and self.rival is None:
            self.rival = write.lines[0]
            return Applied(Reply.CONFLICT, None)
        return await super().apply(write)


async def test_order_line_changed_meanwhile_is_read_again() -> None:
    """A conflict on an order line is solved by reading it again, and the order counts once."""
    world = World(load(), Contended(load().zone))
    await world.claim()

    await world.pipeline.ingest(part(ORDERS, 0, [order(0)]))

    assert (await world.totals()).orders_placed == 1


async def test_order_statuses_count_once_each(world: World) -> None:
    """A second placed record of a line at a new offset is a duplicate; paid and refunded are not."""
    values = [
        order(0),
        order(1),
        order(2, "paid", paid_micros=900_000),
        order(3, "refunded", refund_micros=900_000),
        order(3, "refunded", refund_micros=900_000),
    ]
    await world.pipeline.ingest(part(ORDERS, 0, values))

    totals = await world.totals()
    assert Totals(
        orders_placed=1,
        orders_paid=1,
        orders_refunded=1,
        orders_fully_refunded=1,
        gmv_placed_micros=1_000_000,
        gmv_paid_micros=900_000,
        gmv_refunded_micros=900_000,
        flow_refunds=1,
        flow_refunded_micros=900_000,
    ) == Totals(**{name: value for name, value in totals.nonzero().items() if name not in ("eligible_orders",)})


async def test_campaign_is_kept_whole(world: World) -> None:
    """A record of a kept topic is a fact; a later one of the same campaign replaces it."""
    tp = TopicPartition("ads.campaigns.v1", 0)
    await world.pipeline.claim(tp)
    base = {
        "campaign_id": "c1",
        "event_id": "k1",
        "at": AT,
        "region": "unknown",
        "name": "n",
        "plan_type": "subsidy",
        "channel": "search",
        "daily_budget_micros": 5,
        "regions": None,
        "region_addressable": True,
        "skus": [],
        "category": "phone",
        "version": 1,
    }

    await world.pipeline.ingest(part(tp, 0, [json.dumps(base | {"version": v}).encode() for v in (1, 2)] + [b"{"]))

    facts = await world.store.facts("campaigns")
    assert [2] == [json.loads(body)["version"] for body in facts.values()]
    assert [b"{"] == [letter.value for letter in world.sink.buried]
