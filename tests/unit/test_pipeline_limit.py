"""The bound on dead letters: the slice that would pass it is not written at all, and nothing is lost by waiting."""

import asyncio
from collections.abc import Sequence

import pytest

from cases.ingesting import CLICKS, NOW, ORDERS, World, click, part
from models.errors import DeadLetterLimit
from streams.burying import DEAD_LETTERS
from streams.pipeline import Pipeline
from streams.ports import DeadLetter, TopicPartition
from streams.settings import IngestSettings, load
from streams.sinks.list_sink import ListSink
from streams.store.memory_store import MemoryStore

GOOD_AND_BAD = [click(0), b"1", click(2), b"2"]


async def limited(store: MemoryStore, limit: int = 3) -> World:
    """A new worker that stops above so many dead letters."""
    world = World(load().model_copy(update={"ingest": IngestSettings(dead_letter_limit=limit)}), store)
    await world.claim()
    return world


async def test_the_slice_that_passes_the_limit_is_not_written() -> None:
    """Up to the limit all is buried; over it nothing of the slice is, and the sentence says how to go on."""
    world = await limited(MemoryStore(load().zone))
    await world.pipeline.ingest(part(CLICKS, 0, GOOD_AND_BAD))
    with pytest.raises(DeadLetterLimit, match=r"would be 4, more than the limit of 3 .*subsidywatch dlq limit N"):
        await world.pipeline.ingest(part(CLICKS, 4, [click(4), b"5", b"6"]))

    assert (2, 2) == (len(world.sink.buried), (await world.totals()).clicks)
    assert 4 == await world.next_offset(CLICKS)


async def test_a_limit_raised_live_lets_the_next_worker_go_on() -> None:
    """Refused records are counted over all partitions and restarts; a new limit needs no new settings."""
    store = MemoryStore(load().zone)
    await (await limited(store)).pipeline.ingest(part(CLICKS, 0, GOOD_AND_BAD))
    stopped = await limited(store)
    with pytest.raises(DeadLetterLimit):
        await stopped.pipeline.ingest(part(ORDERS, 0, [b"1", b"2"]))
    await store.set_limit(DEAD_LETTERS, 4, "operator")
    raised = await limited(store)
    await raised.pipeline.ingest(part(ORDERS, 0, [b"1", b"2"]))
    with pytest.raises(DeadLetterLimit, match=r"more than the limit of 4 \(set live by operator\)"):
        await raised.pipeline.ingest(part(CLICKS, 4, [b"5"]))

    assert (0, 2) == (len(stopped.sink.buried), len(raised.sink.buried))


class SlowSink(ListSink):
    """Lets others go on before it takes a letter."""

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Take them later."""
        await asyncio.sleep(0)
        await super().bury(letters)


async def test_slices_in_hand_do_not_pass_the_limit_together() -> None:
    """Of two partitions that bring three bad records each at a limit of four, one is stopped."""
    settings = load().model_copy(update={"ingest": IngestSettings(dead_letter_limit=4)})
    sink = SlowSink()
    pipeline = Pipeline(MemoryStore(settings.zone), sink, settings, lambda: NOW)
    tps = [TopicPartition(CLICKS.topic, number) for number in (0, 1)]
    for tp in tps:
        await pipeline.claim(tp)

    slices = (part(tp, 0, [b"1", b"2", b"3"]) for tp in tps)
    outcomes = await asyncio.gather(*map(pipeline.ingest, slices), return_exceptions=True)

    assert [type(None), DeadLetterLimit] == [type(outcome) for outcome in outcomes]
    assert 3 == len(sink.buried)


@pytest.mark.parametrize("live", [None, 0], ids=["settings", "live"])
async def test_zero_is_no_limit(live: int | None) -> None:
    """As it comes, dead letters stop nobody; and a limit can be lifted live."""
    store = MemoryStore(load().zone)
    if live is not None:
        await store.set_limit(DEAD_LETTERS, live, "operator")
    world = await limited(store, 0 if live is None else 1)
    await world.pipeline.ingest(part(CLICKS, 0, GOOD_AND_BAD * 50))

    assert 100 == len(world.sink.buried)
