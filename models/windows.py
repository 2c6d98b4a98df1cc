"""Event-time buckets, the windows people ask for, and how long each level is kept.

All spans are half-open: `[start, end)`. Buckets are aligned to the epoch, days
to midnight of the configured zone.

```
level    second   minute   hour   day
bucket   1 s      60 s     3600 s local midnight to local midnight
```

A window is a sum of buckets. It is covered greedily with the coarsest buckets
that fit, so 24 h costs at most 23 hours and 118 minutes, not 1,440 minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.units import DAY_MS, HOUR_MS, MINUTE_MS, DurationMs, EpochMs


class Scope(StrEnum):
    """A breakdown that is always kept. The value is the CLI's and API's spelling."""

    REGION = "region"
    CAMPAIGN = "campaign"
    REGION_CAMPAIGN = "region,campaign"


class Level(StrEnum):
    """A bucket width that the store keeps."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Bucket(NamedTuple):
    """One span of event time at one level; `start` is inclusive."""

    level: Level
    start: EpochMs


class BucketRef(NamedTuple):
    """One stored bucket: a scope at one level and start."""

    scope: Scope
    bucket: Bucket


class Cell(NamedTuple):
    """Where a delta lands: a scope, a bucket of it, and the member of the scope.

    `member` is the region, the campaign id, or `region + ":" + campaign_id`;
    regions never hold a colon, campaign ids may.
    """

    scope: Scope
    bucket: Bucket
    member: str


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of event time."""

    start: EpochMs
    end: EpochMs


RETENTION: Final[dict[Scope, dict[Level, DurationMs]]] = {
    Scope.REGION: {
        Level.MINUTE: DurationMs(26 * HOUR_MS),
        Level.HOUR: DurationMs(72 * HOUR_MS),
        Level.DAY: DurationMs(40 * DAY_MS),
    },
    Scope.CAMPAIGN: {
        Level.MINUTE: DurationMs(26 * HOUR_MS),
        Level.HOUR: DurationMs(72 * HOUR_MS),
        Level.DAY: DurationMs(40 * DAY_MS),
    },
    Scope.REGION_CAMPAIGN: {
        Level.MINUTE: DurationMs(3 * HOUR_MS),
        Level.HOUR: DurationMs(72 * HOUR_MS),
        Level.DAY: DurationMs(40 * DAY_MS),
    },
}
"""How long a bucket is kept after its end, by event time, never by the wall clock."""

WINDOWS: Final[tuple[str, ...]] = ("1m", "5m", "15m", "1h", "24h", "today", "yesterday", "all")

_ROLLING: Final[dict[str, DurationMs]] = {
    "1m": MINUTE_MS,
    "5m": DurationMs(5 * MINUTE_MS),
    "15m": DurationMs(15 * MINUTE_MS),
    "1h": HOUR_MS,
    "24h": DAY_MS,
}


def minute_of(at: EpochMs) -> EpochMs:
    """Give the start of the minute that holds `at`."""
    return EpochMs(at - at % MINUTE_MS)


def hour_of(at: EpochMs) -> EpochMs:
    """Give the start of the UTC hour that holds `at`."""
    return EpochMs(at - at % HOUR_MS)


@lru_cache(maxsize=4096)
def _day_of_minute(minute: EpochMs, zone: ZoneInfo) -> EpochMs:
    local = datetime.fromtimestamp(minute / 1000, UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return EpochMs(int(midnight.timestamp()) * 1000)


def day_of(at: EpochMs, zone: ZoneInfo) -> EpochMs:
    """Give local midnight of the day that holds `at`, in epoch milliseconds."""
    return _day_of_minute(minute_of(at), zone)


@lru_cache(maxsize=1024)
def next_day(day: EpochMs, zone: ZoneInfo) -> EpochMs:
    """Give the local midnight that ends the day starting at `day`."""
    local = datetime.fromtimestamp(day / 1000, UTC).astimezone(zone)
    date = local.date() + timedelta(days=1)
    midnight = datetime(date.year, date.month, date.day, tzinfo=zone)
    return EpochMs(int(midnight.timestamp()) * 1000)


def end_of(bucket: Bucket, zone: ZoneInfo) -> EpochMs:
    """Give the exclusive end of a bucket."""
    if bucket.level is Level.MINUTE:
        return EpochMs(bucket.start + MINUTE_MS)
    if bucket.level is Level.HOUR:
        return EpochMs(bucket.start + HOUR_MS)
    return next_day(bucket.start, zone)


def buckets_of(at: EpochMs, zone: ZoneInfo) -> tuple[Bucket, Bucket, Bucket]:
    """Give the minute, hour and day bucket an event at `at` belongs to."""
    return (
        Bucket(Level.MINUTE, minute_of(at)),
        Bucket(Level.HOUR, hour_of(at)),
        Bucket(Level.DAY, day_of(at, zone)),
    )


def is_kept(scope: Scope, bucket: Bucket, head: EpochMs, zone: ZoneInfo) -> bool:
    """Tell whether a bucket is still kept when the newest event time seen is `head`."""
    return end_of(bucket, zone) + RETENTION[scope][bucket.level] > head


def span_of(window: str, head: EpochMs, zone: ZoneInfo) -> Span:
    """Give the span a named window covers when the newest event time is `head`.

    Rolling windows end with the minute that holds `head`, so the event that
    just arrived is inside; `today` and `yesterday` are local days of `head`;
    `all` is every day that is still kept.

    Raises:
        KeyError: the name is not in `WINDOWS`.
    """
    end = EpochMs(minute_of(head) + MINUTE_MS)
    if window == "today":
        return Span(day_of(head, zone), end)
    if window == "yesterday":
        today = day_of(head, zone)
        return Span(day_of(EpochMs(today - 1), zone), today)
    if window == "all":
        oldest = EpochMs(head - RETENTION[Scope.REGION][Level.DAY])  # its day is the first that is kept
        return Span(day_of(oldest, zone), next_day(day_of(head, zone), zone))
    return Span(EpochMs(end - _ROLLING[window]), end)


def cover(span: Span, scope: Scope, head: EpochMs, zone: ZoneInfo) -> Iterator[Bucket]:
    """Cover a span with the coarsest buckets that are kept and fit, in order of time.

    Both ends must be whole minutes. Where the minutes of a scope are gone, the
    hour or day that holds them is given instead, so a window over old data is
    widened to what is known rather than silently short.
    """
    at = span.start
    while at < span.end:
        bucket = _coarsest(at, span, scope, head, zone)
        yield bucket
        at = end_of(bucket, zone)


def _coarsest(at: EpochMs, span: Span, scope: Scope, head: EpochMs, zone: ZoneInfo) -> Bucket:
    minute, hour, day = buckets_of(at, zone)
    for bucket in (day, hour, minute):
        fits = bucket.start == at and end_of(bucket, zone) <= span.end
        if fits and is_kept(scope, bucket, head, zone):
            return bucket
    return hour if is_kept(scope, hour, head, zone) else day
