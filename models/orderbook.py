"""Order records to pieces, evidence and line swaps."""

from collections.abc import Mapping

from models.lateness import MINUTE_OF_REGION, SCOPES
from models.orders import Eligibility, LineSwap, advance
from models.rollup import Fields, Piece
from models.units import SECOND_MS, EpochMs
from models.windows import minute_of
from models.wire import WireOrder

LineId = tuple[EpochMs, str]
"""Where a line's state is kept: local midnight of `placed_at`, and `models.orders.line_key`."""

Evidence = dict[EpochMs, dict[str, tuple[int, int]]]


class OrderBook:
    """Enters order records one after the other and sums up what they add.

    Attributes:
        evidence: per second of `placed_at`, region to (eligible, subsidised) orders.
        duplicates: records that were counted before.
    """

    def __init__(self, eligibility: Eligibility, states: Mapping[LineId, str | None]) -> None:
        """Start from the states that were read; None where a line has none."""
        self._eligibility = eligibility
        self._read = states
        self._now: dict[LineId, str] = {}
        self._pieces: dict[tuple[EpochMs, int], tuple[Fields, ...]] = {}
        self.evidence: Evidence = {}
        self.duplicates = 0

    def enter(self, order: WireOrder, line: LineId, kept: int) -> None:
        """Count one record in the buckets of its mask.

        Raises:
            InvalidEvent: its line has too many refunds.
            KeyError: the line's state was not read.
        """
        old = self._now[line] if line in self._now else self._read[line]
        step = advance(old, order, self._eligibility)
        if step.duplicate:
            self.duplicates += 1
            return
        self._now[line] = step.state
        self._add(order, step.counters, kept)
        if "eligible_orders" in step.counters and kept & MINUTE_OF_REGION:
            self._witness(order, step.counters.get("subsidised_orders", 0))

    def pieces(self) -> list[Piece]:
        """Give what the records add."""
        return [Piece(minute, kept, by_scope) for (minute, kept), by_scope in self._pieces.items()]

    def swaps(self) -> list[LineSwap]:
        """Give every line that changed, once."""
        return [LineSwap(*line, self._read[line], state) for line, state in self._now.items()]

    def _add(self, order: WireOrder, counters: Mapping[str, int], kept: int) -> None:
        piece = minute_of(EpochMs(order.placed_at)), kept
        by_scope = self._pieces.setdefault(piece, tuple({} for _ in SCOPES))
        for fields, member in zip(by_scope, _members(order), strict=True):
            if member is not None:
                for counter, amount in counters.items():
                    name = f"{counter}:{member}"
                    fields[name] = fields.get(name, 0) + amount

    def _witness(self, order: WireOrder, subsidised: int) -> None:
        """Keep the order as evidence; one whose minute is gone comes too late to say anything."""
        second = self.evidence.setdefault(EpochMs(order.placed_at - order.placed_at % SECOND_MS), {})
        eligible, carrying = second.get(order.region, (0, 0))
        second[order.region] = eligible + 1, carrying + subsidised


def _members(order: WireOrder) -> tuple[str | None, ...]:
    """Give the order's member of each scope; an order that names no campaign counts for its region alone."""
    campaign = order.campaign_id
    return order.region, campaign, None if campaign is None else f"{order.region}:{campaign}"
