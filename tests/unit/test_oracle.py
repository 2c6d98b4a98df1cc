"""The batch oracle by hand, and against the scenario's own sums: two codes that share nothing."""

import json
import random
from collections import Counter
from fractions import Fraction

import pytest

from models.kpis import KPIS, format_ratio
from models.scenario.ledger import Ledger
from models.scenario.world import START, World
from models.totals import Totals
from models.units import DAY_MS, HOUR_MS, EpochMs
from oracle import RATIOS, Cells, Terms, count, rounded

CLICKS, ORDERS = ("ads.clicks.v1", 0), ("shop.orders.v1", 0)
Log = dict[tuple[str, int], list[bytes]]


def day_of(at: int) -> int:
    """Give local midnight in Shanghai by plain arithmetic."""
    return at - (at + 8 * HOUR_MS) % DAY_MS


def click(event_id: str, at: int, **more: object) -> bytes:
    """Make a click of the one user."""
    body = {"event_id": event_id, "at": at, "region": "440000", "campaign_id": "k", "user_id": "u", "spend_micros": 1}
    return json.dumps(body | more).encode()


def line(status: str = "placed", **more: object) -> bytes:
    """Make a record of the one order line."""
    body = {"event_id": f"o.{status}", "at": START, "placed_at": START, "region": "110000", "user_id": "u", "line": 1}
    amounts = {"amount_micros": 70, "paid_micros": 60, "refund_micros": 20, "gift": False, "sku": "phone"}
    return json.dumps(body | amounts | {"order_id": "o", "status": status, "quantity": 1} | more).encode()


def credited(terms: Terms, *records: bytes) -> dict[str, tuple[int, int]]:
    """Give direct and total orders by campaign, on the day of the order."""
    clicks = [record for record in records if b"order_id" not in record]
    orders = [record for record in records if b"order_id" in record]
    cells = count({CLICKS: clicks, ORDERS: orders}, terms).get(("campaign", "day", day_of(START)), {})
    found = {name: (sums.get("direct_orders", 0), sums.get("total_orders", 0)) for name, sums in cells.items()}
    return {name: both for name, both in found.items() if any(both)}


def test_ids_repeated_within_the_window_count_once() -> None:
    """A copy within N records is dropped and refreshes the window; one beyond it counts again."""
    log = [click(name, START) for name in "abababcdea"]

    assert {
        4: 5 + 1,
        5: 5,
        0: 10,
    } == {
        window: count({CLICKS: log}, Terms(duplicate_window=window))["region", "minute", START]["440000"]["clicks"]
        for window in (4, 5, 0)
    }


@pytest.mark.parametrize(
    ("terms", "records", "expected"),
    [
        (Terms(), [line()], {}),
        (Terms(), [click("a", START - 15 * DAY_MS), line()], {"k": (1, 1)}),
        (Terms(), [click("a", START - 15 * DAY_MS - 1), line()], {}),
        (Terms(window_days=1), [click("a", START - DAY_MS - 1), line()], {}),
        (Terms(), [click("a", START + 1), click("b", START, campaign_id="l"), line()], {"l": (1, 1)}),
        (Terms(), [click("b", START, campaign_id="l"), click("a", START), line()], {"l": (1, 1)}),
        (Terms(), [click("a", START, sku="watch"), line()], {"k": (0, 1)}),
        (Terms(halo="none"), [click("a", START, sku="watch"), line()], {}),
        (Terms(halo="none"), [line(campaign_id="m", halo=True)], {}),
        (Terms(halo="brand_category"), [line(campaign_id="m", halo=True)], {"m": (0, 1)}),
        (Terms(halo="brand_category"), [click("a", START, sku="watch", category="c"), line(category="c")], {}),
        (
            Terms(halo="brand_category", brand="mi"),
            [click("a", START, sku="watch", category="c"), line(category="c", brand="mi")],
            {"k": (0, 1)},
        ),
        (Terms(), [click("a", START), line(gift=True)], {}),
        (Terms(), [click("a", START), line(campaign_id="m")], {"m": (1, 1)}),
    ],
)
def test_credit_by_the_definitions(terms: Terms, records: list[bytes], expected: dict[str, tuple[int, int]]) -> None:
    """Window, ties, halo settings and named campaigns, each at its edge."""
    assert expected == credited(terms, *records)


