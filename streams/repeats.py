"""Duplicates by the producer: the windows of recent ids of the partitions that a worker reads.

```
log of a partition   ... |<-- window: read for their ids only -->|fence: counted from here ...
```

What repeats follows from the log alone, so a window may run ahead of the fence:
a slice that is tried again gets the same answer.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from models.codec import Decoded
from models.events import KINDS, Kind
from models.recent import Recent
from models.units import SECOND_MS, EpochMs
from models.wire import WireClick, WireImpression
from streams.cutting import offset_of
from streams.ports import RecordSlice, TopicPartition

W = TypeVar("W", WireImpression, WireClick)
T = TypeVar("T")

WINDOWED: Final = frozenset({Kind.IMPRESSIONS, Kind.CLICKS})
"""Orders need no window: their lines know each status."""

KEPT_AFTER_REVOKE_MS: Final = 60 * SECOND_MS
"""A rebalance mostly gives a partition back to who had it; its window is then still good."""


class Windows:
    """The windows of the partitions held, and for a while of those held before."""

    def __init__(self, size: int, now: Callable[[], EpochMs]) -> None:
        """Hold none.

        Args:
            size: offsets a repeated id is known for; 0 for no windows.
            now: wall clock.
        """
        self._size = size
        self._now = now
        self._held: dict[TopicPartition, Recent] = {}
        self._parked: dict[TopicPartition, tuple[EpochMs, Recent]] = {}

    def claim(self, tp: TopicPartition, fence: int | None) -> Recent | None:
        """Give the window for a partition just claimed; None where there is none.

        Args:
            tp: the partition.
            fence: first offset not applied; None when nothing ever was.
        """
        if not self._size or KINDS[tp.topic] not in WINDOWED:
            return None
        window = self._held.pop(tp, None) or self._parked.pop(tp, (0, None))[1]
        if window is None or window.end != fence:
            window = Recent(self._size)
        self._held[tp] = window
        return window

    def lead(self, tp: TopicPartition, fence: int | None) -> int:
        """Give how many offsets before the fence must be read first."""
        window = self._held.get(tp)
        return 0 if window is None or fence is None or window.end is not None else self._size

    def revoke(self, tp: TopicPartition) -> None:
        """Keep the window for a while, in case the partition comes back."""
        window = self._held.pop(tp, None)
        if window is not None:
            self._parked[tp] = self._now(), window

    def drop_old(self) -> None:
        """Free the windows of partitions that did not come back."""
        if self._parked:
            oldest = self._now() - KEPT_AFTER_REVOKE_MS
            self._parked = {tp: kept for tp, kept in self._parked.items() if kept[0] > oldest}


def note(window: Recent, part: RecordSlice, decoded: Decoded[W]) -> tuple[Decoded[W], int]:
    """Give what is left of a slice without its repeats, and how many there were.

    Raises:
        ValueError: the slice lies before what was noted last.
    """
    events, positions = decoded.events, decoded.positions
    offsets: Sequence[int] = range(part.first, part.next_offset)
    if part.offsets is not None or len(events) < len(part.values):
        offsets = [offset_of(part, position) for position in positions]
    put_back = {
        at: origin for at, past in part.redriven.items() if (origin := _offset_in(part.tp, past.last)) is not None
    }
    found = window.repeats([event.event_id for event in events], offsets, part.first, part.next_offset, put_back)
    if not found:
        return decoded, 0
    return Decoded(_without(events, found), _without(positions, found), decoded.rejects), len(found)


def _without(values: Sequence[T], left_out: Sequence[int]) -> list[T]:
    """Copy what lies between the positions left out, stretch by stretch."""
    kept: list[T] = []
    start = 0
    for position in left_out:
        kept += values[start:position]
        start = position + 1
    kept += values[start:]
    return kept


def _offset_in(tp: TopicPartition, place: str) -> int | None:
    topic, _, offset = place.rpartition("/")
    return int(offset) if topic == f"{tp.topic}/{tp.partition}" and offset.isdecimal() else None
