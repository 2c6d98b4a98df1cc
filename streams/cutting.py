"""Slices cut at an offset: what the store has, what it does not, and as much as is tried at once."""

from bisect import bisect_left

from streams.ports import RecordSlice


def offset_of(part: RecordSlice, index: int) -> int:
    """Give the offset of a value by its position in the slice."""
    return part.first + index if part.offsets is None else part.offsets[index]


def from_offset(part: RecordSlice, offset: int | None) -> RecordSlice | None:
    """Give what lies at `offset` and after it, all of it for None; None when there is nothing."""
    if offset is None or offset <= part.first:
        return part
    if offset >= part.next_offset:
        return None
    known = _values_before(part, offset)
    return part._replace(
        first=offset,
        values=part.values[known:],
        offsets=None if part.offsets is None else part.offsets[known:],
        keys=None if part.keys is None else part.keys[known:],
    )


def until_offset(part: RecordSlice, offset: int) -> RecordSlice:
    """Give what lies before `offset`, which lies behind the slice's start."""
    if offset >= part.next_offset:
        return part
    kept = _values_before(part, offset)
    return part._replace(
        next_offset=offset,
        values=part.values[:kept],
        offsets=None if part.offsets is None else part.offsets[:kept],
        keys=None if part.keys is None else part.keys[:kept],
    )


def first_values(part: RecordSlice, count: int) -> RecordSlice:
    """Give the slice up to where its value number `count` begins; at least one value."""
    return part if len(part.values) <= count else until_offset(part, offset_of(part, count))


def values_from(part: RecordSlice, offset: int) -> int:
    """Count the values at `offset` and after it."""
    return len(part.values) - (_values_before(part, offset) if offset > part.first else 0)


def _values_before(part: RecordSlice, offset: int) -> int:
    if part.offsets is None:
        return min(offset - part.first, len(part.values))
    return bisect_left(part.offsets, offset)
