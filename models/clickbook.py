"""Clicks to visits, and to the credits that move to them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.attribution import Attribution, with_click
from models.cohorts import delay_tally
from models.orders import PLACED, Line, LineId, LineSwap, line_texts, parse_line
from models.rollup import Cells
from models.units import EpochMs
from models.visits import (
    Known,
    VisitId,
    VisitSet,
    days_between,
    enter_clicks,
    forget,
    has_lines,
    parse_visits,
    rank,
    single_texts,
    visit_texts,
)
from models.windows import day_of
from models.wire import WireClick

_USER: Final = attrgetter("user_id")


class Moved(NamedTuple):
    """Credits that move.

    Attributes:
        swaps: the lines, each once.
        cells: what their totals gain and lose.
        delays: what the tallies of `models.cohorts.delay_tally` gain and lose.
    """

    swaps: list[LineSwap]
    cells: Cells
    delays: Counter[str]


def visit_ids_of(
    clicks: Sequence[WireClick], orders_head: EpochMs | None, window_ms: int, zone: ZoneInfo
) -> list[VisitId]:
    """Name the visits that clicks change, or that may name lines they are credited with; each once.

    No line is known that was placed after `orders_head`.
    """
    if not clicks:
        return []
    newest = max(click.at for click in clicks)
    last = day_of(EpochMs(newest if orders_head is None else max(newest, orders_head)), zone)
    ids = dict.fromkeys((last, click.user_id) for click in clicks if click.at >= last)
    for click in clicks if len(ids) < len(clicks) else ():
        if click.at < last:
            until = click.at if orders_head is None else max(click.at, min(click.at + window_ms, orders_head))
            days = days_between(EpochMs(click.at), EpochMs(until), zone)
            ids.update(dict.fromkeys((day, click.user_id) for day in days))
    return list(ids)


def candidates(
    clicks: Iterable[WireClick], visits: Mapping[VisitId, str | None], window_ms: int
) -> Iterator[tuple[LineId, WireClick]]:
    """Give every line that some click may be credited with, and the best of these clicks."""
    lined = [(visit, text) for visit, text in visits.items() if text is not None and has_lines(text)]
    if not lined:
        return
    by_user: dict[str, list[WireClick]] = {user: [] for (_, user), _ in lined}
    for click in clicks:
        if click.user_id in by_user:
            by_user[click.user_id].append(click)
    for (day, user), text in lined:
        for placed_at, key in parse_visits(text).lines:
            eligible = [click for click in by_user[user] if placed_at - window_ms <= click.at <= placed_at]
            if eligible:
                yield (day, key), max(eligible, key=rank)


def moved(clicks: Iterable[WireClick], known: Known, settings: Attribution, zone: ZoneInfo) -> Moved:
    """Credit lines to clicks that are better than what they were credited to.

    Raises:
        KeyError: a line of `candidates` was not read.
    """
    changed, cells, delays = {}, Cells(zone), Counter[str]()
    for line_id, click in candidates(clicks, known.visits, settings.window_ms):
        text = known.lines[line_id]
        if text is not None:
            before = parse_line(text)
            after = with_click(before, click, settings, known.promoted)
            if after is not before:
                changed[line_id] = after
                cells.lose(before)
                cells.gain(after)
                _count_delay(delays, before, -1)
                _count_delay(delays, after, 1)
    texts = line_texts(changed.values())
    swaps = [LineSwap(*line, known.lines[line], text) for line, text in zip(changed, texts, strict=True)]
    return Moved(swaps, cells, delays)


def _count_delay(delays: Counter[str], line: Line, sign: int) -> None:
    credit = line.credit
    if credit is not None and credit.admitted and line.flags & PLACED:
        delays[delay_tally(line.placed_at - credit.at)] += sign


def visited(
    clicks: Sequence[WireClick], known: Known, settings: Attribution, zone: ZoneInfo
) -> tuple[list[VisitSet], int]:
    """Add clicks to the visits; give those that changed, and how many clicks were forgotten for want of room.

    Raises:
        KeyError: visits of a click were not read.
    """
    settled = None if known.orders_head is None else known.orders_head - settings.lateness_ms
    if settled is not None and min((click.at for click in clicks), default=settled) < settled - settings.window_ms:
        clicks = [click for click in clicks if click.at >= settled - settings.window_ms]
    ids = _visit_ids(clicks, zone)
    texts = list(map(known.visits.__getitem__, ids))
    repeated = () if len(set(ids)) == len(ids) else {visit for visit, count in Counter(ids).items() if count > 1}
    if not repeated and not any(texts):
        return _singles(ids, clicks), 0
    alone, together = [], defaultdict(list)
    for visit, click, text in zip(ids, clicks, texts, strict=True):
        if text is None and visit not in repeated:
            alone.append((visit, click))
        else:
            together[visit].append(click)
    sets = _singles([visit for visit, _ in alone], [click for _, click in alone])
    merged, forgotten = _merged(together, known.visits, settled)
    return sets + merged, forgotten


def _visit_ids(clicks: Sequence[WireClick], zone: ZoneInfo) -> list[VisitId]:
    """Give where each click is kept; most slices lie within one day."""
    if not clicks:
        return []
    times = [EpochMs(click.at) for click in clicks]
    days = days_between(min(times), max(times), zone)
    if len(days) == 1:
        return list(zip(days * len(times), map(_USER, clicks), strict=True))
    return [(day_of(at, zone), click.user_id) for at, click in zip(times, clicks, strict=True)]


def _singles(ids: Sequence[VisitId], clicks: Sequence[WireClick]) -> list[VisitSet]:
    """Write the only click of its user and day: the usual case, all at once."""
    return [VisitSet(day, user, text) for (day, user), text in zip(ids, single_texts(clicks), strict=True)]


def _merged(
    clicks: Mapping[VisitId, list[WireClick]], known: Mapping[VisitId, str | None], settled: int | None
) -> tuple[list[VisitSet], int]:
    """Add clicks to visits that hold others."""
    changed, forgotten = {}, 0
    for visit, group in clicks.items():
        visits = parse_visits(known[visit])
        if enter_clicks(visits, group):
            forgotten += forget(visits, settled)[0]
            changed[visit] = visits
    texts = visit_texts(changed.values())
    sets = [VisitSet(*visit, text) for visit, text in zip(changed, texts, strict=True)]
    return [made for made in sets if made.new != known[made.day, made.user]], forgotten
