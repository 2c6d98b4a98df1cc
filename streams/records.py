"""The values that cross the seams of `ports`: import them from there.

What a store is told and answers, what a sink takes, what a transport hands over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from models.orders import LineSwap
from models.totals import Vector
from models.units import EpochMs
from models.visits import VisitTexts
from models.windows import BucketRef


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Claim(NamedTuple):
    """What a new owner of a partition is told.

    Attributes:
        epoch: this owner's fence; every earlier owner is refused from now on.
        next_offset: first offset not yet applied; None when nothing ever was.
        head: newest event time applied from this partition; None when nothing ever was.
    """

    epoch: int
    next_offset: int | None
    head: EpochMs | None


class Reply(IntEnum):
    """How a store answers an apply."""

    APPLIED = 1
    DUPLICATE = 0
    FENCED = -1
    OVERLAP = -2
    GAP = -3
    CONFLICT = -4


class Applied(NamedTuple):
    """Answer to `apply`: the verdict and the offset the store stands at (first not applied)."""

    reply: Reply
    next_offset: int | None


class Fact(NamedTuple):
    """A record that is kept whole: an announcement, a campaign, a result, a stock figure.

    Attributes:
        kind: `announcements`, `campaigns`, `results`, `stock`, or `losses` of the log.
        key: identity within the kind; a later fact with the same key replaces it.
        body: the record as canonical JSON.
    """

    kind: str
    key: str
    body: str


class Joined(NamedTuple):
    """What clicks and orders of one partition number must know of each other.

    Attributes:
        version: counts the writes of either; an apply that names another one is a conflict.
        orders_head: newest event time applied from the orders of this partition number; None before the first.
        clicks_head: the same of the clicks.
        lines: state of each order line asked for, in the order asked; None where there is none.
        visits: visits asked for, as far as there are any: every day asked, to user, to text.
    """

    version: int
    orders_head: EpochMs | None
    clicks_head: EpochMs | None
    lines: Sequence[str | None]
    visits: VisitTexts


@dataclass(slots=True, kw_only=True)
class BatchWrite:
    """Everything one slice of one partition changes, written in one atomic call or not at all.

    Attributes:
        first: offset of the first record of the slice, inclusive.
        next_offset: first offset after the slice.
        allow_gap: accept `first` past the stored offset (compaction, an operator's decision).
        begun: the writer was told or has written an offset of this partition: a store without one went back in time,
            and answers GAP.
        head: newest event time of this partition after the slice; None if it had no valid event yet.
        now: wall clock of the worker, for idle detection only.
        caught_up: the slice ends at the log's end as far as the fetch knew.
        deltas: per bucket, `"counter:member"` of `models.totals.AD_COUNTERS` to an integer to add.
        vectors: per bucket, `"group:member"` to amounts to add, by position in `models.totals.GROUPS`.
        evidence: per second of event time, `"region"` to (eligible, subsidised) orders to add.
        lines: order lines to swap.
        visits: what users did on a day, to keep: day to user to text, which replaces what was there.
        join: version of `Joined` this write was computed from; the write raises it. None for a write that reads
            and changes nothing of the join.
        facts: records to keep whole.
        tallies: process-wide counts to add, for example `"rejected:clicks:not_json"`.
    """

    tp: TopicPartition
    epoch: int
    first: int
    next_offset: int
    allow_gap: bool = False
    begun: bool = False
    head: EpochMs | None
    now: EpochMs
    caught_up: bool = True
    deltas: Mapping[BucketRef, Mapping[str, int]] = field(default_factory=dict)
    vectors: Mapping[BucketRef, Mapping[str, Vector]] = field(default_factory=dict)
    evidence: Mapping[EpochMs, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    lines: Sequence[LineSwap] = ()
    visits: VisitTexts = field(default_factory=dict)
    join: int | None = None
    facts: Sequence[Fact] = ()
    tallies: Mapping[str, int] = field(default_factory=dict)


class Progress(NamedTuple):
    """Where a partition stands: first offset not applied, newest event time, last wall time it moved.

    `caught_up` tells whether it had been read to its end then: only such a
    partition can be idle, one with a backlog is merely slow.
    """

    next_offset: int
    head: EpochMs | None
    seen: EpochMs
    caught_up: bool = True


class Limit(NamedTuple):
    """A bound that somebody set while workers run: its value, and who set it."""

    value: int
    actor: str


class EvidenceBucket(NamedTuple):
    """Orders of one second of event time: region to (eligible, subsidised)."""

    start: EpochMs
    counts: Mapping[str, tuple[int, int]]


class OutboxEntry(NamedTuple):
    """A record to publish: topic, key and JSON body; `entry_id` is its deterministic id."""

    entry_id: str
    topic: str
    key: str
    body: str


class LogEntry(NamedTuple):
    """A line of an append-only log that people read: `transitions`, `shifts`, `held` or `results`."""

    log: str
    entry_id: str
    body: str


class Redriven(NamedTuple):
    """The past of a record that was refused and put back on its topic.

    Attributes:
        round: how often it was put back.
        last: where it lay when it was refused last, as `topic/partition/offset`.
        first: where it lay first, likewise.
    """

    round: int
    last: str
    first: str


class DeadLetter(NamedTuple):
    """A record that was refused: original bytes and where they came from.

    Attributes:
        value: original bytes; None for a tombstone.
        timestamp: the broker's record time in ms; None when not known.
        past: how often it was put back, and where from; None for a record that never was.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str
    past: Redriven | None = None


class RecordSlice(NamedTuple):
    """One fetched slice of a partition as the transport hands it over, contiguous in delivery.

    Attributes:
        offsets: offset of each value when the slice has holes (compaction); None when contiguous.
        timestamp: largest record time of the slice in ms, as the broker holds it.
        oldest: the same of that record batch whose newest record is the oldest; None when not known.
        values: the records' values, in offset order; None for a tombstone.
        generation: group generation it was fetched under.
        end_offset: the partition's log end as the fetch knew it; None when not known.
        redriven: the past of those records that were put back on the topic, by offset; not cut with the slice.
    """

    tp: TopicPartition
    first: int
    next_offset: int
    timestamp: int
    generation: int
    values: Sequence[bytes | None]
    offsets: Sequence[int] | None
    keys: Sequence[bytes | None] | None = None
    end_offset: int | None = None
    redriven: Mapping[int, Redriven] = MappingProxyType({})
    oldest: int | None = None
