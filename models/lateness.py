"""Which buckets still keep an event: all of them for one on time, none for one too old.

```
        head - 40 d       head - 72 h       head - 26 h       head - 3 h         head
 -----------|-----------------|-----------------|-----------------|---------------|
   refused       day alone       hour and day    all but minutes     everything
                                                 of both scopes
```

Verdicts follow the order of the records, not the cut of the slices: the head is
the newest event time among the records accepted so far, and each record is held
against it. A refused record moves no head.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import sub
from typing import Final
from zoneinfo import ZoneInfo

from models.errors import InvalidEvent
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, DurationMs, EpochMs
from models.windows import RETENTION, Level, Scope, day_of, hour_of, minute_of, next_day

SCOPES: Final = tuple(Scope)
LEVELS: Final = tuple(Level)
_SPANS: Final = tuple((level, RETENTION[scope][level]) for scope in SCOPES for level in LEVELS)

KEPT_BY_ALL: Final = (1 << len(_SPANS)) - 1
"""A mask has one bit per (scope, level), scope by scope, in the order of declaration."""

MINUTE_OF_REGION: Final = 1 << (SCOPES.index(Scope.REGION) * len(LEVELS) + LEVELS.index(Level.MINUTE))

FRESH_MS: Final[DurationMs] = min(span for _, span in _SPANS)
"""An event less than this older than the head is kept by all."""

LATE_BY: Final[tuple[tuple[str, int], ...]] = (
    *(("1m", MINUTE_MS), ("5m", 5 * MINUTE_MS), ("1h", HOUR_MS), ("6h", 6 * HOUR_MS)),
    *(("1d", DAY_MS), ("7d", 7 * DAY_MS)),
)
"""Name and least lateness, inclusive, of each class that records behind the newest event time are counted in."""

_LATE_NAMES: Final = tuple(name for name, _ in LATE_BY)
_LATE_EDGES: Final = tuple(edge for _, edge in LATE_BY)


def kept_by(at: EpochMs, head: EpochMs, zone: ZoneInfo) -> int:
    """Give the mask of the buckets of `at` that are kept when the newest event time is `head`; 0 is too old.

    Agrees with `models.windows.is_kept`, for all scopes and levels at once.
    """
    return KEPT_BY_ALL if at > head - FRESH_MS else _kept_by(minute_of(at), head, zone)


@lru_cache(maxsize=4096)
def _kept_by(minute: EpochMs, head: EpochMs, zone: ZoneInfo) -> int:
    ends = {
        Level.MINUTE: minute + MINUTE_MS,
        Level.HOUR: hour_of(minute) + HOUR_MS,
        Level.DAY: next_day(day_of(minute, zone), zone),
    }
    return sum(1 << bit for bit, (level, span) in enumerate(_SPANS) if ends[level] + span > head)


class Gate:
    """Passes the records of one partition in order, and remembers the newest time among them.

    Attributes:
        head: newest event time passed; None before the first.
        late: records passed whose own time some bucket no longer keeps.
        late_by: records passed by how far they were behind the newest time before them, in classes of `LATE_BY`.
    """

    def __init__(self, zone: ZoneInfo, head: EpochMs | None, limit: EpochMs) -> None:
        """Start at a head; a time after `limit` is the future."""
        self._zone = zone
        self._limit = limit
        self.head = head
        self.late = 0
        self.late_by: Counter[str] = Counter()

    def admit_all(self, ats: Sequence[int]) -> bool:
        """Pass all records at once if none can be late or of the future in any order; else pass none."""
        if not self.are_fresh(ats):
            return False
        self.enter_all(ats, ats)
        return True

    def are_fresh(self, times: Sequence[int]) -> bool:
        """Tell whether no record can be late or of the future, in whatever order these times are met."""
        if not times:
            return True
        newest = max(times)
        head = newest if self.head is None else max(self.head, newest)
        return newest <= self._limit and min(times) > head - FRESH_MS

    def enter_all(self, ats: Sequence[int], newest: Sequence[int]) -> None:
        """Pass fresh records; `newest` is of each its `at` or, if later, where it is counted."""
        if not ats:
            return
        before = ats[0] if self.head is None else self.head
        head = EpochMs(max(before, max(newest)))
        # Sorting what is sorted is fast, and nothing in order is late but behind the head.
        if min(ats) <= head - _LATE_EDGES[0] and (ats[0] <= before - _LATE_EDGES[0] or ats != sorted(newest)):
            self._count_lags(list(map(sub, accumulate(newest, max, initial=before), ats)))
        self.head = head

    def judge(self, at: EpochMs, counted_at: EpochMs) -> int:
        """Give the mask of the buckets that keep a record of `at` counted at `counted_at`; passes nothing.

        Raises:
            InvalidEvent: `future` or `too_old`.
        """
        if max(at, counted_at) > self._limit:
            ahead = max(at, counted_at) - self._limit
            raise InvalidEvent("future", f"{ahead} ms past the latest time the broker's clock allows")
        head = at if self.head is None else max(self.head, at)
        kept = kept_by(counted_at, head, self._zone)
        if not kept:
            raise InvalidEvent("too_old", f"{head - counted_at} ms before the newest event, in a day no longer kept")
        return kept

    def enter(self, at: EpochMs, counted_at: EpochMs | None = None) -> None:
        """Pass a record that was judged good; it is late by `at`, and `counted_at` moves the head as well."""
        head, newest = self.head, at if counted_at is None else max(at, counted_at)
        if head is not None and at <= head - _LATE_EDGES[0]:
            self._count_lags((head - at,))
            if at <= head - FRESH_MS and kept_by(at, head, self._zone) != KEPT_BY_ALL:
                self.late += 1
        self.head = newest if head is None else max(head, newest)

    def _count_lags(self, lags: Sequence[int]) -> None:
        reached = Counter(map(bisect_right, repeat(_LATE_EDGES), lags))
        self.late_by.update({_LATE_NAMES[edges - 1]: count for edges, count in reached.items() if edges})
