"""Which hour of a seeded market is worth showing: a big province runs dry by day, and nobody has said so yet. Pure."""

from typing import Final, NamedTuple

from models.scenario import market
from models.scenario.waves import ZONE_MS, Switch, waves
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs, Region

FROM_MS: Final = 9 * HOUR_MS + 30 * MINUTE_MS
TO_MS: Final = 21 * HOUR_MS
"""Local hours in which people look on and buyers are awake, half-open."""

COMPANY_MS: Final = 40 * MINUTE_MS
COMPANY: Final = 1.2
"""A turn with another switch soon after it is worth as much as one of a province a fifth bigger."""


class Turn(NamedTuple):
    """An instant at which the subsidy of a region runs out, and how much of a show it is."""

    at: EpochMs
    region: Region
    worth: float


def best_turn(seed: int, start: EpochMs, days: int, not_before: EpochMs) -> Turn | None:
    """Give the unannounced end of a subsidy that orders show soonest; None when none ends by day.

    Args:
        seed: names the world.
        start: the world starts here.
        days: length of the search.
        not_before: earlier turns are left out.
    """
    drawn, places = waves(seed, start, days), market.markets(seed)
    end = EpochMs(start + days * DAY_MS)
    switches = [switch for wave in drawn.values() for switch in wave.switches(start, end)]
    turns = [
        Turn(switch.at, switch.region, _orders(places[switch.region]) * _company(switch, switches))
        for switch in switches
        if not switch.is_on and switch.at in drawn[switch.region].turns and not_before <= switch.at
        if FROM_MS <= (switch.at + ZONE_MS) % DAY_MS < TO_MS
    ]
    return max(turns, key=lambda turn: (turn.worth, -turn.at), default=None)


def _orders(place: market.RegionMarket) -> float:
    """Give a region's part of the orders of an hour without a subsidy, up to a factor that is the same for all."""
    per_click = market.ORGANIC_PER_CLICK + place.orders_per_click * (1 + market.HALO_PER_DIRECT)
    return place.share * per_click


def _company(turn: Switch, switches: list[Switch]) -> float:
    near = any(turn.at < other.at <= turn.at + COMPANY_MS for other in switches)
    return COMPANY if near else 1.0
