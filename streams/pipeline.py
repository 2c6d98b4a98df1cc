"""The ingest line: bytes to totals, each slice of a partition counted exactly once.

```
slice -> cut the replayed prefix -> decode -> fold -> bury what is wrong -> one fenced write
```

The store decides what is progress, not the consumer group: a slice that was
applied before is cut, an old owner is refused, a hole is an error unless the
transport has said that the log itself lost those records. Live, backtest and
tests run this very code; only the store, the sink and the clock differ.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from models.errors import CrashingRecord, Fenced, MonitorError, OffsetGap, ServiceUnavailable
from models.events import KINDS, Kind
from models.recent import Recent
from models.units import EpochMs
from streams.burying import Burial
from streams.cutting import first_values, from_offset
from streams.deciding import Decider
from streams.folding import Change, Folding
from streams.keeping import KEPT
from streams.losses import loss
from streams.ports import BatchWrite, RecordSlice, Reply, Sink, Store, TopicPartition
from streams.repeats import Windows
from streams.settings import Settings
from streams.sparing import refused

CONFLICT_TRIES: Final = 24
"""A slice of one record that others change under us this often in a row is put off, and said as trouble."""

JOINED: Final = frozenset({Kind.CLICKS, Kind.ORDERS})
"""Kinds that are held against each other."""


@dataclass(slots=True)
class _Held:
    """What this worker knows of a partition it owns.

    Attributes:
        epoch: the fence it claimed.
        next_offset: first offset not applied; None when nothing ever was.
        head: newest event time applied.
        window: ids of the last records; None for a topic without a window.
        buried: refused records before this offset are on the dead-letter topic already.
        lost_until: the log lost everything before this offset, as the transport found.
    """

    epoch: int
    next_offset: int | None
    head: EpochMs | None
    window: Recent | None = None
    buried: int = 0
    lost_until: int = 0


class Pipeline:
    """Both lines on one store and one sink; owns partitions on behalf of the transport."""

    def __init__(self, store: Store, sink: Sink, settings: Settings, now: Callable[[], EpochMs]) -> None:
        """Take the ports; nothing is read before the first claim.

        Args:
            store: where totals and progress live.
            sink: where dead letters and decisions go.
            settings: bounds of what is accepted, and the rules.
            now: wall clock, for idle detection only.
        """
        self._store = store
        self._now = now
        self._held: dict[TopicPartition, _Held] = {}
        self._decider = Decider(store, sink, settings)
        self._burial = Burial(store, sink, settings.ingest.dead_letter_limit)
        self._folding = Folding(store, settings, now)
        self._joins: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._windows = Windows(settings.ingest.duplicate_window, now)

    async def claim(self, tp: TopicPartition) -> int | None:
        """Become the owner of a partition; give the first offset not applied, None when none ever was.

        Raises:
            ServiceUnavailable: the store is away; claim again.
        """
        claim = await self._store.claim(tp)
        self._decider.wake(self._now())
        self._held[tp] = _Held(claim.epoch, claim.next_offset, claim.head, self._windows.claim(tp, claim.next_offset))
        return claim.next_offset

    def lead(self, tp: TopicPartition) -> int:
        """Give how many offsets before its first one not applied a partition just claimed must be read from.

        Those records are looked at for their ids only.
        """
        held = self._held.get(tp)
        return 0 if held is None else self._windows.lead(tp, held.next_offset)

    def revoke(self, tp: TopicPartition) -> None:
        """Forget a partition that went to another worker."""
        if self._held.pop(tp, None) is not None:
            self._windows.revoke(tp)

    def note_lost(self, tp: TopicPartition, until: int) -> None:
        """Accept that the log no longer has what lies before `until`; the store counts the records as lost."""
        if tp in self._held:
            self._held[tp].lost_until = until

    async def ingest(self, part: RecordSlice) -> None:
        """Count a slice exactly once, and return when the store has it.

        Safe to call again with the same slice after any error: what was applied is cut.

        Raises:
            ServiceUnavailable: store or broker is away; nothing is lost, call again.
            Fenced: the partition has another owner, or was never claimed here.
            OffsetGap: records between the store's offset and this slice were never seen.
            DeadLetterLimit: the slice holds more refused records than may still be; nothing of it was written.
        """
        held = self._held.get(part.tp)
        if held is None:
            raise Fenced(f"{part.tp.topic}/{part.tp.partition} is not owned by this worker")
        self._windows.drop_old()
        self._folding.look_back(part, held.window, held.next_offset)
        tries, most, growth = 0, max(1, len(part.values)), 1
        while (rest := from_offset(part, held.next_offset)) is not None:
            if tries == CONFLICT_TRIES:
                raise ServiceUnavailable(f"{part.tp.topic}/{part.tp.partition}: another worker keeps changing its join")
            try:
                settled = await self._settle(first_values(rest, most), held)
            except ServiceUnavailable:
                self._decider.wake(self._now())
                raise
            except CrashingRecord:  # halve until it is alone, then take more again: all others are counted
                most, growth = min(most, len(rest.values)) // 2, 2
                continue
            if settled:
                tries, most = 0, growth * most
            else:  # the shorter a slice, the sooner it is written, so of two workers neither starves
                tries, most = tries + 1, max(1, most // 2)

    async def decide(self, now: EpochMs) -> int:
        """Run the decide line once; give the number of decisions.

        Raises:
            ServiceUnavailable: store or broker is away; run again.
        """
        unread = any(held.next_offset is None for tp, held in self._held.items() if KINDS[tp.topic] not in KEPT)
        try:
            return await self._decider.run(now, unread=unread)
        except ServiceUnavailable:
            self._decider.wake(now)
            raise

    async def _settle(self, part: RecordSlice, held: _Held) -> bool:
        """Bring a slice that starts at the store's offset into the store; False when it must be tried again."""
        missing = part.first - (part.first if held.next_offset is None else held.next_offset)
        if missing > 0 and part.first > held.lost_until:
            where = f"{part.tp.topic}/{part.tp.partition}"
            raise OffsetGap(f"{where}: the store stands at {held.next_offset}, the log gave {part.first}")
        kind = KINDS[part.tp.topic]
        async with self._joins[part.tp.partition] if kind in JOINED else nullcontext():
            if self._held.get(part.tp) is not held:  # since we waited; the window may belong to the new claim by now
                raise Fenced(f"{part.tp.topic}/{part.tp.partition} was given up or claimed anew")
            change = await self._fold(part, held)
            async with self._burial.turn(change.folded.rejects):
                return await self._write(part, held, change, missing)

    async def _fold(self, part: RecordSlice, held: _Held) -> Change:
        """Say what a slice changes; a record that our own code cannot take is refused like a bad one.

        Raises:
            ServiceUnavailable: the store is away.
            CrashingRecord: some record of several crashes the code.
            StoreFault: the store failed in a way that is not known.
        """
        try:
            return await self._folding.fold(part, held.head, held.window)
        except MonitorError:
            raise
        except Exception as fault:  # a mistake of ours must not stop everybody's records
            if len(part.values) > 1:
                raise CrashingRecord(repr(fault)) from fault
            return Change(refused(part, held.head, fault))

    async def _write(self, part: RecordSlice, held: _Held, change: Change, missing: int) -> bool:
        folded = change.folded
        await self._burial.bury(part, folded.rejects, held.buried)
        held.buried = part.next_offset
        tallies = {**folded.tallies, **({f"lost:{part.tp.topic}": missing} if missing > 0 else {})}
        write = BatchWrite(
            tp=part.tp,
            epoch=held.epoch,
            first=part.first,
            next_offset=part.next_offset,
            allow_gap=missing > 0,
            begun=held.next_offset is not None,
            head=folded.head,
            now=self._now(),
            caught_up=part.end_offset is None or part.next_offset >= part.end_offset,
            deltas=folded.deltas,
            vectors=folded.vectors,
            evidence=folded.evidence,
            lines=folded.lines,
            visits=folded.visits,
            join=change.join,
            facts=[*change.facts, *([loss(part, missing, held.head, folded.head)] if missing > 0 else [])],
            tallies=tallies,
        )
        reply, stands_at = await self._store.apply(write)
        if reply in (Reply.APPLIED, Reply.DUPLICATE):  # a duplicate is our own write whose answer was lost
            held.next_offset, held.head = part.next_offset, folded.head
            return True
        if reply in (Reply.FENCED, Reply.GAP):
            if self._held.get(part.tp) is held:  # else we claimed it anew while this slice was in hand
                self.revoke(part.tp)
            where = f"{part.tp.topic}/{part.tp.partition}"
            if reply is Reply.GAP:
                raise OffsetGap(f"{where}: the store went back to {stands_at}")
            raise Fenced(f"{where} belongs to a newer owner")
        if reply is Reply.OVERLAP:  # an answer was lost, and with it the head that this slice must be held against
            held.head = (await self._store.progress())[part.tp].head
        held.next_offset = stands_at  # OVERLAP: cut once more; CONFLICT: read what it is held against once more
        return False
