"""The logs read back: what stands beside the newest shifts."""

from models.decisions import Status
from models.units import EpochMs
from seeded_day import SeededDay, transition
from streams.ports import LogEntry
from streams.readlog import feed
from streams.settings import load
from streams.store.memory_store import MemoryStore

NOON = EpochMs(1_750_056_780_000)


async def test_the_change_behind_the_newest_shift_is_read_however_few_shifts_are() -> None:
    """Else the line of a shift would show the wall clock instead of the event time of its cause."""
    store = MemoryStore(load().zone)
    day = SeededDay(store, NOON)
    await day.fill()
    await day.decide(NOON, off="440000")
    version, state = await store.load_state()
    later = transition("110000", Status.OFF, NOON, ((0, 4),))
    await store.swap_state(
        version, state or "", (), [LogEntry("transitions", later.transition_id, later.model_dump_json(by_alias=True))]
    )

    few, more = await feed(store, 1), await feed(store, 1, beside=50)

    assert (1, 1) == (len(few.shifts), len(more.shifts))
    assert few.shifts[0].cause not in {change.transition_id for change in few.transitions}
    assert more.shifts[0].cause in {change.transition_id for change in more.transitions}