def test_click_without_a_product_promotes_those_of_its_campaign() -> None:
    """The newest settings decide; a campaign that names none promotes all."""
    log: Log = {CLICKS: [click("a", START)], ORDERS: [line()]}
    settings = [{"campaign_id": "k", "version": version, "skus": skus} for version, skus in ((2, ["tv"]), (1, []))]
    named = log | {("ads.campaigns.v1", 0): [json.dumps(one).encode() for one in settings]}
    key = ("campaign", "day", day_of(START))

    assert [1, None] == [count(logs)[key]["k"].get("direct_orders") for logs in (log, named)]


def test_each_bucket_by_hand() -> None:
    """Orders where they are shipped, credit where the ad was shown; the click's bucket, and flows when they came."""
    clicked, back = EpochMs(START - 2 * HOUR_MS), EpochMs(START + DAY_MS)
    orders = [line(), line("paid"), line("paid"), line("refunded", at=back), line("refunded", event_id="2", at=back)]
    cells = count({CLICKS: [click("a", clicked)], ORDERS: orders}, Terms(cap_micros=50))
    amounts = {"gmv": 70, "paid": 60, "refunded": 40}
    credit = {f"{scope}_{name}{zero}_micros": n for name, n in amounts.items() for scope, zero in labels()}
    credit |= {f"{scope}_orders{zero}": 1 for scope, zero in labels()}
    ordered = {"orders_placed": 1, "orders_paid": 1, "orders_refunded": 1, "gmv_placed_micros": 70}

    assert {
        "110000": ordered | {"gmv_paid_micros": 60, "gmv_refunded_micros": 40},
        "440000": credit | {"capped_orders": 1, "direct_capped_micros": 50, "total_capped_micros": 50},
    } == cells["region", "minute", START]
    assert {"110000": {"flow_refunds": 2, "flow_refunded_micros": 40}} == cells["region", "hour", back]
    by_click = {f"click_{name}": value for name, value in credit.items()}
    assert {"440000:k": by_click | {"clicks": 1, "spend_micros": 1}} == cells["region,campaign", "hour", clicked]
    assert {"110000:k", "440000:k"} == set(cells["region,campaign", "day", day_of(START)])


def labels() -> list[tuple[str, str]]:
    """Give scopes and windows."""
    return [(scope, zero) for scope in ("direct", "total") for zero in ("", "_0d")]


def test_oracle_and_ledger_agree_on_the_market() -> None:
    """Every counter of every member over six hours, with the log cut into partitions, repeated and shuffled."""
    ledger, chance = Ledger(), random.Random(4)
    logs: Log = {}
    world = World(5, rate=12, days=1)
    for minute in range(360):
        for record in world.step(EpochMs(START + minute * 60_000)):
            if record.topic == "ads.impressions.v1" and chance.random() < 0.9:
                continue
            ledger.add(record)
            value = json.dumps(record.body).encode()
            log = logs.setdefault((record.topic, sum(record.key.encode()) % 3), [])
            log.extend([value] * chance.choice((1, 1, 2)))
    for log in logs.values():
        chance.shuffle(log)
    cells = count(logs)

    for scope in ("region", "campaign", "region,campaign"):
        for level in ("minute", "hour", "day"):
            expected = {member: totals.nonzero() for member, totals in ledger.totals(scope).items()}
            assert expected == summed(cells, scope, level)
    assert ledger.totals("region")["440000"].click_total_orders > 0


def summed(cells: Cells, scope: str, level: str) -> dict[str, Counter[str]]:
    """Add up all buckets of a scope and level."""
    out: dict[str, Counter[str]] = {}
    for (of, at, _), members in cells.items():
        if (of, at) == (scope, level):
            for member, counts in members.items():
                out.setdefault(member, Counter()).update(counts)
    return out


def test_ratios_agree_with_the_product() -> None:
    """The table's ratios are the same to the sixth place, undefined ones included."""
    kpis = {kpi.name: kpi.compute for kpi in KPIS if kpi.name in RATIOS}
    for counts in (
        {"clicks": 7, "impressions": 90, "spend_micros": 2_600_001, "direct_orders": 3, "total_orders": 4},
        {"spend_micros": 3, "direct_gmv_micros": 10**15, "total_gmv_micros": 2 * 10**15 + 1},
        {"direct_orders": 1},
    ):
        totals = Totals.of(counts)
        assert {name: format_ratio(compute(totals), 6) for name, compute in kpis.items()} == {
            name: rounded(RATIOS[name](counts)) for name in kpis
        }
    assert set(RATIOS) == set(kpis)
    assert ["-0.500001", "0.000001"] == [rounded(Fraction(*one)) for one in ((-1_000_001, 2_000_000), (1, 2_000_000))]
