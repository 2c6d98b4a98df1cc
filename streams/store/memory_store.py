"""A store in dictionaries: the definition of correct, and what `backtest` runs on."""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from models.events import TOPICS, Kind
from models.totals import Totals
from models.units import EpochMs
from models.visits import UsersOfDays
from models.windows import Bucket, Scope
from streams.ports import (
    Applied,
    BatchWrite,
    BucketRef,
    Claim,
    EvidenceBucket,
    Joined,
    Progress,
    Reply,
    TopicPartition,
)
from streams.store.keys import FieldCodes
from streams.store.limits import bucket_expiry, check, lines_expiry, newest_swept, visits_expiry
from streams.store.memory_decide import MemoryDecide
from streams.store.vectors import VectorSizes, added, by_member, check_vectors


class MemoryStore(MemoryDecide):
    """Keeps everything for as long as the object lives; no threads, no clock, no limits but memory."""

    def __init__(self, zone: ZoneInfo | None = None) -> None:
        """Start empty.

        Args:
            zone: zone of days; None for Asia/Shanghai.
        """
        super().__init__()
        self._zone = zone or ZoneInfo("Asia/Shanghai")
        self._known_fields = FieldCodes()
        self._known_sizes = VectorSizes()
        self._epochs: dict[TopicPartition, int] = {}
        self._progress: dict[TopicPartition, Progress] = {}
        self._joins: dict[int, int] = {}
        self._buckets: dict[BucketRef, dict[str, int]] = {}
        self._vectors: dict[BucketRef, dict[str, list[int]]] = {}
        self._lines: dict[EpochMs, dict[str, str]] = {}
        self._visits: dict[EpochMs, dict[str, str]] = {}
        self._expiries: list[tuple[EpochMs, str, BucketRef | EpochMs]] = []
        self._seconds: dict[EpochMs, dict[str, tuple[int, int]]] = {}
        self._starts: list[EpochMs] = []

    # ingest

    async def claim(self, tp: TopicPartition) -> Claim:
        """As `IngestStore.claim`."""
        self._epochs[tp] = epoch = self._epochs.get(tp, 0) + 1
        known = self._progress.get(tp)
        return Claim(epoch, known.next_offset, known.head) if known else Claim(epoch, None, None)

    async def apply(self, write: BatchWrite) -> Applied:
        """As `IngestStore.apply`.

        Raises:
            ValueError: offsets run backwards, or a delta or vector names nothing known; nothing was written.
        """
        check(write)
        for cells in write.deltas.values():
            if not cells.keys() <= self._known_fields.keys():
                for field in cells:
                    self._known_fields[field]
        check_vectors(write.vectors, self._known_sizes)
        known = self._progress.get(write.tp)
        stored = known.next_offset if known else None
        reply = self._verdict(write, stored)
        if reply is not Reply.APPLIED:
            return Applied(reply, stored)
        heads = [head for head in (known and known.head, write.head) if head is not None]
        self._progress[write.tp] = Progress(write.next_offset, max(heads, default=None), write.now, write.caught_up)
        if write.join is not None:
            self._joins[write.tp.partition] = write.join + 1
        self._add(write)
        self._add_evidence(write)
        self._keep(write)
        return Applied(reply, write.next_offset)

    def _verdict(self, write: BatchWrite, stored: int | None) -> Reply:
        if write.epoch != self._epochs.get(write.tp):
            return Reply.FENCED
        if stored is not None:
            if write.next_offset <= stored:
                return Reply.DUPLICATE
            if write.first < stored:
                return Reply.OVERLAP
            if write.first > stored and not write.allow_gap:
                return Reply.GAP
        elif write.begun:
            return Reply.GAP
        if write.join is not None and write.join != self._joins.get(write.tp.partition, 0):
            return Reply.CONFLICT
        if any(self._lines.get(line.day, {}).get(line.key) != line.old for line in write.lines):
            return Reply.CONFLICT
        return Reply.APPLIED

    def _add(self, write: BatchWrite) -> None:
        for ref, cells in write.deltas.items():
            if cells:
                kept = self._opened(ref)[0]
                for field, amount in cells.items():
                    kept[field] = kept.get(field, 0) + amount
        for ref, vectors in write.vectors.items():
            if vectors:
                sums = self._opened(ref)[1]
                for name, amounts in vectors.items():
                    sums[name] = added(sums.get(name, ()), amounts)
        for name, amount in write.tallies.items():
            self._tallies[name] = self._tallies.get(name, 0) + amount

    def _opened(self, ref: BucketRef) -> tuple[dict[str, int], dict[str, list[int]]]:
        if ref not in self._buckets:
            self._buckets[ref], self._vectors[ref] = {}, {}
            heapq.heappush(self._expiries, (bucket_expiry(ref, self._zone), "bucket", ref))
        return self._buckets[ref], self._vectors[ref]

    def _add_evidence(self, write: BatchWrite) -> None:
        for start, counts in write.evidence.items():
            if not counts:
                continue
            if start not in self._seconds:
                self._seconds[start] = {}
                insort(self._starts, start)
            second = self._seconds[start]
            for region, (eligible, subsidised) in counts.items():
                before = second.get(region, (0, 0))
                second[region] = (before[0] + eligible, before[1] + subsidised)

    def _keep(self, write: BatchWrite) -> None:
        for line in write.lines:
            if line.day not in self._lines:
                self._lines[line.day] = {}
                heapq.heappush(self._expiries, (lines_expiry(line.day, self._zone), "lines", line.day))
            self._lines[line.day][line.key] = line.new
        for day, visits in write.visits.items():
            if day not in self._visits and visits:
                self._visits[day] = {}
                heapq.heappush(self._expiries, (visits_expiry(day, self._zone), "visits", day))
            if visits:
                self._visits[day].update(visits)
        for fact in write.facts:
            self._facts.setdefault(fact.kind, {})[fact.key] = fact.body

    async def lines(self, tp: TopicPartition, keys: Sequence[tuple[EpochMs, str]]) -> list[str | None]:
        """As `IngestStore.lines`; there is one shard only."""
        return [self._lines.get(day, {}).get(key) for day, key in keys]

    async def join(self, tp: TopicPartition, lines: Sequence[tuple[EpochMs, str]], visits: UsersOfDays) -> Joined:
        """As `IngestStore.join`; there is one shard only."""
        orders, clicks = (
            self._progress.get(TopicPartition(TOPICS[kind], tp.partition)) for kind in (Kind.ORDERS, Kind.CLICKS)
        )
        return Joined(
            self._joins.get(tp.partition, 0),
            orders.head if orders else None,
            clicks.head if clicks else None,
            await self.lines(tp, lines),
            {day: self._visits_of(day, users) for day, users in visits.items()},
        )

    def _visits_of(self, day: EpochMs, users: Sequence[str]) -> dict[str, str]:
        kept = self._visits.get(day, {})
        return {user: kept[user] for user in users if user in kept}

    # decide

    async def evidence(self, after: EpochMs, before: EpochMs, limit: int | None = None) -> list[EvidenceBucket]:
        """As `DecideStore.evidence`."""
        starts = self._starts[bisect_left(self._starts, after) : bisect_left(self._starts, before)][:limit]
        return [EvidenceBucket(start, dict(self._seconds[start])) for start in starts]

    async def sweep(self, horizon: EpochMs) -> int:
        """As `DecideStore.sweep`."""
        gone = 0
        while self._expiries and self._expiries[0][0] <= horizon:
            _, kind, kept = heapq.heappop(self._expiries)
            if isinstance(kept, BucketRef):
                del self._buckets[kept], self._vectors[kept]
            else:
                del (self._lines if kind == "lines" else self._visits)[kept]
            gone += 1
        old = self._starts[: bisect_right(self._starts, newest_swept(horizon))]
        del self._starts[: len(old)]
        for start in old:
            del self._seconds[start]
        return gone + len(old)

    # read

    async def progress(self) -> dict[TopicPartition, Progress]:
        """As `ReadStore.progress`."""
        return dict(self._progress)

    async def totals(self, scope: Scope, buckets: Iterable[Bucket], region: str | None = None) -> dict[str, Totals]:
        """As `ReadStore.totals`."""
        plain: dict[str, int] = {}
        vectors: dict[str, list[int]] = {}
        for bucket in buckets:
            ref = BucketRef(scope, bucket)
            for field, amount in self._buckets.get(ref, {}).items():
                plain[field] = plain.get(field, 0) + amount
            for name, amounts in self._vectors.get(ref, {}).items():
                vectors[name] = added(vectors.get(name, ()), amounts)
        members = by_member(vectors.items())
        for field, amount in plain.items():
            counter, _, member = field.partition(":")
            members.setdefault(member, {})[counter] = amount
        return {
            member: Totals.of(counters)
            for member, counters in members.items()
            if region is None or member.partition(":")[0] == region
        }
