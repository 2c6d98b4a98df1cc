"""A slice's events to everything they change: the hot path of the ingest line, without I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from zoneinfo import ZoneInfo

from models.ads import ad_pieces
from models.asking import users_of_clicks, users_of_orders
from models.attribution import Attribution
from models.clickbook import candidates, moved, visited
from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.lateness import Gate
from models.orderbook import Evidence, OrderBook, Terms
from models.orders import Eligibility, LineId, LineSwap, line_key
from models.rollup import Deltas, Vectors, roll_up
from models.units import DurationMs, EpochMs
from models.visits import Known, UsersOfDays, VisitTexts
from models.windows import day_of
from models.wire import WireClick, WireImpression, WireOrder

Rejects = Sequence[tuple[int, InvalidEvent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a slice changes.

    Attributes:
        head: newest event time after the slice; None if no event was accepted yet.
        deltas: per bucket, `"counter:member"` to an amount to add; mappings are shared, so not to be changed.
        vectors: per bucket, `"group:member"` to amounts to add, by position in `models.totals.GROUPS`; shared likewise.
        evidence: per second of `placed_at`, region to (eligible, subsidised) orders.
        lines: order lines to swap, each line once.
        visits: what users did on a day, to keep: day to user to text.
        rejects: position in the slice and verdict of every refused record, those of the decoder included, in order.
        tallies: `accepted:KIND`, `duplicates:KIND`, `late:KIND`, `rejected:KIND:REASON`, `late:attribution`,
            `forgotten:clicks`, `forgotten:lines`, `late_by:KIND:CLASS` and `delay:CLASS` to a count; no entry is 0.
            Delays go down when the credit of a line moves.
    """

    head: EpochMs | None
    deltas: Deltas = field(default_factory=dict)
    vectors: Vectors = field(default_factory=dict)
    evidence: Evidence = field(default_factory=dict)
    lines: Sequence[LineSwap] = ()
    visits: VisitTexts = field(default_factory=dict)
    rejects: Rejects = ()
    tallies: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds slices under fixed settings; keeps nothing between them.

    A slice of clicks is read with `visits_of`, then `lines_of`; a slice of
    orders with `line_ids` and `visit_ids`, then `more_visit_ids`. All that was
    read goes into one `Known`.

    Attributes:
        zone: zone of days.
        max_future_ms: event time may run this far ahead of the broker's, inclusive.
        eligibility: which order lines are evidence of a subsidy.
        attribution: which click an order line counts for.
    """

    zone: ZoneInfo
    max_future_ms: DurationMs
    eligibility: Eligibility
    attribution: Attribution = field(default_factory=Attribution)

    def fold_ads(
        self,
        kind: Kind,
        decoded: Decoded[WireImpression] | Decoded[WireClick],
        head: EpochMs | None,
        timestamp: EpochMs,
        duplicates: int = 0,
    ) -> Folded:
        """Fold impressions, or clicks as far as they count by themselves.

        Args:
            kind: which of the two.
            decoded: what `models.codec.decode` made of the slice, without duplicates.
            head: newest event time of the partition before the slice; None before its first event.
            timestamp: the broker's largest record time of the slice.
            duplicates: records of the slice that were left out, because they are copies.
        """
        gate = self._gate(head, timestamp)
        pieces, refused = ad_pieces(kind, decoded, gate)
        rejects = _in_order(decoded.rejects, refused)
        accepted = len(decoded.events) - len(refused)
        return Folded(
            head=gate.head,
            deltas=roll_up(pieces, self.zone),
            rejects=rejects,
            tallies=_tallies(kind, rejects, gate, accepted=accepted, duplicates=duplicates),
        )

    def visits_of(self, clicks: Sequence[WireClick], orders_head: EpochMs | None) -> UsersOfDays:
        """Name the visits that `fold_clicks` needs, each once.

        Args:
            clicks: the slice.
            orders_head: newest event time of the orders of this partition number. When the head that is read along
                with the visits lies on a later day, ask again with that one.
        """
        return users_of_clicks(clicks, orders_head, self.attribution.window_ms, self.zone)

    def lines_of(self, clicks: Sequence[WireClick], visits: VisitTexts) -> list[LineId]:
        """Name the lines that `fold_clicks` needs: those which the clicks may be credited with; mostly none."""
        return [line for line, _ in candidates(clicks, visits, self.attribution.window_ms)]

    def fold_clicks(
        self,
        decoded: Decoded[WireClick],
        known: Known,
        head: EpochMs | None,
        timestamp: EpochMs,
        duplicates: int = 0,
    ) -> Folded:
        """Fold clicks: count them, keep them for orders to come, and move the credit of orders that came before.

        Args:
            decoded: as in `fold_ads`.
            known: visits of `visits_of` and lines of `lines_of`.
            head: as in `fold_ads`.
            timestamp: as in `fold_ads`.
            duplicates: as in `fold_ads`.

        Raises:
            KeyError: a visit or line is missing in `known`.
        """
        counted = self.fold_ads(Kind.CLICKS, decoded, head, timestamp, duplicates)
        clicks: Sequence[WireClick] = decoded.events
        if len(counted.rejects) > len(decoded.rejects):
            refused = {position for position, _ in counted.rejects}
            pairs = zip(decoded.positions, clicks, strict=True)
            clicks = [click for position, click in pairs if position not in refused]
        visits, forgotten = visited(clicks, known, self.attribution, self.zone)
        lines, cells, delays = moved(clicks, known, self.attribution, self.zone)
        return Folded(
            head=counted.head,
            deltas=counted.deltas,
            vectors=cells.vectors(_newer(counted.head, known.orders_head)),
            lines=lines,
            visits=visits,
            rejects=counted.rejects,
            tallies={**counted.tallies, **_nonzero({"forgotten:clicks": forgotten, **delays})},
        )

    def line_ids(self, orders: Sequence[WireOrder]) -> list[LineId]:
        """Name the lines whose states `fold_orders` needs, each once, in order of appearance."""
        return list(dict.fromkeys(self._line_ids(orders)))

    def visit_ids(self, orders: Sequence[WireOrder]) -> UsersOfDays:
        """Name the visits that `fold_orders` needs if every line begins with its placing, each once."""
        placed = (order for order in orders if order.status == "placed")
        return users_of_orders(placed, self.attribution.window_ms, self.zone)

    def more_visit_ids(self, orders: Sequence[WireOrder], lines: Mapping[LineId, str | None]) -> UsersOfDays:
        """Name the visits that it needs as well, for lines that begin with another record; mostly none."""
        others = [order for order in orders if order.status != "placed"]
        late = [order for order, line in zip(others, self._line_ids(others), strict=True) if lines[line] is None]
        if not late:
            return {}
        asked, known = users_of_orders(late, self.attribution.window_ms, self.zone), self.visit_ids(orders)
        unknown = {day: set(users).difference(known.get(day, ())) for day, users in asked.items()}
        return {day: sorted(users) for day, users in unknown.items() if users or day not in known}

    def fold_orders(
        self, decoded: Decoded[WireOrder], known: Known, head: EpochMs | None, timestamp: EpochMs
    ) -> Folded:
        """Fold order records.

        Args:
            decoded: what `models.codec.decode` made of the slice.
            known: lines of `line_ids`, and visits of `visit_ids` and `more_visit_ids`.
            head: newest event time of the partition before the slice; None before its first event.
            timestamp: the broker's largest record time of the slice.

        Raises:
            KeyError: a line or visit is missing in `known`.
        """
        gate, book = self._gate(head, timestamp), OrderBook(self._terms(), known)
        refused = book.enter_all(decoded, self._line_ids(decoded.events), gate)
        rejects = _in_order(decoded.rejects, refused)
        accepted = len(decoded.events) - len(refused) - book.duplicates
        tallies = _tallies(Kind.ORDERS, rejects, gate, accepted=accepted, duplicates=book.duplicates)
        visits, (clicks, lines) = book.visits()
        forgotten = {
            "late:attribution": book.late,
            "forgotten:clicks": clicks,
            "forgotten:lines": lines,
            **book.delays(),
        }
        return Folded(
            head=gate.head,
            vectors=book.cells.vectors(_newer(gate.head, known.clicks_head)),
            evidence=book.evidence,
            lines=book.swaps(),
            visits=visits,
            rejects=rejects,
            tallies={**tallies, **_nonzero(forgotten)},
        )

    def _gate(self, head: EpochMs | None, timestamp: EpochMs) -> Gate:
        return Gate(self.zone, head, EpochMs(timestamp + self.max_future_ms))

    def _terms(self) -> Terms:
        return Terms(self.zone, self.eligibility, self.attribution)

    def _line_ids(self, orders: Sequence[WireOrder]) -> list[LineId]:
        """Name the line of each order; most slices lie within one day."""
        if not orders:
            return []
        times = [EpochMs(order.placed_at) for order in orders]
        days = {day_of(min(times), self.zone), day_of(max(times), self.zone)}
        if len(days) == 1:
            (day,) = days
            return [(day, line_key(order.order_id, order.line)) for order in orders]
        places = zip(times, orders, strict=True)
        return [(day_of(at, self.zone), line_key(order.order_id, order.line)) for at, order in places]


def _newer(head: EpochMs | None, other: EpochMs | None) -> EpochMs | None:
    heads = [known for known in (head, other) if known is not None]
    return max(heads, default=None)


def _in_order(*rejects: Rejects) -> Rejects:
    return sorted(chain(*rejects), key=lambda reject: reject[0])


def _nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _tallies(kind: Kind, rejects: Rejects, gate: Gate, **counts: int) -> dict[str, int]:
    """Name the counts of a slice; `rejected` once per reason, `late_by` once per class."""
    counts["late"] = gate.late
    named = {f"{name}:{kind}": count for name, count in counts.items() if count}
    named |= {f"late_by:{kind}:{name}": count for name, count in gate.late_by.items()}
    return named | Counter(f"rejected:{kind}:{verdict.reason}" for _, verdict in rejects)
