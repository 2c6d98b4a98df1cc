"""`seed-table`: the sums of a published table, exactly, from one record per click and order."""

from decimal import ROUND_HALF_UP, Decimal

import pytest

from models.scenario import seed_table
from models.scenario.catalogue import NAMES, open_scenario
from models.scenario.ledger import Ledger
from models.totals import Totals
from models.units import MICROS_PER_UNIT

PRINTED = [
    # region, share %, CPC, CPA, direct ROI, total ROI, as the published table prints them
    ("440000", "12", "0.37", "48", "47", "85"),
    ("320000", "8", "0.42", "59", "41", "68"),
    ("510000", "6", "0.40", "29", "89", "147"),
    ("110000", "7", "0.49", "66", "37", "62"),
    ("340000", "2", "0.35", "57", "38.5", "65"),
    ("420000", "4", "0.42", "53", "44", "68"),
    ("310000", "4", "0.47", "34", "74", "118"),
    ("total", "100", "0.40", "49", "45.5", "78"),
]


@pytest.fixture(scope="module")
def totals() -> dict[str, Totals]:
    """Sums of all events of the day, per region and in total."""
    ledger = Ledger()
    for record in seed_table.events(1):
        ledger.add(record)
    regions = ledger.totals("region")
    return {**regions, "total": Totals.sum(regions.values())}


def test_golden_rows_are_exact(totals: dict[str, Totals]) -> None:
    """Seven regions and the total have the table's spend, clicks, orders and GMV to the last unit."""
    for region, row in [*seed_table.GOLDEN.items(), ("total", seed_table.TOTAL)]:
        cell = totals[region]

        expected = (
            row.spend * MICROS_PER_UNIT,
            row.clicks,
            row.orders,
            row.gmv * MICROS_PER_UNIT,
            row.total_gmv * MICROS_PER_UNIT,
        )
        assert expected == (
            cell.spend_micros,
            cell.clicks,
            cell.direct_orders,
            cell.direct_gmv_micros,
            cell.total_gmv_micros,
        )


@pytest.mark.parametrize(("region", "share", "cpc", "cpa", "roi", "total_roi"), PRINTED)
def test_ratios_print_as_published(
    totals: dict[str, Totals], region: str, share: str, cpc: str, cpa: str, roi: str, total_roi: str
) -> None:
    """Ratios computed from the sums round to the printed figures."""
    cell, spend = totals[region], Decimal(totals["total"].spend_micros)
    computed = [
        (share, 100 * cell.spend_micros / spend),
        (cpc, Decimal(cell.spend_micros) / cell.clicks / MICROS_PER_UNIT),
        (cpa, Decimal(cell.spend_micros) / cell.direct_orders / MICROS_PER_UNIT),
        (roi, Decimal(cell.direct_gmv_micros) / cell.spend_micros),
        (total_roi, Decimal(cell.total_gmv_micros) / cell.spend_micros),
    ]

    for printed, value in computed:
        assert Decimal(printed) == value.quantize(Decimal(printed), ROUND_HALF_UP)


def test_all_regions_have_their_part(totals: dict[str, Totals]) -> None:
    """The rest of the total row is spread over the other 24 regions, none empty."""
    rows = seed_table.rows()

    assert 31 == len(rows)
    assert all(min(row) > 0 and row.total_gmv > row.gmv for row in rows.values())


def test_every_scenario_opens() -> None:
    """Each name gives records and a truth that names it."""
    for name in NAMES:
        scenario = open_scenario(name, 1, 0.01, 1.0)

        assert name == scenario.truth["scenario"]
        assert next(scenario.records).arrival == scenario.start


def test_unknown_scenario_is_an_error() -> None:
    """A name that is not in the list is refused."""
    with pytest.raises(KeyError):
        open_scenario("wave-32", 1, 1, 1.0)
