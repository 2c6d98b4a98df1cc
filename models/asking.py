"""Which visits a slice must be held against: days, and the users of each."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from models.attribution import can_be_clicked
from models.units import EpochMs
from models.visits import days_between
from models.windows import day_of
from models.wire import WireClick, WireOrder

_AT: Final = attrgetter("at")
_PLACED_AT: Final = attrgetter("placed_at")
_USER: Final = attrgetter("user_id")


def users_of_clicks(
    clicks: Sequence[WireClick], orders_head: EpochMs | None, window_ms: int, zone: ZoneInfo
) -> dict[EpochMs, list[str]]:
    """Name the visits that clicks change, or that may name lines they are credited with; each once.

    No line is known that was placed after `orders_head`.
    """
    if not clicks:
        return {}
    times = list(map(_AT, clicks))
    newest = max(times)
    last = day_of(EpochMs(newest if orders_head is None else max(newest, orders_head)), zone)
    if min(times) >= last:
        return {last: list(dict.fromkeys(map(_USER, clicks)))}
    days: dict[EpochMs, dict[str, None]] = {}
    for click in clicks:
        until = click.at if orders_head is None else max(click.at, min(click.at + window_ms, orders_head))
        for day in days_between(EpochMs(click.at), EpochMs(until), zone):
            days.setdefault(day, {})[click.user_id] = None
    return {day: list(users) for day, users in days.items()}


def ask_alike(one: EpochMs | None, other: EpochMs | None, zone: ZoneInfo) -> bool:
    """Tell whether clicks ask for the same visits under two heads of the orders: those of one day do."""
    return one == other or (one is not None and other is not None and day_of(one, zone) == day_of(other, zone))


def users_of_orders(orders: Iterable[WireOrder], window_ms: int, zone: ZoneInfo) -> dict[EpochMs, list[str]]:
    """Name the visits that hold every click the lines may count for, each once; none where no click can."""
    wanted = list(filter(can_be_clicked, orders))
    if not wanted:
        return {}
    times = list(map(_PLACED_AT, wanted))
    first, last = min(times), max(times)
    days = _days_before(first, last, window_ms, zone)
    if day_of(EpochMs(first), zone) == days[-1]:
        once = list(dict.fromkeys(map(_USER, wanted)))
        return dict.fromkeys(days, once)
    asked: dict[EpochMs, dict[str, None]] = {}
    for order in wanted:
        for day in _days_before(order.placed_at, order.placed_at, window_ms, zone):
            asked.setdefault(day, {})[_USER(order)] = None
    return {day: list(users) for day, users in asked.items()}


def _days_before(first: int, last: int, window_ms: int, zone: ZoneInfo) -> tuple[EpochMs, ...]:
    return days_between(EpochMs(max(first - window_ms, 0)), EpochMs(last), zone)
