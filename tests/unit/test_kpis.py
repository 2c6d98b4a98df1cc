"""The KPI table against figures a person can check."""

from decimal import Decimal

import pytest

from models.kpis import KPIS, format_ratio, spend_share, subsidised_share
from models.totals import Totals
from models.units import MICROS_PER_UNIT

BY_NAME = {kpi.name: kpi for kpi in KPIS}

# region: spend, clicks, direct orders, direct GMV; then CPC, CPA, direct ROI as they print
GOLDEN = {
    "广东": (25_571, 68_761, 533, 1_191_009, "0.37", "48", "46.6"),
    "江苏": (17_762, 42_711, 299, 721_380, "0.42", "59", "40.6"),
    "四川": (12_817, 32_313, 444, 1_138_195, "0.40", "29", "88.8"),
    "北京": (16_280, 33_317, 247, 594_721, "0.49", "66", "36.5"),
    "安徽": (4_747, 13_716, 84, 182_818, "0.35", "57", "38.5"),
    "湖北": (9_292, 22_280, 176, 406_574, "0.42", "53", "43.8"),
    "上海": (8_583, 18_400, 252, 638_448, "0.47", "34", "74.4"),
    "total": (219_826, 554_159, 4_478, 10_000_004, "0.40", "49", "45.5"),
}


@pytest.mark.parametrize("row", GOLDEN.values(), ids=GOLDEN)
def test_golden_rows_print_what_follows_from_their_sums(row: tuple[int, int, int, int, str, str, str]) -> None:
    """CPC, CPA and direct ROI of a published region table print to the digit."""
    spend, clicks, orders, gmv, *printed = row
    totals = Totals(
        clicks=clicks,
        spend_micros=spend * MICROS_PER_UNIT,
        direct_orders=orders,
        direct_gmv_micros=gmv * MICROS_PER_UNIT,
    )

    shown = [format_ratio(BY_NAME[name].compute(totals), BY_NAME[name].places) for name in ("cpc", "cpa", "roi_direct")]

    assert printed == shown


def test_every_kpi_is_unknown_without_data() -> None:
    """An undefined ratio is None, never 0."""
    assert [None] * len(KPIS) == [kpi.compute(Totals()) for kpi in KPIS]
    assert spend_share(Totals(), Totals()) is None
    assert subsidised_share(Totals()) is None


def test_every_kpi_divides_its_own_counters() -> None:
    """Each ratio takes its numerator and denominator from the counters its help names."""
    totals = Totals(
        impressions=1_000,
        clicks=20,
        spend_micros=10 * MICROS_PER_UNIT,
        direct_orders=4,
        direct_gmv_micros=300 * MICROS_PER_UNIT,
        total_orders=5,
        total_gmv_micros=500 * MICROS_PER_UNIT,
        direct_capped_micros=200 * MICROS_PER_UNIT,
        total_capped_micros=400 * MICROS_PER_UNIT,
        eligible_orders=8,
        subsidised_orders=2,
    )
    expected = {"cpc": "0.5", "ctr": "0.02", "cvr": "0.25", "cpa": "2.5", "roi_direct": "30", "roi_total": "50"}
    expected |= {"roi_direct_capped": "20", "roi_total_capped": "40"}

    assert {name: Decimal(value) for name, value in expected.items()} == {k.name: k.compute(totals) for k in KPIS}
    assert Decimal("0.5") == spend_share(totals, totals + totals)
    assert Decimal("0.25") == subsidised_share(totals)


def test_a_ratio_is_exact_for_the_largest_amounts() -> None:
    """Money far beyond 2**53 micros keeps its last digit."""
    totals = Totals(clicks=1, spend_micros=10**15 + 1)

    assert Decimal("1000000000.000001") == BY_NAME["cpc"].compute(totals)


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (Decimal("0.125"), 2, "0.13"),
        (Decimal("-0.125"), 2, "-0.13"),
        (Decimal("2.5"), 0, "3"),
        (Decimal("1E+3"), 1, "1000.0"),
        (Decimal("0.0000001"), 6, "0.000000"),
        (None, 2, ""),
    ],
)
def test_halves_go_away_from_zero(value: Decimal | None, places: int, expected: str) -> None:
    """Printing rounds as a hand calculator does, and prints nothing for the unknown."""
    assert expected == format_ratio(value, places)
