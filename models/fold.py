"""A slice's events to everything they change: the hot path of the ingest line, without I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from zoneinfo import ZoneInfo

from models.ads import ad_pieces
from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.lateness import Gate
from models.orderbook import Evidence, LineId, OrderBook
from models.orders import Eligibility, LineSwap, line_key
from models.rollup import Deltas, roll_up
from models.units import DurationMs, EpochMs
from models.windows import day_of
from models.wire import WireClick, WireImpression, WireOrder

Rejects = Sequence[tuple[int, InvalidEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a slice changes.

    Attributes:
        head: newest event time after the slice; None if no event was accepted yet.
        deltas: per bucket, `"counter:member"` to an amount to add; mappings are shared, so not to be changed.
        evidence: per second of `placed_at`, region to (eligible, subsidised) orders.
        lines: order lines to swap, each line once.
        rejects: position in the slice and verdict of every refused record, those of the decoder included, in order.
        tallies: `accepted:KIND`, `duplicates:KIND`, `late:KIND` and `rejected:KIND:REASON` to a count; no entry is 0.
    """

    head: EpochMs | None
    deltas: Deltas = field(default_factory=dict)
    evidence: Evidence = field(default_factory=dict)
    lines: Sequence[LineSwap] = ()
    rejects: Rejects = ()
    tallies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds slices under fixed settings; keeps nothing between them.

    Attributes:
        zone: zone of days.
        max_future_ms: event time may run this far ahead of the broker's, inclusive.
        eligibility: which order lines are evidence of a subsidy.
    """

    zone: ZoneInfo
    max_future_ms: DurationMs
    eligibility: Eligibility

    def fold_ads(
        self,
        kind: Kind,
        decoded: Decoded[WireImpression] | Decoded[WireClick],
        head: EpochMs | None,
        timestamp: EpochMs,
    ) -> Folded:
        """Fold impressions or clicks.

        Args:
            kind: which of the two.
            decoded: what `models.codec.decode` made of the slice.
            head: newest event time of the partition before the slice; None before its first event.
            timestamp: the broker's largest record time of the slice.
        """
        gate = self._gate(head, timestamp)
        pieces, refused = ad_pieces(kind, decoded, gate)
        rejects = _in_order(decoded.rejects, refused)
        return Folded(
            head=gate.head,
            deltas=roll_up(pieces, self.zone),
            rejects=rejects,
            tallies=_tallies(kind, rejects, accepted=len(decoded.events) - len(refused), late=gate.late),
        )

    def line_ids(self, orders: Sequence[WireOrder]) -> list[LineId]:
        """Name the lines whose states `fold_orders` needs, each once, in order of appearance."""
        return list(dict.fromkeys(map(self._line_id, orders)))

    def fold_orders(
        self,
        decoded: Decoded[WireOrder],
        states: Mapping[LineId, str | None],
        head: EpochMs | None,
        timestamp: EpochMs,
    ) -> Folded:
        """Fold order records.

        Args:
            decoded: what `models.codec.decode` made of the slice.
            states: the state of every line of `line_ids(decoded.events)`; None where there is none.
            head: newest event time of the partition before the slice; None before its first event.
            timestamp: the broker's largest record time of the slice.

        Raises:
            KeyError: a line is missing in `states`.
        """
        gate, book = self._gate(head, timestamp), OrderBook(self.eligibility, states)
        refused = []
        for position, order in zip(decoded.positions, decoded.events, strict=True):
            at = EpochMs(order.at)
            try:
                book.enter(order, self._line_id(order), gate.judge(at, EpochMs(order.placed_at)))
            except InvalidEvent as verdict:
                refused.append((position, verdict))
            else:
                gate.enter(at)
        rejects = _in_order(decoded.rejects, refused)
        accepted = len(decoded.events) - len(refused) - book.duplicates
        return Folded(
            head=gate.head,
            deltas=roll_up(book.pieces(), self.zone),
            evidence=book.evidence,
            lines=book.swaps(),
            rejects=rejects,
            tallies=_tallies(Kind.ORDERS, rejects, accepted=accepted, duplicates=book.duplicates, late=gate.late),
        )

    def _gate(self, head: EpochMs | None, timestamp: EpochMs) -> Gate:
        return Gate(self.zone, head, EpochMs(timestamp + self.max_future_ms))

    def _line_id(self, order: WireOrder) -> LineId:
        return day_of(EpochMs(order.placed_at), self.zone), line_key(order.order_id, order.line)


def _in_order(*rejects: Rejects) -> Rejects:
    return sorted(chain(*rejects), key=lambda reject: reject[0])


def _tallies(kind: Kind, rejects: Rejects, **counts: int) -> dict[str, int]:
    """Name the counts of a slice; `rejected` once per reason."""
    named = {f"{name}:{kind}": count for name, count in counts.items() if count}
    return named | Counter(f"rejected:{kind}:{verdict.reason}" for _, verdict in rejects)
