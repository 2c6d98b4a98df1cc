"""Order records to vectors, evidence, line swaps and visits."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from models.attribution import Attribution, can_be_clicked, opened, with_click
from models.cohorts import delay_tally
from models.lateness import MINUTE_OF_REGION
from models.orders import (
    ELIGIBLE,
    GIFT,
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
    days_between,
    enter_line,
    forget,
    last_click,
    parse_visits,
    visit_texts,
)
from models.windows import day_of
from models.wire import WireOrder

Evidence = dict[EpochMs, dict[str, tuple[int, int]]]
_PLACED: Final = "placed"


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


def users_of_orders(orders: Iterable[WireOrder], terms: Terms) -> dict[EpochMs, list[str]]:
    """Name the visits that hold every click the lines may count for, each once; none where no click can."""
    placed: dict[EpochMs, dict[str, int]] = {}
    for order in orders:
        if order.user_id is not None and can_be_clicked(order):
            users = placed.setdefault(day_of(EpochMs(order.placed_at), terms.zone), {})
            users[order.user_id] = min(order.placed_at, users.get(order.user_id, order.placed_at))
    if len(placed) == 1:
        (users,) = placed.values()
        days = _days_before(min(users.values()), max(placed), terms)
        once = list(users)
        return dict.fromkeys(days, once)
    asked: dict[EpochMs, dict[str, None]] = {}
    for last, users in placed.items():
        for day in _days_before(min(users.values()), last, terms):
            asked.setdefault(day, {}).update(dict.fromkeys(users))
    return {day: list(found) for day, found in asked.items()}


def _days_before(placed_at: int, last: EpochMs, terms: Terms) -> tuple[EpochMs, ...]:
    return days_between(EpochMs(max(placed_at - terms.attribution.window_ms, 0)), last, terms.zone)


class OrderBook:
    """Enters order records one after the other and sums up what they add.

    Attributes:
        cells: what the records add.
        evidence: per second of `placed_at`, region to (eligible, subsidised) orders.
        duplicates: records that are copies of one before.
        late: lines that came too late for every click they could count for to be kept.
        delays: lines that count in total, by `models.cohorts.delay_tally`.
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
        self._visited: dict[VisitId, None] = {}
        self.cells = Cells(terms.zone)
        self.evidence: Evidence = {}
        self.duplicates = 0
        self.late = 0
        self.delays: Counter[str] = Counter()

    def enter(self, order: WireOrder, line_id: LineId, kept: int, head: EpochMs | None) -> None:
        """Count one record.

        Args:
            order: the record.
            line_id: its line.
            kept: mask of the buckets that keep its `placed_at`.
            head: newest event time of the orders before it.

        Raises:
            InvalidEvent: its line has too many refunds.
            KeyError: the line's state, or visits it needs, were not read.
        """
        before = self._line(line_id)
        start = self._opened(order, line_id, head) if before is None else before
        after = advance(start, order, self._terms.eligibility, self._terms.attribution.cap_micros)
        if after is None:
            self.duplicates += 1
            return
        self._lines[line_id] = self._changed[line_id] = after
        if before is not None:
            self.cells.lose(before)
        self.cells.gain(after)
        credit = after.credit
        if order.status == _PLACED and credit is not None and credit.admitted and not after.flags & GIFT:
            self.delays[delay_tally(after.placed_at - credit.at)] += 1
        if order.status == _PLACED and after.flags & ELIGIBLE and kept & MINUTE_OF_REGION:
            self._witness(order, 1 if after.flags & SUBSIDISED else 0)

    def swaps(self) -> list[LineSwap]:
        """Give every line that changed, once."""
        texts = line_texts(self._changed.values())
        read = self._known.lines
        return [LineSwap(*line, read[line], text) for line, text in zip(self._changed, texts, strict=True)]

    def visits(self) -> tuple[dict[EpochMs, dict[str, str]], tuple[int, int]]:
        """Give every visit that changed, once, and how many clicks and lines were forgotten for want of room."""
        head, clicks, lines = self._known.orders_head, 0, 0
        settled = None if head is None else head - self._terms.attribution.lateness_ms
        for visit in self._visited:
            dropped = forget(self._visits[visit], settled)
            clicks, lines = clicks + dropped[0], lines + dropped[1]
        texts = visit_texts(map(self._visits.__getitem__, self._visited))
        changed: dict[EpochMs, dict[str, str]] = {}
        for (day, user), text in zip(self._visited, texts, strict=True):
            changed.setdefault(day, {})[user] = text
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
            enter_line(self._day(day, user), PlacedLine(placed, line_id[1]))
            self._visited[day, user] = None
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
