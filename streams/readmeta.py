"""Is it alive, how far is it, may it move money: what every view shows above the figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.units import EpochMs
from streams.deciding import watermark
from streams.ports import Progress, ReadStore, TopicPartition
from streams.readmodel import head_of
from streams.settings import Settings

STALE_MS: Final = 30_000
"""Wall time without a new record after which the figures are called stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """State of the whole.

    Attributes:
        now: wall clock of the reader.
        head: newest event time; None before the first event.
        watermark: event time before which evidence is closed; None before the first event.
        last_write: wall time of the newest write; None before the first.
        records: records read so far, refused ones included.
        tallies: process-wide counts, for example of refused records by reason.
        mode: how far shifts may go, as this reader's settings say.
        killed: no shift may leave until someone resumes.
        category: category that is watched.
        config_hash: content hash of the rules this reader runs with.
    """

    now: EpochMs
    head: EpochMs | None
    watermark: EpochMs | None
    last_write: EpochMs | None
    records: int
    tallies: Mapping[str, int]
    mode: str
    killed: bool
    category: str
    config_hash: str

    @property
    def idle_ms(self) -> int | None:
        """Wall time since the newest write; None before the first."""
        return None if self.last_write is None else max(0, self.now - self.last_write)

    @property
    def state(self) -> str:
        """`live`, `stale` (nothing new for `STALE_MS`) or `empty` (nothing ever)."""
        if self.idle_ms is None:
            return "empty"
        return "stale" if self.idle_ms > STALE_MS else "live"


async def read_meta(store: ReadStore, settings: Settings, now: EpochMs) -> Meta:
    """Read the state of the whole.

    Raises:
        ServiceUnavailable: the store is away.
    """
    progress = await store.progress()
    ingest = settings.ingest
    return Meta(
        now=now,
        head=head_of(progress),
        watermark=watermark(progress, now, int(ingest.idle_s * 1000), int(ingest.lateness_s * 1000)),
        last_write=_last_write(progress),
        records=sum(step.next_offset for step in progress.values()),
        tallies=await store.tallies(),
        mode=settings.rules.guards.mode,
        killed=await store.switch(),
        category=settings.rules.eligibility.category,
        config_hash=settings.rules.config_hash,
    )


def _last_write(progress: Mapping[TopicPartition, Progress]) -> EpochMs | None:
    return max((step.seen for step in progress.values()), default=None)
