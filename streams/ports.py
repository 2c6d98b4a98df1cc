"""The seams between the two lines and the world: what a store and a sink must do.

Adapters implement these; `pipeline` knows nothing else. One contract suite
runs over every adapter of a port. The values that cross a seam are written in
`records` and are part of it, so both are imported from here.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from models.orders import LineSwap
from models.totals import Totals
from models.units import EpochMs
from models.visits import UsersOfDays
from models.windows import Bucket, BucketRef, Scope
from streams.records import (
    Applied,
    BatchWrite,
    Claim,
    DeadLetter,
    EvidenceBucket,
    Fact,
    Joined,
    Limit,
    LogEntry,
    OutboxEntry,
    Progress,
    RecordSlice,
    Redriven,
    Reply,
    TopicPartition,
)

__all__ = [
    "Applied",
    "BatchWrite",
    "BucketRef",
    "Claim",
    "DeadLetter",
    "DecideStore",
    "EvidenceBucket",
    "Fact",
    "IngestStore",
    "Joined",
    "Limit",
    "LineSwap",
    "LogEntry",
    "OutboxEntry",
    "Progress",
    "ReadStore",
    "RecordSlice",
    "Redriven",
    "Reply",
    "Sink",
    "Store",
    "TopicPartition",
]


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

    async def join(self, tp: TopicPartition, lines: Sequence[tuple[EpochMs, str]], visits: UsersOfDays) -> Joined:
        """Read what a slice of clicks or orders is held against: line states by (day, key), visits by day and user.

        The version is read first, so a write that lies between is a conflict when the slice is applied.
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

    async def totals(self, scope: Scope, buckets: Iterable[Bucket], region: str | None = None) -> dict[str, Totals]:
        """Sum buckets of a scope: member to totals; a member without data is absent.

        With a region only its members, which costs less than all; campaigns have no region.
        """

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

    async def limits(self) -> dict[str, Limit]:
        """Give the bounds that were set live, by name; a bound that is absent stands as the settings say."""

    async def set_limit(self, name: str, value: int | None, actor: str) -> None:
        """Set a bound for all workers at once; None gives it back to the settings."""

    async def note(self, facts: Sequence[Fact], *, replace: bool) -> list[bool]:
        """Keep facts that came from no slice; tell of each, in order, whether it was written.

        Args:
            facts: read back by `facts`, dropped by `forget`.
            replace: overwrite a fact whose key is known; False leaves it as it is, so that of many who note
                one key exactly one is told True.
        """


class Store(IngestStore, DecideStore, ReadStore, Protocol):
    """All of it, as `memory_store` and `redis_store` give it."""


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
