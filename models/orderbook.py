"""Order records to vectors, evidence, line swaps and visits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from models.attribution import Attribution, opened, with_click
from models.codec import Decoded
from models.cohorts import delay_tally
from models.errors import InvalidEvent
from models.lateness import KEPT_BY_ALL, MINUTE_OF_REGION, Gate
from models.orders import (
    ELIGIBLE,
    SUBSIDISED,
    Eligibility,
    Line,
    LineId,
    LineSwap,
    advance,
    line_texts,
    parse_line,
)
from models.rollup import Cells
from models.units import SECOND_MS, EpochMs
from models.visits import (
    KEPT_MS,
    Known,
    PlacedLine,
    VisitId,
    Visits,
    forget,
    last_click,
    line_only_texts,
    parse_visits,
    visit_texts,
)
from models.wire import WireOrder

Evidence = dict[EpochMs, dict[str, tuple[int, int]]]
_PLACED: Final = "placed"
_AT: Final = attrgetter("at")
_PLACED_AT: Final = attrgetter("placed_at")


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings that order lines are counted under.

    Attributes:
        zone: zone of days.
        eligibility: which order lines are evidence of a subsidy.
        attribution: which click a line counts for.
    """

    zone: ZoneInfo
    eligibility: Eligibility
    attribution: Attribution


