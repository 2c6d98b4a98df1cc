"""The people and prices of `wave-31`: what a region costs, how well it buys, what it buys.

Levels follow a day of a phone brand's search ads: 220,000 yuan, 550,000 clicks
at 0.40 yuan, 8 orders in a thousand clicks, 2,200 yuan an order.
"""

from dataclasses import dataclass
from math import exp
from typing import Final, NamedTuple

from models.regions import PROVINCES
from models.scenario.draws import apportion, substream
from models.units import MICROS_PER_UNIT, Micros, Region

CATEGORY: Final = "phone"
BRAND: Final = "mi"
PRICE_CAP_MICROS: Final = 6_000 * MICROS_PER_UNIT

FULL_RATE: Final = 64.0
"""Events per second of event time at full size."""

IMPRESSIONS_PER_CLICK: Final = 9.0
SATURATION: Final = 1.5
"""Clicks to be had at most, as a multiple of the clicks that the starting budget could buy at the base price."""

TRAFFIC_LIFT: Final = 1.2
HALO_PER_DIRECT: Final = 0.7
ORGANIC_PER_CLICK: Final = 0.006
RETURNING: Final = 0.2
"""Share of clicks by people who come back; each of them clicks about three times a day."""

RETURNING_BUYERS: Final = 0.1
"""Share of those people in the orders that no click led to."""


_BUDGET_MICROS: Final = 220_000 * MICROS_PER_UNIT
_CPC_MICROS: Final = 0.40 * MICROS_PER_UNIT
_CPC_SPREAD: Final = 0.12
_ORDERS_PER_CLICK: Final = 0.008
_ORDERS_SPREAD: Final = 0.35
_LIFT: Final = (1.2, 2.2)
_REGIONAL_PERCENT: Final = 80
_CLICKS_EACH: Final = 3
_FEWEST_RETURNING: Final = 10

# Shares of the hours of a day in tenths of a percent, from midnight.
_HOURS: Final = (37, 19, 12, 7, 5, 4, 9, 20, 31, 46, 60, 59, 49, 48, 54, 61, 53, 43, 45, 55, 71, 79, 76, 59)


class Product(NamedTuple):
    """A product on sale: `weight` is its share of buyers in percent."""

    sku: str
    price_micros: Micros
    weight: int


PRODUCTS: Final = (
    Product("p-1499", Micros(1_499 * MICROS_PER_UNIT), 42),
    Product("p-1999", Micros(1_999 * MICROS_PER_UNIT), 28),
    Product("p-2699", Micros(2_699 * MICROS_PER_UNIT), 18),
    Product("p-3999", Micros(3_999 * MICROS_PER_UNIT), 8),
    Product("p-6499", Micros(6_499 * MICROS_PER_UNIT), 4),
)
"""The last one is dearer than the subsidy allows."""

ACCESSORY: Final = Product("band-249", Micros(249 * MICROS_PER_UNIT), 0)
ACCESSORY_CATEGORY: Final = "wearable"
"""What is bought along with a phone; never advertised, never subsidised."""

PRODUCT_WEIGHTS: Final = tuple(product.weight for product in PRODUCTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionMarket:
    """How one region responds.

    Attributes:
        share: its part of the national demand, 0 to 1.
        cpc_micros: price of a click when demand is far from exhausted.
        orders_per_click: direct orders per click without a subsidy.
        lift: factor on it while the subsidy is on.
    """

    region: Region
    share: float
    cpc_micros: float
    orders_per_click: float
    lift: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A campaign of the world: `region` is None for a national one."""

    campaign_id: str
    name: str
    plan_type: str
    channel: str
    region: Region | None
    budget_micros: Micros


def hour_share(hour: int) -> float:
    """Give the share of a day's demand that falls into a local hour, 0 to 23."""
    return _HOURS[hour] / sum(_HOURS)


def markets(seed: int) -> dict[Region, RegionMarket]:
    """Draw how every region responds."""
    return {province.adcode: _market(seed, province.adcode, province.weight) for province in PROVINCES}


def _market(seed: int, region: Region, weight: int) -> RegionMarket:
    rng = substream(seed, "market", region)
    return RegionMarket(
        region=region,
        share=weight / sum(province.weight for province in PROVINCES),
        cpc_micros=_CPC_MICROS * exp(rng.gauss(0, _CPC_SPREAD)),
        orders_per_click=_ORDERS_PER_CLICK * exp(rng.gauss(0, _ORDERS_SPREAD)),
        lift=rng.uniform(*_LIFT),
    )


def plans(scale: float) -> tuple[Plan, ...]:
    """Give the campaigns: one a region, which together hold 80 %, and two national ones."""
    total = round(_BUDGET_MICROS * scale)
    regional = total * _REGIONAL_PERCENT // 100
    search = (total - regional) * 6 // 10
    shares = apportion(regional, [province.weight for province in PROVINCES])
    own = tuple(
        Plan(
            campaign_id=f"phone-{province.adcode}",
            name=f"手机国补-{province.zh}",
            plan_type="subsidy",
            channel="search",
            region=province.adcode,
            budget_micros=Micros(share),
        )
        for province, share in zip(PROVINCES, shares, strict=True)
    )
    return (
        *own,
        _national("phone-cn-search", "手机常规-快车", "search", search),
        _national("phone-cn-display", "手机常规-触点", "display", total - regional - search),
    )


def _national(campaign_id: str, name: str, channel: str, budget: int) -> Plan:
    return Plan(
        campaign_id=campaign_id,
        name=name,
        plan_type="regular",
        channel=channel,
        region=None,
        budget_micros=Micros(budget),
    )


def clicks_per_day(scale: float) -> float:
    """Give the clicks a day that the starting budget could buy at the base price."""
    return _BUDGET_MICROS / _CPC_MICROS * scale


def returning_people(clicks_a_day: float) -> int:
    """Give how many people of a region come back, from the clicks a day that are to be had there."""
    return max(_FEWEST_RETURNING, round(clicks_a_day * RETURNING / _CLICKS_EACH))


def expected_clicks(spend_micros: float, cpc_micros: float, capacity: float) -> float:
    """Give the clicks that a spend buys where at most `capacity` are to be had: concave, 0 at 0."""
    if capacity <= 0 or spend_micros <= 0:
        return 0.0
    return capacity * (1 - exp(-spend_micros / (cpc_micros * capacity)))
