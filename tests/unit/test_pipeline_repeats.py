"""Copies by the producer: counted once within the window, whatever happens between."""

import json
from collections.abc import Mapping

import pytest

from cases.ingesting import CLICKS, NOW, ORDERS, World, click, order, part
from models.errors import Fenced, OffsetGap, ServiceUnavailable
from models.units import MINUTE_MS, EpochMs
from streams.pipeline import Pipeline
from streams.ports import Applied, BatchWrite, RecordSlice, Reply, TopicPartition
from streams.settings import IngestSettings, Settings, load
from streams.sinks.list_sink import ListSink
from streams.store.memory_store import MemoryStore

IMPRESSIONS = TopicPartition("ads.impressions.v1", 0)
LOG = [click(number % 7 if number % 3 else number) for number in range(60)]
"""Ids come again at every distance up to the whole log."""


def settings(window: int = 10) -> Settings:
    """Settings with a window of so many records."""
    return load().model_copy(update={"ingest": IngestSettings(duplicate_window=window)})


def directly(window: int) -> int:
    """Repeats in the log, by looking at every pair."""
    ids = [json.loads(value)["event_id"] for value in LOG]
    return sum(name in ids[max(0, number - window) : number] for number, name in enumerate(ids))


async def tallies(world: World) -> Mapping[str, int]:
    """What was counted, by name."""
    return await world.store.tallies()


async def claimed(store: MemoryStore, window: int = 10) -> World:
    """A new worker on a store, which has claimed its partitions."""
    world = World(settings(window), store)
    await world.claim()
    return world


async def read_on(world: World, first: int, stop: int, size: int = 4) -> None:
    """Feed the log of clicks to a worker in slices."""
    for start in range(first, stop, size):
        await world.pipeline.ingest(part(CLICKS, start, LOG[start : min(start + size, stop)]))


@pytest.mark.parametrize("size", [1, 4, 60])
async def test_a_copy_counts_nowhere_but_as_a_duplicate(size: int) -> None:
    """However the log is cut, the same copies are found, and they add nothing."""
    world = await claimed(MemoryStore(load().zone))
    await read_on(world, 0, 60, size)
    repeats = directly(10)

    assert repeats == (await tallies(world))["duplicates:clicks"]
    assert (60 - repeats, 10 * (60 - repeats)) == ((await world.totals()).clicks, (await world.totals()).spend_micros)


@pytest.mark.parametrize("stop", [1, 9, 10, 11, 33])
async def test_a_restart_finds_the_same_copies(stop: int) -> None:
    """A new worker reads the window before the fence for its ids, in slices that know nothing of the fence."""
    store = MemoryStore(load().zone)
    await read_on(await claimed(store), 0, stop)
    world = await claimed(store)
    lead = world.pipeline.lead(CLICKS)
    await read_on(world, max(0, stop - lead), 60)

    assert 10 == lead
    assert directly(10) == (await tallies(world))["duplicates:clicks"]
    assert 60 - directly(10) == (await world.totals()).clicks


async def test_a_partition_that_comes_back_is_not_read_again() -> None:
    """A rebalance that ends where it began costs nothing; one that waits for long does."""
    now = [NOW]
    store = MemoryStore(load().zone)
    pipeline = Pipeline(store, ListSink(), settings(), lambda: now[0])
    await pipeline.claim(CLICKS)
    await pipeline.ingest(part(CLICKS, 0, LOG[:20]))
    pipeline.revoke(CLICKS)
    await pipeline.claim(CLICKS)
    soon = pipeline.lead(CLICKS)
    await pipeline.ingest(part(CLICKS, 20, LOG[20:40]))
    pipeline.revoke(CLICKS)
    now[0] = EpochMs(NOW + 2 * MINUTE_MS)
    await pipeline.claim(IMPRESSIONS)
    await pipeline.ingest(part(IMPRESSIONS, 0, [click(1)]))
    await pipeline.claim(CLICKS)
    late = pipeline.lead(CLICKS)
    await pipeline.ingest(part(CLICKS, 40 - late, LOG[40 - late :]))

    assert (0, 10) == (soon, late)
    assert directly(10) == (await store.tallies())["duplicates:clicks"]


async def test_what_has_no_window_has_no_lead() -> None:
    """Orders know their own copies; a partition never claimed or never applied needs nothing; nor does window 0."""
    store = MemoryStore(load().zone)
    world = await claimed(store)
    fresh = world.pipeline.lead(CLICKS)
    await world.pipeline.ingest(part(CLICKS, 0, [click(1), click(1)]))
    await world.pipeline.ingest(part(ORDERS, 0, [order(1)]))
    again, off = await claimed(store), await claimed(store, 0)
    await off.pipeline.ingest(part(CLICKS, 2, [click(1), click(1)]))

    assert (0, 10, 0) == (fresh, again.pipeline.lead(CLICKS), again.pipeline.lead(ORDERS))
    assert (0, 0) == (again.pipeline.lead(IMPRESSIONS), off.pipeline.lead(CLICKS))
    assert 3 == (await off.totals()).clicks


class Flaky(MemoryStore):
    """Is away for the next calls, as told."""

    away = 0

    async def apply(self, write: BatchWrite) -> Applied:
        """Apply, unless away."""
        if self.away:
            self.away -= 1
            raise ServiceUnavailable("away")
        return await super().apply(write)


async def test_a_slice_that_is_tried_again_is_no_copy_of_itself() -> None:
    """Ids were noted at the first attempt; the second finds the same copies, and not its own records."""
    store = Flaky(load().zone)
    world = await claimed(store)
    store.away = 2
    slices: list[RecordSlice] = [part(CLICKS, 0, LOG[:30]), part(CLICKS, 30, LOG[30:])]
    for one in slices:
        for _ in range(3):
            try:
                await world.pipeline.ingest(one)
            except ServiceUnavailable:
                continue
    assert directly(10) == (await tallies(world))["duplicates:clicks"]
    assert 60 - directly(10) == (await world.totals()).clicks


async def test_bad_records_are_no_part_of_the_window() -> None:
    """A record that cannot be read has no id; its offset counts, and so do the holes of a compacted log."""
    world = await claimed(MemoryStore(load().zone), 3)
    await world.pipeline.ingest(part(CLICKS, 0, [click(1), b"{", click(1), None, b"{", click(1), b"{"]))
    holes = part(CLICKS, 7, [click(1), click(1)], offsets=[9, 12], next_offset=13)
    await world.pipeline.ingest(holes)

    assert 2 + 1 == (await tallies(world))["duplicates:clicks"]
    assert 4 == len(world.sink.buried)


class Gapped(MemoryStore):
    """Has gone back behind our back."""

    async def apply(self, write: BatchWrite) -> Applied:
        """Refuse what does not continue."""
        return Applied(Reply.GAP, 3) if write.first == 40 else await super().apply(write)


async def test_a_store_that_went_back_is_claimed_anew() -> None:
    """Nothing is taken in until then, because the window ends elsewhere."""
    world = await claimed(Gapped(load().zone))
    await read_on(world, 0, 40)
    with pytest.raises(OffsetGap):
        await world.pipeline.ingest(part(CLICKS, 40, LOG[40:]))
    with pytest.raises(Fenced):
        await world.pipeline.ingest(part(CLICKS, 40, LOG[40:]))
    await world.pipeline.claim(CLICKS)

    assert 10 == world.pipeline.lead(CLICKS)
