"""Records that the log dropped: every window that may miss some of them says how many."""

import pytest

from cases.ingesting import AT, CLICKS, World, click, part
from models.units import EpochMs
from models.windows import Scope, Span
from streams.losses import lost_in
from streams.readmodel import table
from streams.settings import load
from streams.store.memory_store import MemoryStore


@pytest.mark.parametrize(
    ("start", "end", "lost"),
    [
        pytest.param(0, 10, 0, id="before"),
        pytest.param(0, 11, 4, id="up to the newest before the hole"),
        pytest.param(12, 13, 4, id="within"),
        pytest.param(15, 90, 4, id="from the newest behind the hole"),
        pytest.param(16, 90, 0, id="after"),
    ],
)
async def test_spans_around_a_hole(start: int, end: int, lost: int) -> None:
    """Four records are gone between the events at 10 and at 15."""
    world = World(load(), MemoryStore(load().zone))
    await world.claim()
    await world.pipeline.ingest(part(CLICKS, 0, [click(10)]))
    world.pipeline.note_lost(CLICKS, 5)
    await world.pipeline.ingest(part(CLICKS, 5, [click(15)]))

    assert lost == await lost_in(world.store, Span(EpochMs(AT + start), EpochMs(AT + end)))


async def test_the_table_says_that_it_is_incomplete() -> None:
    """A window over the hole names the loss; without a hole it names none."""
    world = World(load(), MemoryStore(load().zone))
    await world.claim()
    await world.pipeline.ingest(part(CLICKS, 0, [click(10)]))
    whole = await table(world.store, load().zone, Scope.REGION, "1h")
    world.pipeline.note_lost(CLICKS, 5)
    await world.pipeline.ingest(part(CLICKS, 5, [click(15)]))
    holed = await table(world.store, load().zone, Scope.REGION, "1h")

    assert (0, 4) == (whole.lost, holed.lost)
