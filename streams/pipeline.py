"""The ingest line: bytes to totals, each slice of a partition counted exactly once.

```
slice -> cut the replayed prefix -> decode -> fold -> bury what is wrong -> one fenced write
```

The store decides what is progress, not the consumer group: a slice that was
applied before is cut, an old owner is refused, a hole is an error unless the
transport has said that the log itself lost those records. Live, backtest and
tests run this very code; only the store, the sink and the clock differ.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from models import codec
from models.codec import Decoded
from models.errors import Fenced, InvalidEvent, OffsetGap, ServiceUnavailable
from models.events import KINDS, Kind
from models.fold import Folded, Folder
from models.orders import Eligibility
from models.units import SECOND_MS, DurationMs, EpochMs
from models.visits import Known
from models.wire import WireImpression, WireOrder
from streams.deciding import Decider
from streams.keeping import KEPT, keep
from streams.ports import BatchWrite, DeadLetter, Fact, RecordSlice, Reply, Sink, Store, TopicPartition
from streams.settings import Settings

CONFLICT_TRIES: Final = 8
"""Order lines that change under us this often in a row: a producer keys one order in two ways, which is a fault."""


@dataclass(slots=True)
class _Held:
    """What this worker knows of a partition it owns.

    Attributes:
        epoch: the fence it claimed.
        next_offset: first offset not applied; None when nothing ever was.
        head: newest event time applied.
        buried: refused records before this offset are on the dead-letter topic already.
        lost_until: the log lost everything before this offset, as the transport found.
    """

    epoch: int
    next_offset: int | None
    head: EpochMs | None
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
        self._sink = sink
        self._settings = settings
        self._now = now
        self._held: dict[TopicPartition, _Held] = {}
        self._decider = Decider(store, sink, settings)
        ingest, eligible = settings.ingest, settings.rules.eligibility
        self._folder = Folder(
            settings.zone,
            DurationMs(ingest.max_future_s * SECOND_MS),
            Eligibility(eligible.category, eligible.price_cap_micros),
        )

    async def claim(self, tp: TopicPartition) -> int | None:
        """Become the owner of a partition; give the first offset not applied, None when none ever was.

        Raises:
            ServiceUnavailable: the store is away; claim again.
        """
        claim = await self._store.claim(tp)
        self._decider.wake(self._now())
        self._held[tp] = _Held(claim.epoch, claim.next_offset, claim.head)
        return claim.next_offset

    def revoke(self, tp: TopicPartition) -> None:
        """Forget a partition that went to another worker."""
        self._held.pop(tp, None)

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
        """
        for _ in range(CONFLICT_TRIES):
            held = self._held.get(part.tp)
            if held is None:
                raise Fenced(f"{part.tp.topic}/{part.tp.partition} is not owned by this worker")
            rest = _cut(part, held.next_offset)
            if rest is None:
                return
            try:
                if await self._settle(rest, held):
                    return
            except ServiceUnavailable:
                self._decider.wake(self._now())
                raise
        raise RuntimeError(f"order lines of {part.tp.topic}/{part.tp.partition} keep changing under their owner")

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
        folded, facts = await self._fold(part, held)
        await self._bury(part, held, folded.rejects)
        tallies = {**folded.tallies, **({f"lost:{part.tp.topic}": missing} if missing > 0 else {})}
        write = BatchWrite(
            tp=part.tp,
            epoch=held.epoch,
            first=part.first,
            next_offset=part.next_offset,
            allow_gap=missing > 0,
            head=folded.head,
            now=self._now(),
            caught_up=part.end_offset is None or part.next_offset >= part.end_offset,
            deltas=folded.deltas,
            vectors=folded.vectors,
            evidence=folded.evidence,
            lines=folded.lines,
            facts=facts,
            tallies=tallies,
        )
        reply, stands_at = await self._store.apply(write)
        if reply in (Reply.APPLIED, Reply.DUPLICATE):  # a duplicate is our own write whose answer was lost
            held.next_offset, held.head = part.next_offset, folded.head
            return True
        if reply is Reply.FENCED:
            if self._held.get(part.tp) is held:  # else we claimed it anew while this slice was in hand
                self.revoke(part.tp)
            raise Fenced(f"{part.tp.topic}/{part.tp.partition} belongs to a newer owner")
        if reply is Reply.GAP:
            held.next_offset = stands_at
            raise OffsetGap(f"{part.tp.topic}/{part.tp.partition}: the store went back to {stands_at}")
        if reply is Reply.OVERLAP:  # an answer was lost, and with it the head that this slice must be held against
            held.head = (await self._store.progress())[part.tp].head
        held.next_offset = stands_at  # OVERLAP: cut once more; CONFLICT: read the lines once more
        return False

    async def _fold(self, part: RecordSlice, held: _Held) -> tuple[Folded, Sequence[Fact]]:
        """Decode a slice and say what it changes."""
        kind, limit, time = KINDS[part.tp.topic], self._settings.ingest.max_event_bytes, EpochMs(part.timestamp)
        if kind in KEPT:
            return keep(kind, part.values, held.head, limit)
        decoded = codec.decode(kind, part.values, limit)
        if kind is not Kind.ORDERS:
            return self._folder.fold_ads(kind, cast("Decoded[WireImpression]", decoded), held.head, time), ()
        orders = cast("Decoded[WireOrder]", decoded)
        ids = self._folder.line_ids(orders.events)
        lines = dict(zip(ids, await self._store.lines(part.tp, ids), strict=True))
        visits = self._folder.visit_ids(orders.events) + self._folder.more_visit_ids(orders.events, lines)
        known = Known(lines=lines, visits=dict.fromkeys(visits))
        return self._folder.fold_orders(orders, known, held.head, time), ()

    async def _bury(self, part: RecordSlice, held: _Held, rejects: Sequence[tuple[int, InvalidEvent]]) -> None:
        """Put refused records on the dead-letter topic before progress passes them; once, if the slice comes again."""
        letters = []
        for index, verdict in rejects:
            offset = _offset(part, index)
            if offset >= held.buried:
                key = part.keys[index] if part.keys else None
                letters.append(
                    DeadLetter(
                        part.tp.topic,
                        part.tp.partition,
                        offset,
                        part.timestamp,
                        key,
                        part.values[index],
                        verdict.reason,
                        verdict.detail,
                    )
                )
        if letters:
            await self._sink.bury(letters)
        held.buried = part.next_offset


def _offset(part: RecordSlice, index: int) -> int:
    return part.first + index if part.offsets is None else part.offsets[index]


def _cut(part: RecordSlice, next_offset: int | None) -> RecordSlice | None:
    """Cut what the store has; None when it has all of it."""
    if next_offset is None or next_offset <= part.first:
        return part
    if next_offset >= part.next_offset:
        return None
    known = next_offset - part.first if part.offsets is None else bisect_left(part.offsets, next_offset)
    return part._replace(
        first=next_offset,
        values=part.values[known:],
        offsets=None if part.offsets is None else part.offsets[known:],
        keys=None if part.keys is None else part.keys[known:],
    )
