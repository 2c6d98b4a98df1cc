"""A store in dictionaries: the definition of correct, and what `backtest` runs on."""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from models.totals import Totals
from models.units import EpochMs
from models.windows import Bucket, Scope
from streams.ports import (
    Applied,
    BatchWrite,
    BucketRef,
    Claim,
    EvidenceBucket,
    LogEntry,
    OutboxEntry,
    Progress,
    Reply,
    TopicPartition,
)
from streams.store.keys import FieldCodes
from streams.store.limits import LOG_CAP, bucket_expiry, check, lines_expiry, newest_swept


class MemoryStore:
    """Keeps everything for as long as the object lives; no threads, no clock, no limits but memory."""

    def __init__(self, zone: ZoneInfo | None = None) -> None:
        """Start empty.

        Args:
            zone: zone of days; None for Asia/Shanghai.
        """
        self._zone = zone or ZoneInfo("Asia/Shanghai")
        self._known_fields = FieldCodes()
        self._epochs: dict[TopicPartition, int] = {}
        self._progress: dict[TopicPartition, Progress] = {}
        self._buckets: dict[BucketRef, dict[str, int]] = {}
        self._lines: dict[EpochMs, dict[str, str]] = {}
        self._expiries: list[tuple[EpochMs, bool, BucketRef | EpochMs]] = []
        self._seconds: dict[EpochMs, dict[str, tuple[int, int]]] = {}
        self._starts: list[EpochMs] = []
        self._facts: dict[str, dict[str, str]] = {}
        self._tallies: dict[str, int] = {}
        self._version = 0
        self._state: str | None = None
        self._outbox: dict[str, OutboxEntry] = {}
        self._logs: dict[str, dict[str, str]] = {}
        self._switch = False

    # ingest

    async def claim(self, tp: TopicPartition) -> Claim:
        """As `IngestStore.claim`."""
        self._epochs[tp] = epoch = self._epochs.get(tp, 0) + 1
        known = self._progress.get(tp)
        return Claim(epoch, known.next_offset, known.head) if known else Claim(epoch, None, None)

    async def apply(self, write: BatchWrite) -> Applied:
        """As `IngestStore.apply`.

        Raises:
            ValueError: offsets run backwards, or a delta names no counter; nothing was written.
        """
        check(write)
        for cells in write.deltas.values():
            if not cells.keys() <= self._known_fields.keys():
                for field in cells:
                    self._known_fields[field]
        known = self._progress.get(write.tp)
        stored = known.next_offset if known else None
        reply = self._verdict(write, stored)
        if reply is not Reply.APPLIED:
            return Applied(reply, stored)
        heads = [head for head in (known and known.head, write.head) if head is not None]
        self._progress[write.tp] = Progress(write.next_offset, max(heads, default=None), write.now, write.caught_up)
        self._add(write)
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
        if any(self._lines.get(line.day, {}).get(line.key) != line.old for line in write.lines):
            return Reply.CONFLICT
        return Reply.APPLIED

    def _add(self, write: BatchWrite) -> None:
        for ref, cells in write.deltas.items():
            if not cells:
                continue
            kept = self._buckets.get(ref)
            if kept is None:
                kept = self._buckets[ref] = {}
                heapq.heappush(self._expiries, (bucket_expiry(ref, self._zone), False, ref))
            for field, amount in cells.items():
                kept[field] = kept.get(field, 0) + amount
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
        for name, amount in write.tallies.items():
            self._tallies[name] = self._tallies.get(name, 0) + amount

    def _keep(self, write: BatchWrite) -> None:
        for line in write.lines:
            if line.day not in self._lines:
                self._lines[line.day] = {}
                heapq.heappush(self._expiries, (lines_expiry(line.day, self._zone), True, line.day))
            self._lines[line.day][line.key] = line.new
        for fact in write.facts:
            self._facts.setdefault(fact.kind, {})[fact.key] = fact.body

    async def lines(self, tp: TopicPartition, keys: Sequence[tuple[EpochMs, str]]) -> list[str | None]:
        """As `IngestStore.lines`; there is one shard only."""
        return [self._lines.get(day, {}).get(key) for day, key in keys]

    # decide

    async def load_state(self) -> tuple[int, str | None]:
        """As `DecideStore.load_state`."""
        return self._version, self._state

    async def swap_state(
        self, version: int, state: str, outbox: Sequence[OutboxEntry], log: Sequence[LogEntry]
    ) -> bool:
        """As `DecideStore.swap_state`."""
        if version != self._version:
            return False
        self._version, self._state = version + 1, state
        for entry in outbox:
            self._outbox.setdefault(entry.entry_id, entry)
        for line in log:
            kept = self._logs.setdefault(line.log, {})
            kept.setdefault(line.entry_id, line.body)
            if len(kept) > LOG_CAP:
                del kept[next(iter(kept))]
        return True

    async def outbox(self, limit: int) -> list[OutboxEntry]:
        """As `DecideStore.outbox`."""
        return list(self._outbox.values())[: max(limit, 0)]

    async def mark_sent(self, entry_ids: Sequence[str]) -> None:
        """As `DecideStore.mark_sent`."""
        for entry_id in entry_ids:
            self._outbox.pop(entry_id, None)

    async def forget(self, kind: str, keys: Sequence[str]) -> None:
        """As `DecideStore.forget`."""
        for key in keys:
            self._facts.get(kind, {}).pop(key, None)

    async def evidence(self, after: EpochMs, before: EpochMs, limit: int | None = None) -> list[EvidenceBucket]:
        """As `DecideStore.evidence`."""
        starts = self._starts[bisect_left(self._starts, after) : bisect_left(self._starts, before)][:limit]
        return [EvidenceBucket(start, dict(self._seconds[start])) for start in starts]

    async def sweep(self, horizon: EpochMs) -> int:
        """As `DecideStore.sweep`."""
        gone = 0
        while self._expiries and self._expiries[0][0] <= horizon:
            _, _, kept = heapq.heappop(self._expiries)
            if isinstance(kept, BucketRef):
                del self._buckets[kept]
            else:
                del self._lines[kept]
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

    async def totals(self, scope: Scope, buckets: Iterable[Bucket]) -> dict[str, Totals]:
        """As `ReadStore.totals`."""
        members: dict[str, dict[str, int]] = {}
        for bucket in buckets:
            for field, amount in self._buckets.get(BucketRef(scope, bucket), {}).items():
                name, _, member = field.partition(":")
                counters = members.setdefault(member, {})
                counters[name] = counters.get(name, 0) + amount
        return {member: Totals.of(counters) for member, counters in members.items()}

    async def facts(self, kind: str) -> dict[str, str]:
        """As `ReadStore.facts`."""
        return dict(self._facts.get(kind, {}))

    async def tallies(self) -> dict[str, int]:
        """As `ReadStore.tallies`."""
        return dict(self._tallies)

    async def read_log(self, log: str, limit: int) -> list[str]:
        """As `ReadStore.read_log`."""
        return list(self._logs.get(log, {}).values())[::-1][: max(limit, 0)]

    async def switch(self) -> bool:
        """As `ReadStore.switch`."""
        return self._switch

    async def set_switch(self, on: bool, actor: str) -> None:
        """As `ReadStore.set_switch`."""
        self._switch = on