class OrderBook:
    """Enters order records one after the other and sums up what they add.

    Attributes:
        cells: what the records add.
        evidence: per second of `placed_at`, region to (eligible, subsidised) orders.
        duplicates: records that are copies of one before.
        late: lines that came too late for every click they could count for to be kept.
    """

    def __init__(self, terms: Terms, known: Known) -> None:
        """Start from what was read."""
        self._terms = terms
        self._known = known
        self._lines: dict[LineId, Line] = {}
        self._changed: dict[LineId, Line] = {}
        self._days: dict[str, list[EpochMs]] = {}
        for day, users in known.visits.items():
            for user in users:
                self._days.setdefault(user, []).append(day)
        self._visits: dict[VisitId, Visits] = {}
        self._placed: dict[VisitId, list[PlacedLine]] = {}
        self.cells = Cells(terms.zone)
        self.evidence: Evidence = {}
        self.duplicates = 0
        self.late = 0
        self._delays: list[int] = []

    def enter_all(
        self, decoded: Decoded[WireOrder], line_ids: Sequence[LineId], gate: Gate
    ) -> list[tuple[int, InvalidEvent]]:
        """Count what the gate passes of a slice; give position and verdict of each record refused.

        Raises:
            KeyError: a line's state, or visits it needs, were not read.
        """
        orders = decoded.events
        ats, placed = list(map(_AT, orders)), list(map(_PLACED_AT, orders))
        times = ats + placed
        if not orders or not gate.are_fresh(times) or min(placed) < self._settled(gate.head, max(times)):
            return self._enter_judged(decoded, line_ids, gate)
        refused = []
        for position, order, line_id in zip(decoded.positions, orders, line_ids, strict=True):
            try:
                self.enter(order, line_id, KEPT_BY_ALL, None)
            except InvalidEvent as verdict:
                refused.append((position, verdict))
        bad = {position for position, _ in refused}
        passed = [position not in bad for position in decoded.positions]
        gate.enter_all(list(compress(ats, passed)), list(compress(map(max, ats, placed), passed)))
        return refused

    def _settled(self, head: EpochMs | None, newest: int) -> int:
        return (newest if head is None else max(head, newest)) - self._terms.attribution.lateness_ms

    def _enter_judged(
        self, decoded: Decoded[WireOrder], line_ids: Sequence[LineId], gate: Gate
    ) -> list[tuple[int, InvalidEvent]]:
        refused = []
        for position, order, line_id in zip(decoded.positions, decoded.events, line_ids, strict=True):
            at, placed_at = EpochMs(order.at), EpochMs(order.placed_at)
            try:
                self.enter(order, line_id, gate.judge(at, placed_at), gate.head)
            except InvalidEvent as verdict:
                refused.append((position, verdict))
            else:
                gate.enter(at, placed_at)
        return refused

    def enter(self, order: WireOrder, line_id: LineId, kept: int, head: EpochMs | None) -> None:
        """Count one record.

        Args:
            order: the record.
            line_id: its line.
            kept: mask of the buckets that keep its `placed_at`.
            head: newest event time of the orders before it; None if it is not late for attribution.

        Raises:
            InvalidEvent: its line has too many refunds.
            KeyError: the line's state, or visits it needs, were not read.
        """
        before, terms = self._line(line_id), self._terms
        start = self._opened(order, line_id, head) if before is None else before
        after = advance(start, order, terms.eligibility, terms.attribution.cap_micros)
        if after is None:
            self.duplicates += 1
            return
        self._lines[line_id] = self._changed[line_id] = after
        if before is not None:
            self.cells.lose(before)
        self.cells.gain(after)
        if order.status == _PLACED:
            delay = after.delay_ms
            if delay is not None:
                self._delays.append(delay)
            if after.flags & ELIGIBLE and kept & MINUTE_OF_REGION:
                self._witness(order, 1 if after.flags & SUBSIDISED else 0)

    def delays(self) -> Counter[str]:
        """Give the placed lines that count in total, by `models.cohorts.delay_tally`."""
        return Counter(map(delay_tally, self._delays))

    def swaps(self) -> list[LineSwap]:
        """Give every line that changed, once."""
        texts = line_texts(self._changed.values())
        read = self._known.lines
        return [LineSwap(*line, read[line], text) for line, text in zip(self._changed, texts, strict=True)]

    def visits(self) -> tuple[dict[EpochMs, dict[str, str]], tuple[int, int]]:
        """Give every visit that changed, once, and how many clicks and lines were forgotten for want of room."""
        head, known = self._known.orders_head, self._known.visits
        settled = None if head is None else head - self._terms.attribution.lateness_ms
        changed: dict[EpochMs, dict[str, str]] = {day: {} for day, _ in self._placed}
        alone, more, clicks, lines = {}, {}, 0, 0
        for visit, placed in self._placed.items():
            if len(placed) == 1 and visit[1] not in known[visit[0]]:
                alone[visit] = placed[0]
            else:
                more[visit] = visits = self._day(*visit)
                visits.lines = sorted({*visits.lines, *placed})
                dropped = forget(visits, settled)
                clicks, lines = clicks + dropped[0], lines + dropped[1]
        texts = chain(line_only_texts(alone.values()), visit_texts(more.values()))
        for (day, user), text in zip(chain(alone, more), texts, strict=True):
            changed[day][user] = text
        return changed, (clicks, lines)

    def _line(self, line_id: LineId) -> Line | None:
        if line_id in self._lines:
            return self._lines[line_id]
        text = self._known.lines[line_id]
        if text is None:
            return None
        self._lines[line_id] = line = parse_line(text)
        return line

    def _opened(self, order: WireOrder, line_id: LineId, head: EpochMs | None) -> Line:
        """Open a line: credit it with the best click known, and let later clicks find it."""
        line = opened(order, self._terms.attribution)
        if line.traits is None or order.user_id is None:
            return line
        day, user, placed = line_id[0], order.user_id, order.placed_at
        if day not in self._known.visits:
            raise KeyError(day)
        if head is None or placed > head - KEPT_MS:
            self._placed.setdefault((day, user), []).append((placed, line_id[1]))
        if head is not None and placed < head - self._terms.attribution.lateness_ms:
            self.late += 1
        return self._credited(line, user, self._days.get(user, ()))

    def _credited(self, line: Line, user: str, days: Sequence[EpochMs]) -> Line:
        settings = self._terms.attribution
        for day in sorted(days, reverse=True):
            click = last_click(self._day(day, user).clicks, line.placed_at, settings.window_ms)
            if click is not None:
                return with_click(line, click, settings, self._known.promoted)
        return line

    def _day(self, day: EpochMs, user: str) -> Visits:
        visit = day, user
        if visit not in self._visits:
            self._visits[visit] = parse_visits(self._known.visits[day].get(user))
        return self._visits[visit]

    def _witness(self, order: WireOrder, subsidised: int) -> None:
        """Keep the order as evidence; one whose minute is gone comes too late to say anything."""
        second = self.evidence.setdefault(EpochMs(order.placed_at - order.placed_at % SECOND_MS), {})
        eligible, carrying = second.get(order.region, (0, 0))
        second[order.region] = eligible + 1, carrying + subsidised
