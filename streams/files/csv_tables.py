"""Totals as CSV: the one writer behind `table --csv` and the files of `backtest`, so that both give the same bytes.

Money is integer micros, ratios have six places, an undefined ratio is an empty cell, the last row is `total`.
"""

import csv
from collections.abc import Iterable
from typing import Final, TextIO

from models.kpis import CSV_PLACES, FILE_KPIS, format_ratio
from models.totals import Totals
from models.windows import Scope
from streams.readmodel import Row, csv_order

COUNTERS: Final = (
    "impressions",
    "clicks",
    "spend_micros",
    "orders_placed",
    "orders_paid",
    "orders_cancelled",
    "orders_refunded",
    "orders_fully_refunded",
    "gmv_placed_micros",
    "gmv_paid_micros",
    "gmv_refunded_micros",
    "gmv_net_micros",
    "direct_orders",
    "direct_gmv_micros",
    "total_orders",
    "total_gmv_micros",
)
"""Counter columns, in the fixed order other programs rely on."""

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula; the full-width signs do so where it speaks Chinese."""

_KEYS: Final = {
    Scope.REGION: ("region",),
    Scope.CAMPAIGN: ("campaign_id",),
    Scope.REGION_CAMPAIGN: ("region", "campaign_id"),
}


def header(by: Scope) -> tuple[str, ...]:
    """Give the column names of a table by `by`."""
    return (*_KEYS[by], "name", *COUNTERS, *(kpi.name for kpi in FILE_KPIS))


def write_totals(stream: TextIO, rows: Iterable[Row], by: Scope) -> None:
    """Write rows in order of their members, then the total of them.

    Args:
        stream: opened for text with `newline=""`; lines end in a line feed on every system.
        rows: rows of one table.
        by: what a row is.
    """
    ordered = csv_order(rows)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header(by))
    for row in ordered:
        keys = [key for key in (row.region, row.campaign) if key is not None]
        writer.writerow([*map(_safe, keys), _safe(row.name_zh), *_figures(row.totals)])
    whole = Totals.sum(row.totals for row in ordered)
    writer.writerow(["total", *[""] * (len(_KEYS[by]) - 1), "总计", *_figures(whole)])


def _figures(totals: Totals) -> list[str]:
    counts = [str(getattr(totals, name)) for name in COUNTERS]
    return counts + [format_ratio(kpi.compute(totals), CSV_PLACES) for kpi in FILE_KPIS]


def _safe(text: str) -> str:
    """Keep a spreadsheet from taking foreign text for a formula."""
    return f"'{text}" if text[:1] in FORMULA_STARTS else text
