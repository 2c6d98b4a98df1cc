"""The seams between the two lines and the world: what a store and a sink must do.

Adapters implement these; `pipeline` knows nothing else. One contract suite
runs over every adapter of a port.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

from models.orders import LineSwap as LineSwap
from models.totals import Totals
from models.units import EpochMs
from models.windows import Bucket, Scope
from models.windows import BucketRef as BucketRef


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
        kind: `announcements`, `campaigns`, `results` or `stock`.
        key: identity within the kind; a later fact with the same key replaces it.
        body: the record as canonical JSON.
    """

    kind: str
    key: str
    body: str


@dataclass(slots=True, kw_only=True)
class BatchWrite:
    """Everything one slice of one partition changes, written in one atomic call or not at all.

    Attributes:
        first: offset of the first record of the slice, inclusive.
        next_offset: first offset after the slice.
        allow_gap: accept `first` past the stored offset (compaction, an operator's decision).
        head: newest event time of this partition after the slice; None if it had no valid event yet.
        now: wall clock of the worker, for idle detection only.
        caught_up: the slice ends at the log's end as far as the fetch knew.
        deltas: per bucket, `"counter:member"` to an integer to add.
        evidence: per second of event time, `"region"` to (eligible, subsidised) orders to add.
        lines: order lines to swap.
        facts: records to keep whole.
        tallies: process-wide counts to add, for example `"rejected:clicks:not_json"`.
    """

    tp: TopicPartition
    epoch: int
    first: int
    next_offset: int
    allow_gap: bool = False
    head: EpochMs | None
    now: EpochMs
    caught_up: bool = True
    deltas: Mapping[BucketRef, Mapping[str, int]] = field(default_factory=dict)
    evidence: Mapping[EpochMs, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    lines: Sequence[LineSwap] = ()
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


class IngestStore(Protocol):
    """Fenced writes of the ingest line. All methods raise `ServiceUnavailable` when the store is away."""

    async def claim(self, tp: TopicPartition) -> Claim:
        """Become the owner of a partition; every earlier owner is fenced from here on."""

    async def apply(self, write: BatchWrite) -> Applied:
        """Apply a slice at most once; anything but APPLIED has changed nothing."""

    async def lines(self, tp: TopicPartition, keys: Sequence[tuple[EpochMs, str]]) -> list[str | None]:
        """Read the states of order lines, by (day, key), in the order asked.

        Only lines applied from partitions that share the shard of `tp` are seen,
        the same ones that `apply` compares with, so a conflict can be resolved by
        reading again.
        """


class DecideStore(Protocol):
    """State, log and outbox of the decide line."""

    async def load_state(self) -> tuple[int, str | None]:
        """Give the state's version and JSON; version 0 and None before the first write."""

    async def swap_state(
        self, version: int, state: str, outbox: Sequence[OutboxEntry], log: Sequence[LogEntry]
    ) -> bool:
        """Write state, outbox and log at once if the version still holds; tell whether it did.

        Outbox and log entries whose id is already known are not added again.
        """

    async def outbox(self, limit: int) -> list[OutboxEntry]:
        """Give the oldest entries not yet marked as sent, at most `limit`."""

    async def mark_sent(self, entry_ids: Sequence[str]) -> None:
        """Forget entries that the broker has acknowledged."""

    async def forget(self, kind: str, keys: Sequence[str]) -> None:
        """Drop kept records of a kind that no decision needs any more; unknown keys are ignored."""

    async def evidence(self, after: EpochMs, before: EpochMs, limit: int | None = None) -> list[EvidenceBucket]:
        """Give the seconds with orders in `[after, before)`, in order of time, the oldest `limit` of them."""

    async def sweep(self, horizon: EpochMs) -> int:
        """Delete what event time has left behind at `horizon`; give the number of keys deleted."""


class ReadStore(Protocol):
    """What readers need; safe on a replica."""

    async def progress(self) -> dict[TopicPartition, Progress]:
        """Give every partition ever applied and where it stands."""

    async def totals(self, scope: Scope, buckets: Iterable[Bucket]) -> dict[str, Totals]:
        """Sum buckets of a scope: member to totals; a member without data is absent."""

    async def facts(self, kind: str) -> dict[str, str]:
        """Give the kept records of a kind: key to JSON."""

    async def tallies(self) -> dict[str, int]:
        """Give the process-wide counts."""

    async def read_log(self, log: str, limit: int) -> list[str]:
        """Give the newest entries of a log as JSON, newest first, at most `limit`."""

    async def load_state(self) -> tuple[int, str | None]:
        """As in `DecideStore`."""

    async def switch(self) -> bool:
        """Tell whether the kill switch is set: no shift may leave while it is."""

    async def set_switch(self, on: bool, actor: str) -> None:
        """Set or clear the kill switch, with who did it."""


class Store(IngestStore, DecideStore, ReadStore, Protocol):
    """All of it, as `memory_store` and `redis_store` give it."""


class DeadLetter(NamedTuple):
    """A record that was refused: original bytes and where they came from.

    Attributes:
        value: original bytes; None for a tombstone.
        timestamp: the broker's record time in ms; None when not known.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str


class Sink(Protocol):
    """Where records go out. Both methods return only once the broker has acknowledged all of them."""

    async def publish(self, entries: Sequence[OutboxEntry]) -> None:
        """Publish decided records in order.

        Raises:
            ServiceUnavailable: not all were acknowledged; publish again, ids make it harmless.
        """

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Put refused records on `<topic>.dead`.

        Raises:
            ServiceUnavailable: not all were acknowledged; bury again.
        """


class RecordSlice(NamedTuple):
    """One fetched slice of a partition as the transport hands it over, contiguous in delivery.

    Attributes:
        offsets: offset of each value when the slice has holes (compaction); None when contiguous.
        timestamp: largest record time of the slice in ms, as the broker holds it.
        values: the records' values, in offset order; None for a tombstone.
        generation: group generation it was fetched under.
        end_offset: the partition's log end as the fetch knew it; None when not known.
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
