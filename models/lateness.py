"""Which buckets still keep an event: nothing for one too old, all of them for one on time.

```
            head - 40 d      head - 72 h     head - 26 h     head - 3 h        head
 ---------------|----------------|---------------|---------------|--------------|
  too old: refused    day only      hour and day   minutes of region,   everything
                                                   of campaign
```
"""

from typing import Final
from zoneinfo import ZoneInfo

from models.units import HOUR_MS, MINUTE_MS, DurationMs, EpochMs
from models.windows import RETENTION, Level, Scope, day_of, hour_of, minute_of, next_day

SCOPES: Final = tuple(Scope)
LEVELS: Final = tuple(Level)
_SPANS: Final = tuple((level, RETENTION[scope][level]) for scope in SCOPES for level in LEVELS)

KEPT_BY_ALL: Final = (1 << len(_SPANS)) - 1
"""A mask has one bit per (scope, level), scope by scope, in the order of declaration."""

MINUTE_OF_REGION: Final = 1 << (SCOPES.index(Scope.REGION) * len(LEVELS) + LEVELS.index(Level.MINUTE))

FRESH_MS: Final[DurationMs] = min(span for _, span in _SPANS)
"""An event less than this older than the head is kept by all."""


def kept_by(at: EpochMs, head: EpochMs, zone: ZoneInfo) -> int:
    """Give the mask of the buckets of `at` that are kept when the newest event time is `head`; 0 is too old.

    Agrees with `models.windows.is_kept`, for all scopes and levels at once.
    """
    if at > head - FRESH_MS:
        return KEPT_BY_ALL
    ends = {
        Level.MINUTE: minute_of(at) + MINUTE_MS,
        Level.HOUR: hour_of(at) + HOUR_MS,
        Level.DAY: next_day(day_of(at, zone), zone),
    }
    return sum(1 << bit for bit, (level, span) in enumerate(_SPANS) if ends[level] + span > head)
