"""What a user did on one day: the clicks a line may count for, and the lines a click may be credited with.

A record is text, a JSON array of two arrays: clicks, then lines. An order line
reads the days of the window before it and finds its click; a click that comes
late reads the days after it and finds the lines it should have been credited
with. So neither topic waits for the other.

Kept is what a record still to come can need. Of the clicks older than the
orders' head less the allowed lateness that is the newest of each day, and every
newer one; both are bounded, the oldest are forgotten first and counted.
"""

from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from models.orders import LineId
from models.units import DAY_MS, DurationMs, EpochMs
from models.windows import day_of, next_day
from models.wire import WireClick

VisitId = tuple[EpochMs, str]
"""Local midnight of a day, and a user id."""

MAX_CLICKS: Final = 256
MAX_LINES: Final = 256
"""Clicks and lines kept of one user and day."""

KEPT_MS: Final = DurationMs(17 * DAY_MS)
"""How long a day's visits are kept after its end: the longest window, the longest lateness, and a day more."""


UsersOfDays = Mapping[EpochMs, Sequence[str]]
"""Local midnight to the users whose visits of that day are asked for."""

VisitTexts = Mapping[EpochMs, Mapping[str, str]]
"""Local midnight to user to visits as text; of what is asked for, only what there is, but every day."""


class Click(Struct, array_like=True, frozen=True, gc=False):
    """A click, as far as attribution needs it; fields as in `models.events.Click`."""

    at: int
    event_id: str
    campaign_id: str
    region: str
    sku: str | None = None
    category: str | None = None


PlacedLine = tuple[int, str]
"""A line that a click may be credited with: when it was placed, and `models.orders.line_key`."""


class Visits(Struct, array_like=True):
    """One user's day; both lists are sorted, in the text the clicks need not be.

    Attributes:
        clicks: by time, then event id.
        lines: by time of placing, then key.
    """

    clicks: list[Click]
    lines: list[PlacedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was read of the other side of the join, and of the line states.

    Attributes:
        lines: state of each line that was asked for; None where there is none.
        visits: visits as they were asked for.
        orders_head: newest event time applied from the orders of this partition number; None before the first.
        clicks_head: the same of the clicks.
        promoted: campaign id to the SKUs it promotes, as far as known.
    """

    lines: Mapping[LineId, str | None] = field(default_factory=dict)
    visits: VisitTexts = field(default_factory=dict)
    orders_head: EpochMs | None = None
    clicks_head: EpochMs | None = None
    promoted: Mapping[str, Collection[str]] = field(default_factory=dict)


_FIELDS: Final = attrgetter("at", "event_id", "campaign_id", "region", "sku", "category")
_NO_LINES: Final = "[]]"
"""How a record without lines ends, and no other does: a line ends with a quote and brackets."""
_AFTER_CLICKS: Final = "],[]]"
_CLICKS_ONLY: Final = "]],[]]"
_SHORTEST_CLICK: Final = len('[0,"e","c","440000",null,null],')


@lru_cache
def _reader() -> "msgspec.json.Decoder[Visits]":
    return msgspec.json.Decoder(Visits)


def together(one: VisitTexts, other: VisitTexts) -> VisitTexts:
    """Give what two askings have found."""
    return {day: {**one.get(day, {}), **other.get(day, {})} for day in {**one, **other}}


def parse_visits(text: str | None) -> Visits:
    """Read a record; None is a day without visits."""
    if text is None:
        return Visits([], [])
    visits = _reader().decode(text)
    if len(visits.clicks) > 1:
        visits.clicks.sort(key=rank)
    return visits


def has_lines(text: str) -> bool:
    """Tell without reading it whether a record names lines."""
    return not text.endswith(_NO_LINES)


def with_single(text: str, single: str) -> str | None:
    """Add the click of a record of `single_texts` to another record without reading it.

    Returns:
        The longer record; the same one if it has the click; None if it must be read, because it names lines,
        or may have no room.
    """
    if not text.endswith(_CLICKS_ONLY) or len(text) > (MAX_CLICKS - 1) * _SHORTEST_CLICK:
        return None
    click = single[2 : -len(_AFTER_CLICKS)]
    return text if click in text else f"{text[: -len(_AFTER_CLICKS)]},{click}{_AFTER_CLICKS}"


def visit_texts(visits: Iterable[Visits]) -> list[str]:
    """Write records, in the order given."""
    return _texts(visits)


def single_texts(clicks: Iterable[WireClick]) -> list[str]:
    """Write the record of each click that is its user's only visit of the day, in the order given."""
    return _texts(zip(zip(map(_FIELDS, clicks)), repeat(())))


def line_only_texts(lines: Iterable[PlacedLine]) -> list[str]:
    """Write the record of each line that is its buyer's only visit of the day, in the order given."""
    return _texts(zip(repeat(()), zip(lines)))


def _texts(records: Iterable[object]) -> list[str]:
    """Write many at once: no text holds a line feed."""
    return msgspec.json.Encoder().encode_lines(records).decode().split("\n")[:-1]


def click_of(event: WireClick) -> Click:
    """Keep of a click what attribution needs."""
    return Click(event.at, event.event_id, event.campaign_id, event.region, event.sku, event.category)


def rank(click: Click | WireClick) -> tuple[int, str]:
    """Give what the last click is the greatest by."""
    return click.at, click.event_id


def days_between(first: EpochMs, last: EpochMs, zone: ZoneInfo) -> tuple[EpochMs, ...]:
    """Give the local midnights of the days from that of `first` to that of `last`, both included, in order."""
    return _days(day_of(first, zone), day_of(last, zone), zone)


@lru_cache(maxsize=1024)
def _days(first: EpochMs, last: EpochMs, zone: ZoneInfo) -> tuple[EpochMs, ...]:
    out = [first]
    while out[-1] < last:
        out.append(next_day(out[-1], zone))
    return tuple(out)


def enter_clicks(visits: Visits, clicks: Iterable[WireClick]) -> bool:
    """Add clicks to a record; tell whether any was new to it."""
    known = set(map(rank, visits.clicks))
    grown = False
    for click in clicks:
        if rank(click) not in known:
            known.add(rank(click))
            insort(visits.clicks, click_of(click), key=rank)
            grown = True
    return grown


def forget(visits: Visits, settled: int | None) -> tuple[int, int]:
    """Drop what no record still to come can need, and what is more than a record may hold.

    Args:
        visits: the record, changed in place.
        settled: no order placed before this is still to come; None where that is not known.

    Returns:
        How many clicks and how many lines were dropped for want of room.
    """
    clicks, lines = visits.clicks, visits.lines
    if settled is not None:
        old = sum(click.at < settled for click in clicks)
        del clicks[: max(old - 1, 0)]
    too_many = max(len(clicks) - MAX_CLICKS, 0), max(len(lines) - MAX_LINES, 0)
    del clicks[: too_many[0]], lines[: too_many[1]]
    return too_many


def last_click(clicks: Sequence[Click], placed_at: int, window_ms: int) -> Click | None:
    """Give the last of a day's clicks that a line placed at `placed_at` may count for; None if there is none."""
    for click in reversed(clicks):
        if click.at <= placed_at:
            return click if click.at >= placed_at - window_ms else None
    return None
