"""How often the decide line runs changes nothing of what it decides: time alone is met at its own second."""

import json

import pytest

from cases.ingesting import CLICKS, NOW, ORDERS, World, click, order, part
from cases.watching import GUANGDONG, START, said
from models.units import MINUTE_MS, SECOND_MS
from streams.ports import TopicPartition
from streams.settings import load
from streams.store.memory_store import MemoryStore

ANNOUNCEMENTS = TopicPartition("subsidy.announcements.v1", 0)
HEARD_WITH_AN_ORDER = 10 * MINUTE_MS
AFTER_OPENING = 90 * MINUTE_MS


@pytest.mark.parametrize("after_each", [False, True], ids=["once over all", "after each record"])
async def test_daily_hours_open_on_time_however_the_line_runs(after_each: bool) -> None:
    """Hours that were heard in a second with an order, and changed nothing then, still open at their minute."""
    world = World(load(), MemoryStore(load().zone))
    await world.claim()
    await world.pipeline.claim(ANNOUNCEMENTS)
    words = [said("off"), said("quota_hours", HEARD_WITH_AN_ORDER, daily_hours="08:30-22:00")]
    await world.pipeline.ingest(part(ANNOUNCEMENTS, 0, [word.model_dump_json().encode() for word in words]))
    times = [START + after for after in (0, HEARD_WITH_AN_ORDER - SECOND_MS, AFTER_OPENING)]

    for offset, at in enumerate(times):
        record = order(offset, at=at, placed_at=at, order_id=f"o{offset}", subsidy_micros=0)
        await world.pipeline.ingest(part(CLICKS, offset, [click(offset, at=at)], timestamp=at))
        await world.pipeline.ingest(part(ORDERS, offset, [record], timestamp=at))
        if after_each or at == times[-1]:
            await world.pipeline.decide(NOW)

    made = [json.loads(body) for body in await world.store.read_log("transitions", 10)][::-1]
    assert [(GUANGDONG, "OFF", START), (GUANGDONG, "ON", START + 30 * MINUTE_MS)] == [
        (change["region"], change["to"], change["decided_at"]) for change in made
    ]
