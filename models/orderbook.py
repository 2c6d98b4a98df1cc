"""Order records to pieces, evidence and line swaps."""

from collections import defaultdict
from collections.abc import Mapping

from models.lateness import MINUTE_OF_REGION
from models.orders import Eligibility, LineSwap, advance
from models.rollup import Fields, Piece
from models.units import MINUTE_MS, SECOND_MS, EpochMs
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
        self._cells: dict[tuple[int, int], dict[tuple[str, str | None], dict[str, int]]] = {}
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
        return [
            Piece(EpochMs(minute * MINUTE_MS), kept, _by_scope(cells)) for (minute, kept), cells in self._cells.items()
        ]

    def swaps(self) -> list[LineSwap]:
        """Give every line that changed, once."""
        return [LineSwap(*line, self._read[line], state) for line, state in self._now.items()]

    def _add(self, order: WireOrder, counters: dict[str, int], kept: int) -> None:
        """Add to the order's cell, which is mostly new: its counters are kept as they are, names come later."""
        cells = self._cells.setdefault((order.placed_at // MINUTE_MS, kept), {})
        member = order.region, order.campaign_id
        if member in cells:
            _gain(cells[member], counters)
        else:
            cells[member] = counters

    def _witness(self, order: WireOrder, subsidised: int) -> None:
        """Keep the order as evidence; one whose minute is gone comes too late to say anything."""
        second = self.evidence.setdefault(EpochMs(order.placed_at - order.placed_at % SECOND_MS), {})
        eligible, carrying = second.get(order.region, (0, 0))
        second[order.region] = eligible + 1, carrying + subsidised


def _gain(sums: dict[str, int], counters: Mapping[str, int]) -> None:
    known = sums.get
    for counter, amount in counters.items():
        sums[counter] = known(counter, 0) + amount


def _by_scope(cells: Mapping[tuple[str, str | None], Mapping[str, int]]) -> tuple[Fields, Fields, Fields]:
    """Sum cells up by region and by campaign; an order that names no campaign counts for its region alone."""
    regions: dict[str, dict[str, int]] = defaultdict(dict)
    campaigns: dict[str, dict[str, int]] = defaultdict(dict)
    by_both: Fields = {}
    for (region, campaign), counters in cells.items():
        _gain(regions[region], counters)
        if campaign is not None:
            _gain(campaigns[campaign], counters)
            member = f":{region}:{campaign}"
            for counter, amount in counters.items():
                by_both[counter + member] = amount
    return _named(regions), _named(campaigns), by_both


def _named(members: Mapping[str, Mapping[str, int]]) -> Fields:
    return {f"{counter}:{member}": amount for member, sums in members.items() for counter, amount in sums.items()}
