"""A slice's events to everything they change: the hot path of the ingest line, without I/O.

Verdicts follow the order of the records, not the cut of the slices: the head is
the newest event time among the records accepted so far, and each record is held
against it. A refused record moves no head.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.lateness import FRESH_MS, KEPT_BY_ALL, MINUTE_OF_REGION, kept_by
from models.orders import Eligibility, LineSwap, Step, advance, line_key
from models.rollup import Deltas, Fields, Piece, roll_up
from models.units import MINUTE_MS, DurationMs, EpochMs
from models.windows import day_of, minute_of
from models.wire import WireClick, WireImpression, WireOrder

LineId = tuple[EpochMs, str]
"""Where a line's state is kept: local midnight of `placed_at`, and `line_key`."""

Evidence = dict[EpochMs, dict[str, tuple[int, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a slice changes.

    Attributes:
        head: newest event time after the slice; None if no event was accepted yet.
        deltas: per bucket, `"counter:member"` to an amount to add; not to be changed, mappings are shared.
        evidence: per second of `placed_at`, region to (eligible, subsidised) orders.
        lines: order lines to swap, each line once.
        rejects: position in the slice and verdict of every refused record, those of the decoder included, in order.
        tallies: `accepted:KIND`, `late:KIND`, `duplicates:KIND`, `rejected:KIND:REASON` to a count; no entry is 0.
    """

    head: EpochMs | None
    deltas: Deltas = field(default_factory=dict)
    evidence: Evidence = field(default_factory=dict)
    lines: Sequence[LineSwap] = ()
    rejects: Sequence[tuple[int, InvalidEvent]] = ()
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
        raise NotImplementedError

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
            states: state of every line of `line_ids(decoded.events)`; None where there is none.
            head: newest event time of the partition before the slice; None before its first event.
            timestamp: the broker's largest record time of the slice.
        """
        raise NotImplementedError

    def _line_id(self, order: WireOrder) -> LineId:
        return day_of(EpochMs(order.placed_at), self.zone), line_key(order.order_id, order.line)
