"""The ingest line over the store in memory: each record counts once, whatever is replayed, refused or lost."""

import pytest

from cases.ingesting import CLICKS, World, click, part
from models.errors import Fenced, OffsetGap
from models.totals import Totals
from streams.settings import load
from streams.store.memory_store import MemoryStore


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
