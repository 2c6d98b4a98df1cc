"""The event stream of one view: snapshot, deltas, resume, trouble, end."""

import json
from collections.abc import AsyncIterator

from models.totals import Totals
from models.units import EpochMs
from models.windows import Scope
from streams.readmeta import Meta
from streams.readmodel import build
from streams.readstatus import Decided
from streams.web.answering import meta_answer, table_answer
from streams.web.channels import RING, Channel, Event, State, View
from streams.web.feed_items import FeedItem
from streams.web.reader import status_list

VIEW = View(Scope.REGION, "today")


def state(clicks: dict[str, int], *decisions: str) -> State:
    """Give a state with these clicks by region and these decisions."""
    meta = Meta(
        now=EpochMs(5),
        head=EpochMs(4),
        watermark=EpochMs(3),
        last_write=EpochMs(4),
        records=1,
        tallies={},
        mode="dry_run",
        killed=False,
        category="phone",
        config_hash="c0",
    )
    decided = Decided(position=None, statuses={})
    table = build({k: Totals(clicks=v) for k, v in clicks.items()}, Scope.REGION, "today", None, None, {})
    items = [
        FeedItem(id=key, at=1, region=None, text_en=key, text_zh=key, config_hash=None, shifts=[], held=[])
        for key in decisions
    ]
    return State(
        meta_answer(meta, decided, "Asia/Shanghai", None, []), table_answer(table), status_list("phone", decided), items
    )


async def take(stream: AsyncIterator[Event], count: int) -> list[Event]:
    """Give the next events of a stream."""
    return [await anext(stream) for _ in range(count)]


async def test_a_client_gets_a_snapshot_and_then_only_what_changed() -> None:
    """A delta names changed rows and rows that are gone; a new decision is an event of its own."""
    channel = Channel("boot", VIEW)
    channel.publish(state({"440000": 1, "320000": 1, "110000": 1}))
    stream = channel.stream(None)
    first = await anext(stream)
    channel.publish(state({"440000": 2, "320000": 1}, "tr-1"))

    delta, decision = await take(stream, 2)

    assert ("snapshot", "boot.region.today.1") == (first.event, first.id)
    assert ["440000"] == [row["member"] for row in json.loads(delta.data)["rows"]]
    assert ["110000"] == json.loads(delta.data)["gone"]
    assert ("decision", ["tr-1"]) == (decision.event, [item["id"] for item in json.loads(decision.data)["items"]])


async def test_a_client_that_comes_back_resumes_where_it_was() -> None:
    """The id of the last event seen is enough; nothing is repeated."""
    channel = Channel("boot", VIEW)
    channel.publish(state({"440000": 1}))
    seen = await anext(channel.stream(None))
    channel.publish(state({"440000": 2}))
    channel.publish(state({"440000": 3}))

    found = await take(channel.stream(seen.id), 2)

    assert ["boot.region.today.2", "boot.region.today.3"] == [event.id for event in found]


async def test_ids_of_another_process_or_too_old_give_a_snapshot() -> None:
    """A restart of the server, and an absence longer than the ring, start anew."""
    channel = Channel("boot", VIEW)
    for clicks in range(RING + 3):
        channel.publish(state({"440000": clicks}))

    foreign = ("other.region.today.5", "boot.region.today.1", "x.-1", "boot.region.today." + "9" * 5_000)
    events = [await anext(channel.stream(seen)) for seen in foreign]

    assert ["snapshot"] * 4 == [event.event for event in events]


async def test_trouble_is_told_once_and_ends_with_a_snapshot() -> None:
    """While the store is away the client knows why; afterwards it gets everything again."""
    channel = Channel("boot", VIEW)
    channel.publish(state({"440000": 1}))
    stream = channel.stream(None)
    await anext(stream)
    channel.fail("Redis is away")
    trouble = await anext(stream)
    channel.fail("Redis is away")
    channel.publish(state({"440000": 1}))

    assert ("trouble", {"detail": "Redis is away"}) == (trouble.event, json.loads(trouble.data))
    assert "snapshot" == (await anext(stream)).event


async def test_a_closed_channel_ends_its_streams() -> None:
    """The server can stop although the stream has no end of its own."""
    channel = Channel("boot", VIEW)
    channel.publish(state({}))
    stream = channel.stream(None)
    await anext(stream)
    channel.close()

    assert [] == [event async for event in stream]
