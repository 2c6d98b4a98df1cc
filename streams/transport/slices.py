"""Runs of records joined and cut into slices of bounded size; the slices tile what the runs tiled."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from streams.ports import RecordSlice, TopicPartition
from streams.transport.record_batches import RecordRun

RECORD_BYTES: Final = 1_024
"""A record counts as one up to this size on average, and as several beyond."""


def weight_of(part: RecordSlice) -> int:
    """Give how many records a slice stands for in memory: what bounds records in hand bounds bytes as well."""
    return max(len(part.values), sum(map(len, filter(None, part.values))) // RECORD_BYTES)


def slices_of(
    tp: TopicPartition, generation: int, runs: Iterable[RecordRun], limit: int, end_offset: int | None = None
) -> Iterator[RecordSlice]:
    """Cut consecutive runs of one partition into slices of at most `limit` records.

    A stretch of the log without values rides on the slice before it, or is a
    slice without values when there is none: the reader's position still moves.
    """
    held: list[RecordRun] = []
    size = 0
    for run in runs:
        for piece in _pieces(run, limit):
            if held and piece.values and size + len(piece.values) > limit:
                yield _join(tp, generation, held, end_offset)
                held, size = [], 0
            held.append(piece)
            size += len(piece.values)
    if held:
        yield _join(tp, generation, held, end_offset)


def _pieces(run: RecordRun, limit: int) -> Iterator[RecordRun]:
    """Cut one run that is too long; a piece ends where the next one's first record is."""
    if len(run.values) <= limit:
        yield run
        return
    start = run.start
    for low in range(0, len(run.values), limit):
        high = low + limit
        offsets = None if run.offsets is None else run.offsets[low:high]
        if high >= len(run.values):
            stop = run.next_offset
        else:
            stop = run.start + high if run.offsets is None else run.offsets[high]
        yield RecordRun(start, stop, run.timestamp, run.values[low:high], run.keys[low:high], offsets, run.redriven)
        start = stop


def _join(tp: TopicPartition, generation: int, runs: Sequence[RecordRun], end_offset: int | None) -> RecordSlice:
    first, stop = runs[0].start, runs[-1].next_offset
    values = runs[0].values if len(runs) == 1 else [value for run in runs for value in run.values]
    keys = runs[0].keys if len(runs) == 1 else [key for run in runs for key in run.keys]
    offsets: list[int] | None = None
    if len(values) != stop - first:
        offsets = [offset for run in runs for offset in _offsets(run)]
    return RecordSlice(
        tp=tp,
        first=first,
        next_offset=stop,
        timestamp=max(run.timestamp for run in runs),
        generation=generation,
        values=values,
        offsets=offsets,
        keys=keys,
        end_offset=end_offset,
        redriven={offset: past for run in runs for offset, past in run.redriven.items()},
        oldest=min((run.timestamp for run in runs if run.values and run.timestamp >= 0), default=None),
    )


def _offsets(run: RecordRun) -> Sequence[int]:
    return range(run.start, run.next_offset) if run.offsets is None else run.offsets
