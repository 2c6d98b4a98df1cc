"""What both stores agree on: when data go, how much is kept, and which writes are nonsense.

```
kept until    bucket   end + RETENTION of its scope and level
              second   end + 1 h
              line     end of its day + 40 days, as the day's totals
visits   end of their day + 17 days: the longest window of attribution, a day of lateness and one to spare
```

All by event time: a replay of an old log keeps its data as long as a live one.
"""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from models.units import DAY_MS, HOUR_MS, SECOND_MS, DurationMs, EpochMs
from models.windows import RETENTION, end_of, next_day
from streams.ports import BatchWrite, BucketRef

EVIDENCE_KEPT: Final = HOUR_MS
"""How long a second of evidence is kept after its end."""

LINES_KEPT: Final = DurationMs(40 * DAY_MS)
"""How long order lines are kept after the day they were placed on."""

VISITS_KEPT: Final = DurationMs(17 * DAY_MS)
"""How long a day's visits are kept after it: no order that may still come needs older ones."""

LOG_CAP: Final = 10_000
"""Newest entries kept of each log."""

SWEEP_LIMIT: Final = 1_000
"""Keys that a sweep deletes at once at most, of each kind and shard, so that it never stalls the store."""

SWEEP_ROUNDS: Final = 32
"""Times that one sweep does so: more seconds than one run of the decide line consumes, so that a replay leaves none."""

EXACT: Final = 1 << 53
"""Lua holds integers exactly up to here; beyond, amounts travel as text."""


@lru_cache(maxsize=8192)
def bucket_expiry(ref: BucketRef, zone: ZoneInfo) -> EpochMs:
    """Give the event time from which a bucket is no longer kept, inclusive."""
    return EpochMs(end_of(ref.bucket, zone) + RETENTION[ref.scope][ref.bucket.level])


@lru_cache(maxsize=1024)
def lines_expiry(day: EpochMs, zone: ZoneInfo) -> EpochMs:
    """Give the event time from which the lines of a day are no longer kept, inclusive."""
    return EpochMs(next_day(day, zone) + LINES_KEPT)


@lru_cache(maxsize=1024)
def visits_expiry(day: EpochMs, zone: ZoneInfo) -> EpochMs:
    """Give the event time from which the visits of a day are no longer kept, inclusive."""
    return EpochMs(next_day(day, zone) + VISITS_KEPT)


def newest_swept(horizon: EpochMs) -> EpochMs:
    """Give the newest start of a second that is no longer kept at `horizon`, inclusive."""
    return EpochMs(horizon - EVIDENCE_KEPT - SECOND_MS)


def check(write: BatchWrite) -> None:
    """Refuse a write that no caller can mean.

    Raises:
        ValueError: offsets run backwards, or a number is outside what Lua holds exactly.
    """
    if not 0 <= write.first <= write.next_offset < EXACT:
        raise ValueError(f"offsets {write.first} to {write.next_offset} are not a slice")
    for name, number in (("epoch", write.epoch), ("head", write.head), ("now", write.now), ("join", write.join)):
        if number is not None and not -EXACT < number < EXACT:
            raise ValueError(f"{name} {number} is out of range")
