"""Buckets tile time, and a window's cover is exactly its span while everything is kept."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from models.lateness import KEPT_BY_ALL, LEVELS, SCOPES, kept_by
from models.units import MINUTE_MS, EpochMs
from models.windows import WINDOWS, Scope, Span, buckets_of, cover, end_of, is_kept, span_of

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "UTC")])
TIMES = st.integers(1_700_000_000_000, 1_800_000_000_000).map(EpochMs)
AGES = st.integers(0, 50 * 86_400_000) | st.sampled_from([h * 3_600_000 for h in (3, 26, 72, 960, 984)])


@given(TIMES, ZONES)
def test_a_bucket_holds_its_events(at: EpochMs, zone: ZoneInfo) -> None:
    """Start is inclusive, end exclusive, and the end begins the next bucket of the level."""
    for index, bucket in enumerate(buckets_of(at, zone)):
        end = end_of(bucket, zone)

        assert bucket.start <= at < end
        assert end == buckets_of(end, zone)[index].start


@given(TIMES, ZONES, st.sampled_from(WINDOWS), st.sampled_from(Scope))
def test_a_cover_has_no_hole_and_no_overlap(head: EpochMs, zone: ZoneInfo, window: str, scope: Scope) -> None:
    """Buckets follow each other and reach over the whole span; all of them are kept."""
    span = span_of(window, head, zone)
    buckets = list(cover(span, scope, head, zone))
    ends = [end_of(bucket, zone) for bucket in buckets]

    assert buckets[0].start <= span.start < ends[0]
    assert span.end <= ends[-1]
    assert ends[:-1] == [bucket.start for bucket in buckets[1:]]
    assert all(is_kept(scope, bucket, head, zone) for bucket in buckets)


@given(TIMES, ZONES, st.integers(1, 24 * 60), st.integers(0, 60))
def test_a_cover_of_fresh_minutes_is_exact(head: EpochMs, zone: ZoneInfo, length: int, back: int) -> None:
    """Where all minutes are kept the cover begins and ends with the span, and buckets meet end to end."""
    end = EpochMs(head - head % MINUTE_MS - back * MINUTE_MS)
    span = Span(EpochMs(end - length * MINUTE_MS), end)
    buckets = list(cover(span, Scope.REGION, head, zone))
    ends = [end_of(bucket, zone) for bucket in buckets]

    assert [span.start, *ends[:-1]] == [bucket.start for bucket in buckets]
    assert span.end == ends[-1]


@given(TIMES, AGES, ZONES)
def test_the_mask_agrees_with_the_definition(head: EpochMs, age: int, zone: ZoneInfo) -> None:
    """Bit by bit it says what `is_kept` says."""
    at = EpochMs(head - age)
    expected = [is_kept(scope, bucket, head, zone) for scope in SCOPES for bucket in buckets_of(at, zone)]
    mask = kept_by(at, head, zone)

    assert expected == [bool(mask >> bit & 1) for bit in range(len(SCOPES) * len(LEVELS))]
    assert all(expected) == (mask == KEPT_BY_ALL)
