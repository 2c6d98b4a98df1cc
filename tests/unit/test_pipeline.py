"""The ingest line over the store in memory: each record counts once, whatever is replayed, refused or lost."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from models.errors import Fenced, OffsetGap, ServiceUnavailable
from models.totals import Totals
from models.units import EpochMs
from models.windows import Scope, cover, span_of
from streams.pipeline import Pipeline
from streams.ports import Applied, BatchWrite, LineSwap, RecordSlice, Reply, TopicPartition
from streams.settings import Settings, load
from streams.sinks.list_sink import ListSink
from streams.store.memory_store import MemoryStore

NOW = EpochMs(1_750_000_100_000)
AT = 1_750_000_000_000
CLICKS = TopicPartition("ads.clicks.v1", 0)
ORDERS = TopicPartition("shop.orders.v1", 0)


def click(number: int, **fields: object) -> bytes:
    """A valid click in Guangdong that cost 10 micros, or what `fields` make of it."""
    body = {
        "event_id": f"e{number}",
        "at": AT + number,
        "region": "440000",
        "campaign_id": "c1",
        "user_id": "u1",
        "spend_micros": 10,
    }
    return json.dumps(body | fields).encode()


def order(number: int, status: str = "placed", **fields: object) -> bytes:
    """A record of order line `o1/1`, or of another that `fields` name."""
    body = {
        "event_id": f"o{number}",
        "at": AT + number,
        "placed_at": AT,
        "region": "440000",
        "order_id": "o1",
        "line": 1,
        "status": status,
        "quantity": 1,
        "amount_micros": 1_000_000,
        "gift": False,
    }
    return json.dumps(body | fields).encode()


def part(tp: TopicPartition, first: int, values: Sequence[bytes | None], **fields: Any) -> RecordSlice:
    """A contiguous slice."""
    base = RecordSlice(tp, first, first + len(values), AT + 60_000, 1, values, None)
    return base._replace(**fields)


class World:
    """A pipeline that owns one partition of clicks and one of orders."""

    def __init__(self, settings: Settings, store: MemoryStore) -> None:
        self.store = store
        self.sink = ListSink()
        self.pipeline = Pipeline(store, self.sink, settings, lambda: NOW)

    async def claim(self) -> None:
        """Own both partitions."""
        for tp in (CLICKS, ORDERS):
            await self.pipeline.claim(tp)

    async def totals(self) -> Totals:
        """Totals of Guangdong over everything kept."""
        zone = load().zone
        buckets = cover(span_of("all", EpochMs(AT), zone), Scope.REGION, EpochMs(AT), zone)
        return (await self.store.totals(Scope.REGION, buckets)).get("440000", Totals())

    async def next_offset(self, tp: TopicPartition) -> int:
        """Where the store stands."""
        return (await self.store.progress())[tp].next_offset


@pytest.fixture
async def world() -> World:
    """A world with nothing counted yet."""
    made = World(load(), MemoryStore(load().zone))
    await made.claim()
    return made


async def test_replayed_prefix_is_cut(world: World) -> None:
    """A slice that overlaps what is applied adds only its new records."""
    await world.pipeline.ingest(part(CLICKS, 0, [click(0), click(1), click(2)]))
    await world.pipeline.ingest(part(CLICKS, 1, [click(1), click(2), click(3)]))

    assert Totals(clicks=4, spend_micros=40) == await world.totals()
    assert await world.next_offset(CLICKS) == 4


async def test_slice_read_twice_counts_once(world: World) -> None:
    """The same slice again changes nothing."""
    for _ in range(3):
        await world.pipeline.ingest(part(CLICKS, 0, [click(0), click(1)]))

    assert (await world.totals()).clicks == 2


async def test_slice_with_holes_is_cut_by_its_offsets(world: World) -> None:
    """Compaction leaves holes: what is left is cut by offset, not by position."""
    holes = part(CLICKS, 0, [click(0), click(4), click(9)], next_offset=10, offsets=[0, 4, 9])
    await world.pipeline.ingest(part(CLICKS, 0, [click(0), click(4)], next_offset=5, offsets=[0, 4]))
    await world.pipeline.ingest(holes)

    assert (await world.totals()).clicks == 3
    assert await world.next_offset(CLICKS) == 10


async def test_old_owner_is_refused(world: World) -> None:
    """Once another worker has claimed the partition, the first one's slice changes nothing."""
    other = World(load(), world.store)
    await other.claim()

    with pytest.raises(Fenced):
        await world.pipeline.ingest(part(CLICKS, 0, [click(0)]))
    await other.pipeline.ingest(part(CLICKS, 0, [click(0)]))

    assert (await world.totals()).clicks == 1


async def test_partition_never_claimed_is_refused(world: World) -> None:
    """A slice of a partition that was revoked meanwhile is not ours."""
    world.pipeline.revoke(CLICKS)

    with pytest.raises(Fenced):
        await world.pipeline.ingest(part(CLICKS, 0, [click(0)]))


async def test_hole_before_a_slice_is_an_error(world: World) -> None:
    """Records that were never seen are not passed over in silence."""
    await world.pipeline.ingest(part(CLICKS, 0, [click(0)]))

    with pytest.raises(OffsetGap):
        await world.pipeline.ingest(part(CLICKS, 5, [click(5)]))

    assert await world.next_offset(CLICKS) == 1


async def test_records_the_log_has_lost_are_counted(world: World) -> None:
    """Where the log itself begins later, the loss is counted to the offset and work goes on."""
    await world.pipeline.ingest(part(CLICKS, 0, [click(0)]))
    world.pipeline.note_lost(CLICKS, 5)

    await world.pipeline.ingest(part(CLICKS, 5, [click(5)]))

    assert (await world.store.tallies())["lost:ads.clicks.v1"] == 4
    assert (await world.totals()).clicks == 2


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
