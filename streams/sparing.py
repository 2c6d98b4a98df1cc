"""Records that crash our own code: found one by one, refused like bad ones, so that nobody else's records wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from models.errors import InvalidEvent, MonitorError, StoreFault
from models.events import KINDS
from models.fold import Folded
from models.units import EpochMs
from models.visits import UsersOfDays
from streams.cutting import first_values, from_offset
from streams.ports import Joined, RecordSlice, TopicPartition

CRASHED: Final = "crashed"
"""Reason of the dead letter; the mistake is ours, so it is worth a look and a redrive."""


class Asked(Protocol):
    """What folding asks of a store."""

    async def join(
        self,
        tp: TopicPartition,
        lines: Sequence[tuple[EpochMs, str]],
        visits: UsersOfDays,
    ) -> Joined:
        """As `IngestStore.join`."""

    async def facts(self, kind: str) -> dict[str, str]:
        """As `ReadStore.facts`."""


class Asking:
    """Asks a store, and tells its faults apart from those of the code that uses the answers."""

    def __init__(self, store: Asked) -> None:
        """Take the store."""
        self._store = store

    async def join(
        self,
        tp: TopicPartition,
        lines: Sequence[tuple[EpochMs, str]],
        visits: UsersOfDays,
    ) -> Joined:
        """As `IngestStore.join`.

        Raises:
            StoreFault: whatever else it raised.
        """
        with _told_apart():
            return await self._store.join(tp, lines, visits)

    async def facts(self, kind: str) -> dict[str, str]:
        """As `ReadStore.facts`.

        Raises:
            StoreFault: whatever else it raised.
        """
        with _told_apart():
            return await self._store.facts(kind)


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except MonitorError:
        raise
    except Exception as fault:  # any other would be taken for a record that crashes us
        raise StoreFault(repr(fault)) from fault


def refused(part: RecordSlice, head: EpochMs | None, fault: Exception) -> Folded:
    """Give what a slice of one record changes when the code cannot take it: nothing but a dead letter.

    Args:
        part: the slice.
        head: newest event time applied from its partition.
        fault: what the record led to.
    """
    verdict = InvalidEvent(CRASHED, repr(fault))
    tally = f"rejected:{KINDS[part.tp.topic].value}:{CRASHED}"
    rejects = [(index, verdict) for index in range(len(part.values))]
    return Folded(head=head, rejects=rejects, tallies={tally: len(rejects)} if rejects else {})


def one_by_one(part: RecordSlice) -> Iterator[RecordSlice]:
    """Give a slice as slices of one value."""
    rest: RecordSlice | None = part
    while rest is not None:
        one = first_values(rest, 1)
        yield one
        rest = from_offset(rest, one.next_offset)
