"""The ratios of a cell, as exact fractions of its counts."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from oracle.cells import Counts

YUAN = 1_000_000

Ratio = Callable[[Counts], Fraction | None]


def _of(part: str, whole: str, unit: int = 1) -> Ratio:
    def ratio(counts: Counts) -> Fraction | None:
        below = counts.get(whole, 0) * unit
        return Fraction(counts.get(part, 0), below) if below else None

    return ratio


def _net(paid: str, refunded: str) -> Ratio:
    def ratio(counts: Counts) -> Fraction | None:
        spend = counts.get("spend_micros", 0)
        return Fraction(counts.get(paid, 0) - counts.get(refunded, 0), spend) if spend else None

    return ratio


def _returns() -> Iterator[tuple[tuple[str, str, str, str], Ratio]]:
    """Give every return on spend by its four labels: basis, window, amount, scope."""
    for basis, prefix in (("order", ""), ("click", "click_")):
        for window, suffix in (("15d", "_micros"), ("0d", "_0d_micros")):
            for scope in ("direct", "total"):
                stem = f"{prefix}{scope}_"
                yield (basis, window, "placed", scope), _of(f"{stem}gmv{suffix}", "spend_micros")
                yield (basis, window, "paid", scope), _of(f"{stem}paid{suffix}", "spend_micros")
                yield (basis, window, "net", scope), _net(f"{stem}paid{suffix}", f"{stem}refunded{suffix}")


RETURNS = dict(_returns())
"""Return on spend by (basis, window, amount, scope)."""

RATIOS: dict[str, Ratio] = {
    "cpc": _of("spend_micros", "clicks", YUAN),
    "ctr": _of("clicks", "impressions"),
    "cvr": _of("total_orders", "clicks"),
    "cpa": _of("spend_micros", "direct_orders", YUAN),
    "roi_direct": RETURNS["order", "15d", "placed", "direct"],
    "roi_total": RETURNS["order", "15d", "placed", "total"],
    "roi_direct_capped": _of("direct_capped_micros", "spend_micros"),
    "roi_total_capped": _of("total_capped_micros", "spend_micros"),
}
"""The columns of the monitoring table."""


def rounded(value: Fraction | None, places: int = 6) -> str:
    """Print a ratio with so many places, halves away from zero; empty when there is none."""
    if value is None:
        return ""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if value < 0 and whole else ""
    return f"{sign}{whole // 10**places}.{whole % 10**places:0{places}d}"
