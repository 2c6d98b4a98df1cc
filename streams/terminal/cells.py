"""Ratios as the cells of a terminal table: `-` while undefined, `~` before a guess from few orders."""

from decimal import Decimal
from typing import Final

from models.kpis import KPIS, format_ratio
from models.roi import CreditScope, orders, roi
from models.totals import Totals
from streams.readmodel import Row
from streams.terminal.rois import Chosen

FEW_ORDERS: Final = 10
"""Fewer orders than this make a ratio a guess: it is marked with `~`."""

_PLACES: Final = {kpi.name: kpi.places for kpi in KPIS}


def guess_cell(value: Decimal | None, lines: int, kpi: str) -> str:
    """Print a ratio over so many order lines with the places of a KPI."""
    if value is None or not lines:
        return "-"
    return ("~" if lines < FEW_ORDERS else "") + format_ratio(value, _PLACES[kpi])


def roi_cell(chosen: Chosen, totals: Totals, scope: CreditScope) -> str:
    """Print the chosen ROI of a scope; `-` where that scope is not chosen."""
    for labels in chosen:
        if labels.scope == scope:
            return guess_cell(roi(totals, labels), orders(totals, labels), f"roi_{scope}")
    return "-"


def plain_cell(row: Row, kpi: str) -> str:
    """Print a KPI that needs no orders."""
    return format_ratio(row.kpis()[kpi], _PLACES[kpi]) or "-"
