"""Buckets, windows and how long they are kept, with days drawn in Shanghai unless said otherwise."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from models.units import DAY_MS, HOUR_MS, MINUTE_MS, DurationMs, EpochMs
from models.windows import (
    RETENTION,
    WINDOWS,
    Bucket,
    Level,
    Scope,
    Span,
    buckets_of,
    cover,
    day_of,
    end_of,
    is_kept,
    next_day,
    span_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str, zone: ZoneInfo = SHANGHAI) -> EpochMs:
    """Read a local time as epoch milliseconds."""
    return EpochMs(int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000))


HEAD = ms("2025-03-10 12:30:15.250")


def test_an_event_belongs_to_one_bucket_per_level() -> None:
    """Minute and hour are aligned to the epoch, the day to local midnight."""
    expected = (
        Bucket(Level.MINUTE, ms("2025-03-10 12:30")),
        Bucket(Level.HOUR, ms("2025-03-10 12:00")),
        Bucket(Level.DAY, ms("2025-03-10 00:00")),
    )

    assert expected == buckets_of(HEAD, SHANGHAI)


@pytest.mark.parametrize(("level", "length"), [(Level.MINUTE, MINUTE_MS), (Level.HOUR, HOUR_MS), (Level.DAY, DAY_MS)])
def test_a_bucket_ends_where_the_next_begins(level: Level, length: DurationMs) -> None:
    """Ends are exclusive."""
    bucket = next(bucket for bucket in buckets_of(HEAD, SHANGHAI) if bucket.level is level)

    assert bucket.start + length == end_of(bucket, SHANGHAI)


@pytest.mark.parametrize(("date", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)])
def test_days_are_as_long_as_the_zone_says(date: str, hours: int) -> None:
    """A day with a clock change has 23 or 25 hours."""
    start = ms(f"{date} 00:00", BERLIN)

    assert hours * HOUR_MS == next_day(start, BERLIN) - start
    assert start == day_of(EpochMs(next_day(start, BERLIN) - 1), BERLIN)


def test_a_midnight_that_a_clock_change_skips_is_the_change_itself() -> None:
    """Where clocks jump from 23:59 to 01:00 the day starts at the jump."""
    beirut = ZoneInfo("Asia/Beirut")
    one = ms("2022-03-27 01:00", beirut)

    assert one == day_of(EpochMs(one + HOUR_MS), beirut)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("level", Level)
def test_a_bucket_is_kept_for_its_retention_after_its_end(scope: Scope, level: Level) -> None:
    """The last millisecond of keeping is the one before end plus retention."""
    bucket = next(bucket for bucket in buckets_of(HEAD, SHANGHAI) if bucket.level is level)
    gone = EpochMs(end_of(bucket, SHANGHAI) + RETENTION[scope][level])

    assert is_kept(scope, bucket, EpochMs(gone - 1), SHANGHAI)
    assert not is_kept(scope, bucket, gone, SHANGHAI)


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("1m", "2025-03-10 12:30", "2025-03-10 12:31"),
        ("5m", "2025-03-10 12:26", "2025-03-10 12:31"),
        ("15m", "2025-03-10 12:16", "2025-03-10 12:31"),
        ("1h", "2025-03-10 11:31", "2025-03-10 12:31"),
        ("24h", "2025-03-09 12:31", "2025-03-10 12:31"),
        ("today", "2025-03-10 00:00", "2025-03-10 12:31"),
        ("yesterday", "2025-03-09 00:00", "2025-03-10 00:00"),
        ("all", "2025-01-29 00:00", "2025-03-11 00:00"),
    ],
)
def test_windows_are_spans_that_hold_the_newest_event(window: str, start: str, end: str) -> None:
    """Rolling windows end with the head's minute; days are local."""
    assert Span(ms(start), ms(end)) == span_of(window, HEAD, SHANGHAI)


def test_all_is_exactly_the_days_that_are_kept() -> None:
    """The first day of `all` is kept and the day before it is not."""
    first = span_of("all", HEAD, SHANGHAI).start
    before = day_of(EpochMs(first - 1), SHANGHAI)

    assert is_kept(Scope.REGION, Bucket(Level.DAY, first), HEAD, SHANGHAI)
    assert not is_kept(Scope.REGION, Bucket(Level.DAY, before), HEAD, SHANGHAI)


def test_every_named_window_has_a_span() -> None:
    """`WINDOWS` lists what `span_of` knows, and a name it does not know is an error."""
    assert len(WINDOWS) == len({span_of(window, HEAD, SHANGHAI) for window in WINDOWS})
    with pytest.raises(KeyError):
        span_of("2m", HEAD, SHANGHAI)


def test_a_day_and_a_bit_costs_few_buckets() -> None:
    """24 hours that start mid-hour are 29 minutes, 23 hours and 31 minutes."""
    levels = [bucket.level for bucket in cover(span_of("24h", HEAD, SHANGHAI), Scope.REGION, HEAD, SHANGHAI)]

    assert [Level.MINUTE] * 29 + [Level.HOUR] * 23 + [Level.MINUTE] * 31 == levels


def test_yesterday_is_one_bucket() -> None:
    """A whole local day is covered by its day bucket alone."""
    span = span_of("yesterday", HEAD, SHANGHAI)

    assert [Bucket(Level.DAY, span.start)] == list(cover(span, Scope.CAMPAIGN, HEAD, SHANGHAI))


def test_a_window_over_forgotten_minutes_is_widened_to_the_hour() -> None:
    """Region and campaign keep minutes for 3 h: the first hour of 24 h is whole."""
    first = next(iter(cover(span_of("24h", HEAD, SHANGHAI), Scope.REGION_CAMPAIGN, HEAD, SHANGHAI)))

    assert Bucket(Level.HOUR, ms("2025-03-09 12:00")) == first


def test_a_window_over_forgotten_hours_is_widened_to_the_day() -> None:
    """A span of a week ago is answered by the days it touches."""
    span = Span(ms("2025-03-03 10:00"), ms("2025-03-03 11:00"))

    assert [Bucket(Level.DAY, ms("2025-03-03 00:00"))] == list(cover(span, Scope.REGION, HEAD, SHANGHAI))
