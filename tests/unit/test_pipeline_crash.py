"""Records that crash our own code: each is a dead letter, all others count, and no fault of the store is theirs."""

from collections.abc import Sequence

import pytest

from cases.ingesting import CLICKS, NOW, World, click, part
from models.errors import StoreFault
from models.recent import Recent
from models.totals import Totals
from models.units import EpochMs
from models.visits import UsersOfDays
from streams.folding import Change, Folding
from streams.ports import Joined, RecordSlice, TopicPartition
from streams.settings import load
from streams.store.memory_store import MemoryStore

POISON = b"POISON"


class Crashing(Folding):
    """Has a mistake that poisoned records bring to light; counts what it was given."""

    folded = 0

    async def fold(self, part: RecordSlice, head: EpochMs | None, window: Recent | None) -> Change:
        """Crash when it meets one."""
        self.folded += len(part.values)
        if POISON in part.values:
            raise ZeroDivisionError("a planted mistake")
        return await super().fold(part, head, window)

    def _note(self, window: Recent, part: RecordSlice) -> None:
        if POISON in part.values:
            raise ZeroDivisionError("a planted mistake")
        super()._note(window, part)


class BrokenStore(MemoryStore):
    """Fails in a way that nobody foresaw."""

    async def join(self, tp: TopicPartition, lines: Sequence[tuple[EpochMs, str]], visits: UsersOfDays) -> Joined:
        """Fail."""
        raise KeyError("a mistake in the store")


def crashing_world() -> tuple[World, Crashing]:
    """A world whose pipeline folds with a mistake."""
    settings = load()
    world = World(settings, MemoryStore(settings.zone))
    folding = Crashing(world.store, settings, lambda: NOW)
    world.pipeline._folding = folding
    return world, folding


async def test_poison_is_one_dead_letter_each() -> None:
    """Two poisoned records among a thousand: two letters, all others counted; `CrashingRecord` stays inside."""
    world, folding = crashing_world()
    await world.claim()
    values = [POISON if number in (300, 999) else click(number) for number in range(1_000)]

    await world.pipeline.ingest(part(CLICKS, 0, values))

    assert Totals(clicks=998, spend_micros=9_980) == await world.totals()
    assert [(300, "crashed"), (999, "crashed")] == [(letter.offset, letter.reason) for letter in world.sink.buried]
    assert {"rejected:clicks:crashed": 2}.items() <= (await world.store.tallies()).items()
    assert await world.next_offset(CLICKS) == 1_000
    assert folding.folded < 6_000


async def test_a_fault_of_the_store_refuses_nobody() -> None:
    """What the store raises unexpectedly goes on to whoever ends the process; no record is refused for it."""
    settings = load()
    world = World(settings, BrokenStore(settings.zone))
    await world.claim()

    with pytest.raises(StoreFault, match="a mistake in the store"):
        await world.pipeline.ingest(part(CLICKS, 0, [click(0)]))

    assert [] == world.sink.buried


async def test_poison_before_the_fence_does_not_stop_a_new_owner() -> None:
    """A new worker reads records before the fence for their ids: one that crashes the decoder has none."""
    old, _ = crashing_world()
    await old.claim()
    values = [click(0), POISON, click(2)]
    await old.pipeline.ingest(part(CLICKS, 0, values))
    new = World(load(), old.store)
    new.pipeline._folding = Crashing(new.store, load(), lambda: NOW)
    await new.claim()

    await new.pipeline.ingest(part(CLICKS, 0, [*values, click(0), click(4)]))

    assert 3 == (await new.totals()).clicks
    assert {"duplicates:clicks": 1}.items() <= (await new.store.tallies()).items()
