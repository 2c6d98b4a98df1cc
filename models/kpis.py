"""Every ratio the product shows, in one table; computed from totals on reading, never stored.

A new KPI is one function and one row of `KPIS`; gauges, tables, CSV columns and
the reference in the docs follow from the row.

Basis: orders in the bucket of `placed_at`, amounts as placed, gifts excluded.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from models.totals import Totals
from models.units import MICROS_PER_UNIT

CSV_PLACES: Final = 6
"""Decimal places of a ratio in files for machines."""


class Kpi(NamedTuple):
    """One ratio.

    Attributes:
        name: column, gauge and JSON name.
        unit: `currency per click`, `currency per order` or `ratio`.
        help: one sentence for people, which names the basis.
        places: decimal places in tables for people.
        compute: totals to the exact ratio; None while the denominator is zero.
    """

    name: str
    unit: str
    help: str
    places: int
    compute: Callable[[Totals], Decimal | None]


def _ratio(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None


def cpc(totals: Totals) -> Decimal | None:
    """Cost per click, in units of the account currency; None without clicks."""
    return _ratio(totals.spend_micros, totals.clicks * MICROS_PER_UNIT)


def ctr(totals: Totals) -> Decimal | None:
    """Clicks per impression; None without impressions."""
    return _ratio(totals.clicks, totals.impressions)


def cvr(totals: Totals) -> Decimal | None:
    """Credited order lines, halo included, per click; None without clicks."""
    return _ratio(totals.total_orders, totals.clicks)


def cpa(totals: Totals) -> Decimal | None:
    """Spend per credited line of the promoted product, in units of the account currency; None without such lines."""
    return _ratio(totals.spend_micros, totals.direct_orders * MICROS_PER_UNIT)


def roi_direct(totals: Totals) -> Decimal | None:
    """Placed amount of the promoted product per spend (47 means 47-fold, not percent); None without spend."""
    return _ratio(totals.direct_gmv_micros, totals.spend_micros)


def roi_total(totals: Totals) -> Decimal | None:
    """Placed amount of all credited lines per spend; None without spend."""
    return _ratio(totals.total_gmv_micros, totals.spend_micros)


KPIS: Final[tuple[Kpi, ...]] = (
    Kpi("cpc", "currency per click", "Cost per click.", 2, cpc),
    Kpi("ctr", "ratio", "Clicks per impression.", 4, ctr),
    Kpi("cvr", "ratio", "Credited order lines, halo included, per click.", 4, cvr),
    Kpi("cpa", "currency per order", "Spend per credited order line of the promoted product.", 0, cpa),
    Kpi("roi_direct", "ratio", "Placed amount of the promoted product per spend.", 1, roi_direct),
    Kpi("roi_total", "ratio", "Placed amount of all credited order lines per spend.", 1, roi_total),
)


def spend_share(part: Totals, whole: Totals) -> Decimal | None:
    """Give the share of the whole's spend that the part took, 0 to 1; None while nothing was spent.

    Not a row of `KPIS`, because it needs two totals.
    """
    return _ratio(part.spend_micros, whole.spend_micros)


def subsidised_share(totals: Totals) -> Decimal | None:
    """Give the share of eligible orders that carry a subsidy, 0 to 1; None without eligible orders."""
    return _ratio(totals.subsidised_orders, totals.eligible_orders)


def format_ratio(value: Decimal | None, places: int) -> str:
    """Print a ratio with a fixed number of places, halves away from zero; empty when undefined.

    Halves go away from zero because that is what a hand calculator and a
    spreadsheet print, so people can check a cell.
    """
    if value is None:
        return ""
    return f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"
