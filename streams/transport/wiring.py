"""What the transport asks of its surroundings; the app hands it in, tests hand in a recording."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.ports import TopicPartition


class Owner(Protocol):
    """Who keeps the truth about progress: the pipeline, with the store behind it."""

    async def claim(self, tp: TopicPartition) -> int | None:
        """Become the owner of a partition; give the first offset not applied, None when none ever was.

        Raises:
            ServiceUnavailable: the store is away; ask again.
        """

    def revoke(self, tp: TopicPartition) -> None:
        """Forget a partition that went to another worker."""

    def note_lost(self, tp: TopicPartition, until: int) -> None:
        """Accept that the log no longer has what lies before `until`."""


def no_lead(tp: TopicPartition) -> int:
    """Read nothing again."""
    return 0


class Observer(Protocol):
    """Who hears what the transport goes through, for metrics, health and the log."""

    def assigned(self, held: Mapping[TopicPartition, int]) -> None:
        """The partitions now read, each with the offset it is read from."""

    def revoked(self, tps: Sequence[TopicPartition]) -> None:
        """Partitions no longer read by this worker."""

    def trouble(self, where: str, sentence: str) -> None:
        """Something keeps data from flowing; said again while it lasts."""

    def recovered(self, where: str) -> None:
        """That something is over."""

    def lost(self, tp: TopicPartition, first: int, until: int) -> None:
        """The log dropped `[first, until)` before it was read."""

    def highwater(self, tp: TopicPartition, offset: int) -> None:
        """The broker's log ends at `offset`."""

    def committed(self, offsets: Mapping[TopicPartition, int], accepted: bool) -> None:
        """A commit was sent, and whether the broker took it."""

    def pressure(self, unacked: int, paused: bool) -> None:
        """So many records are handed out and not settled; `paused` while nothing more is taken in because of them."""

    def fatal(self, error: BaseException) -> None:
        """The process must end: it would stay up and read nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the app hands to its transport.

    Attributes:
        owner: who claims partitions and says where to start.
        observer: who hears of assignments, losses and faults.
        batched: topics read in slices of up to `slice_size` records; the others come one record a slice.
        slice_size: most records of a slice.
        max_unacked: records handed out and not acknowledged above which nothing more is fetched; a kilobyte counts as
            a record, so that large records do not fill the memory.
        fetch_max_wait_ms: longest wait of the broker for data to fetch.
        instance_id: name under which a restarted worker gets its partitions back at once; None for none.
        lead: how many offsets before its fence a partition just claimed is read from; the owner sees those records
            again, and they count for nothing.
    """

    owner: Owner
    observer: Observer
    batched: frozenset[str]
    slice_size: int
    max_unacked: int
    fetch_max_wait_ms: int
    instance_id: str | None = None
    lead: Callable[[TopicPartition], int] = no_lead

    def slice_records(self, topic: str) -> int:
        """Give the most records of a slice of this topic."""
        return self.slice_size if topic in self.batched else 1


class Wired(Protocol):
    """An app that carries its wiring."""

    wiring: Wiring
    loops: list[asyncio.AbstractEventLoop]
