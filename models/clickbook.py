"""Clicks to visits, and to the credits that move to them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.attribution import Attribution, with_click
from models.cohorts import delay_tally
from models.orders import Line, LineId, LineSwap, line_texts, parse_line
from models.rollup import Cells
from models.units import EpochMs
from models.visits import (
    Known,
    VisitTexts,
    days_between,
    enter_clicks,
    forget,
    has_lines,
    parse_visits,
    rank,
    single_texts,
    visit_texts,
    with_single,
)
from models.windows import day_of
from models.wire import WireClick

_AT: Final = attrgetter("at")
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


def candidates(clicks: Iterable[WireClick], visits: VisitTexts, window_ms: int) -> Iterator[tuple[LineId, WireClick]]:
    """Give every line that some click may be credited with, and the best of these clicks."""
    lined = [(day, user, text) for day, texts in visits.items() for user, text in texts.items() if has_lines(text)]
    if not lined:
        return
    by_user: dict[str, list[WireClick]] = {user: [] for _, user, _ in lined}
    for click in clicks:
        if click.user_id in by_user:
            by_user[click.user_id].append(click)
    for day, user, text in lined:
        for placed_at, key in parse_visits(text).lines:
            eligible = [click for click in by_user[user] if placed_at - window_ms <= click.at <= placed_at]
            if eligible:
                yield (day, key), max(eligible, key=rank)


def moved(clicks: Iterable[WireClick], known: Known, settings: Attribution, zone: ZoneInfo) -> Moved:
    """Credit lines to clicks that are better than what they were credited to.

    Raises:
        KeyError: a line of `candidates` was not read.
    """
    changed: dict[LineId, Line] = {}
    cells, delays = Cells(zone), Counter[str]()
    for line_id, click in candidates(clicks, known.visits, settings.window_ms):
        text = known.lines[line_id]
        if text is not None:
            before = changed[line_id] if line_id in changed else parse_line(text)
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
    if line.delay_ms is not None:
        delays[delay_tally(line.delay_ms)] += sign


def visited(
    clicks: Sequence[WireClick], known: Known, settings: Attribution, zone: ZoneInfo
) -> tuple[dict[EpochMs, dict[str, str]], int]:
    """Add clicks to the visits; give those that changed, and how many clicks were forgotten for want of room.

    Raises:
        KeyError: visits of a click's day were not read.
    """
    settled = None if known.orders_head is None else known.orders_head - settings.lateness_ms
    if settled is not None and min(map(_AT, clicks), default=settled) < settled - settings.window_ms:
        clicks = [click for click in clicks if click.at >= settled - settings.window_ms]
    changed, forgotten = {}, 0
    for day, of_day in _by_day(clicks, zone):
        texts = known.visits[day]
        users = list(map(_USER, of_day))
        if not texts and len(set(users)) == len(users):
            changed[day] = dict(zip(users, single_texts(of_day), strict=True))
        else:
            made, dropped = _merged(of_day, users, texts, None if settled is None or settled <= day else settled)
            forgotten += dropped
            if made:
                changed[day] = made
    return changed, forgotten


def _by_day(clicks: Sequence[WireClick], zone: ZoneInfo) -> Iterable[tuple[EpochMs, Sequence[WireClick]]]:
    """Split clicks by day; most slices lie within one."""
    times = list(map(_AT, clicks))
    if not times:
        return ()
    days = days_between(EpochMs(min(times)), EpochMs(max(times)), zone)
    if len(days) == 1:
        return ((days[0], clicks),)
    by_day: dict[EpochMs, list[WireClick]] = defaultdict(list)
    for click in clicks:
        by_day[day_of(EpochMs(click.at), zone)].append(click)
    return by_day.items()


def _merged(
    clicks: Sequence[WireClick], users: Sequence[str], known: Mapping[str, str], settled: int | None
) -> tuple[dict[str, str], int]:
    """Add a day's clicks to visits that may hold others; a user's only click of the slice is written with the rest.

    Args:
        clicks: the clicks.
        users: the user of each.
        known: visits of the day.
        settled: no order placed before this is still to come; None if that lies before the day, or is not known.
    """
    again = {user for user, count in Counter(users).items() if count > 1}
    pairs = list(zip(users, clicks, strict=True))
    once = [click for user, click in pairs if user not in again]
    made = dict(zip(map(_USER, once), single_texts(once), strict=True))
    if settled is None:
        longer = {user: with_single(known[user], made[user]) for user in known.keys() & made.keys()}
    else:
        longer = dict.fromkeys(known.keys() & made.keys())
    made |= {user: text for user, text in longer.items() if text is not None}
    again |= {user for user, text in longer.items() if text is None}
    changed, forgotten = _reread([pair for pair in pairs if pair[0] in again], known, settled)
    made |= changed
    for user in known.keys() & made.keys():
        if made[user] == known[user]:
            del made[user]
    return made, forgotten


def _reread(
    pairs: Iterable[tuple[str, WireClick]], known: Mapping[str, str], settled: int | None
) -> tuple[dict[str, str], int]:
    groups: dict[str, list[WireClick]] = defaultdict(list)
    for user, click in pairs:
        groups[user].append(click)
    changed, forgotten = {}, 0
    for user, group in groups.items():
        changed[user] = visits = parse_visits(known.get(user))
        if enter_clicks(visits, group):
            forgotten += forget(visits, settled)[0]
    return dict(zip(changed, visit_texts(changed.values()), strict=True)), forgotten
