"""Cutting runs into slices: what was read comes out, in order, each record at its offset, no slice too long."""

from hypothesis import given
from hypothesis import strategies as st

from streams.ports import RecordSlice, TopicPartition
from streams.transport.record_batches import RecordRun
from streams.transport.slices import slices_of

TP = TopicPartition("ads.campaigns.v1", 0)


@st.composite
def logs(draw: st.DrawFn) -> list[RecordRun]:
    """Tiling runs; each stretch holds a value at every offset, at some, or at none."""
    at = draw(st.integers(0, 1_000))
    runs = []
    for _ in range(draw(st.integers(1, 6))):
        size = draw(st.integers(1, 12))
        there = (
            [at + step for step in range(size) if draw(st.booleans())] if draw(st.booleans()) else range(at, at + size)
        )
        values: list[bytes | None] = [b"%d" % offset for offset in there]
        keys: list[bytes | None] = [b"k%d" % offset for offset in there]
        offsets = None if len(values) == size else list(there)
        runs.append(RecordRun(at, at + size, draw(st.integers(-1, 100)), values, keys, offsets))
        at += size
    return runs


def offsets_of(part: RecordSlice) -> list[int]:
    """The offset of each value of a slice."""
    return list(range(part.first, part.next_offset) if part.offsets is None else part.offsets)


@given(logs(), st.integers(1, 10))
def test_nothing_is_lost_moved_or_repeated(runs: list[RecordRun], limit: int) -> None:
    """Values keep their order and offsets, slices tile what the runs tiled, and none is longer than the limit."""
    parts = list(slices_of(TP, 7, runs, limit))

    assert [value for run in runs for value in run.values] == [value for part in parts for value in part.values]
    assert all(b"%d" % at == value for part in parts for at, value in zip(offsets_of(part), part.values, strict=True))
    assert all(b"k%d" % at == key for part in parts for at, key in zip(offsets_of(part), part.keys or [], strict=True))
    edges = [runs[0].start, *(part.next_offset for part in parts)]
    assert edges[:-1] == [part.first for part in parts]
    assert runs[-1].next_offset == edges[-1]
    assert max(len(part.values) for part in parts) <= limit


@given(logs())
def test_offsets_are_given_only_where_there_are_holes(runs: list[RecordRun]) -> None:
    """A slice without holes carries no offsets, so its readers may count."""
    for part in slices_of(TP, 7, runs, 5):
        assert (part.offsets is None) == (len(part.values) == part.next_offset - part.first)
