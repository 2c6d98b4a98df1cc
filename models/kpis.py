"""Every ratio the product shows, in one table; computed from totals on reading, never stored.

A new KPI is one function and one row of `KPIS`; gauges, the API and the reference
in the docs follow from the row. Files keep the columns of `FILE_KPIS`.

Basis: orders in the bucket of `placed_at`, amounts as placed, gifts excluded.
Every other ROI is in `models.roi`.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Final, NamedTuple

from models.roi import Labels, capped_roi, ratio, roi
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


def cpc(totals: Totals) -> Decimal | None:
    """Cost per click, in units of the account currency; None without clicks."""
    return ratio(totals.spend_micros, totals.clicks * MICROS_PER_UNIT)


def ctr(totals: Totals) -> Decimal | None:
    """Clicks per impression; None without impressions."""
    return ratio(totals.clicks, totals.impressions)


def cvr(totals: Totals) -> Decimal | None:
    """Credited order lines, halo included, per click; None without clicks."""
    return ratio(totals.total_orders, totals.clicks)


def cpa(totals: Totals) -> Decimal | None:
    """Spend per credited line of the promoted product, in units of the account currency; None without such lines."""
    return ratio(totals.spend_micros, totals.direct_orders * MICROS_PER_UNIT)


def _roi_rows() -> tuple[Kpi, ...]:
    """Give the ROIs of reports, exact and capped; names and sentences follow from their labels."""
    exact = (Labels(scope="direct"), Labels())
    return (
        *(Kpi(one.name, "ratio", one.help, 1, partial(roi, labels=one)) for one in exact),
        *(
            Kpi(
                f"{one.name}_capped",
                "ratio",
                f"{one.help[:-1]}, each line cut at the cap.",
                1,
                partial(capped_roi, scope=one.scope),
            )
            for one in exact
        ),
    )


KPIS: Final[tuple[Kpi, ...]] = (
    Kpi("cpc", "currency per click", "Cost per click.", 2, cpc),
    Kpi("ctr", "ratio", "Clicks per impression.", 4, ctr),
    Kpi("cvr", "ratio", "Credited order lines, halo included, per click.", 4, cvr),
    Kpi("cpa", "currency per order", "Spend per credited order line of the promoted product.", 0, cpa),
    *_roi_rows(),
)

FILE_KPIS: Final = tuple(kpi for kpi in KPIS if kpi.name in ("cpc", "ctr", "cvr", "cpa", "roi_direct", "roi_total"))
"""Those that stand in CSV files, whose columns are fixed."""


def spend_share(part: Totals, whole: Totals) -> Decimal | None:
    """Give the share of the whole's spend that the part took, 0 to 1; None while nothing was spent.

    Not a row of `KPIS`, because it needs two totals.
    """
    return ratio(part.spend_micros, whole.spend_micros)


def subsidised_share(totals: Totals) -> Decimal | None:
    """Give the share of eligible orders that carry a subsidy, 0 to 1; None without eligible orders."""
    return ratio(totals.subsidised_orders, totals.eligible_orders)


def format_ratio(value: Decimal | None, places: int) -> str:
    """Print a ratio with a fixed number of places, halves away from zero; empty when undefined.

    Halves go away from zero because that is what a hand calculator and a
    spreadsheet print, so people can check a cell.
    """
    if value is None:
        return ""
    return f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"
