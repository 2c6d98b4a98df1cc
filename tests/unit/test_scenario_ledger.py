"""The scenario's own sums and lives of orders, by hand."""

from collections import Counter

import pytest

from models.scenario import shop
from models.scenario.draws import substream
from models.scenario.emitted import CLICKS, ORDERS, Emitted, Payload, Value
from models.scenario.ledger import Ledger
from models.scenario.market import PRICE_CAP_MICROS
from models.scenario.purchase import CAP_MICROS
from models.scenario.world import START
from models.totals import Totals
from models.units import DAY_MS, MICROS_PER_UNIT, EpochMs


def lives(count: int) -> list[Emitted]:
    """Give all records of many orders in order of arrival."""
    rng, out = substream(2, "lives"), []
    for number in range(count):
        product = shop.pick_product(rng)
        out.extend(shop.life_of(rng, f"o{number}", "u", "440000", START, product, number % 2 == 0))
    return sorted(out, key=lambda record: record.arrival)


def test_orders_live_in_every_way() -> None:
    """Second lines, gifts, bulk buys, cancellations, refunds in whole, in half and in two halves all come up."""
    records = lives(6_000)
    lines = Counter(record.body["line"] for record in records if record.body["status"] == "placed")
    refunds = Counter(
        str(record.body["event_id"]).rsplit(".", 1)[1] for record in records if record.body["status"] == "refunded"
    )
    ledger = Ledger()
    for record in records:
        ledger.add(record)
    sums = ledger.totals("region")["440000"]

    assert len(records) == len({record.body["event_id"] for record in records})
    assert 6_000 == lines[1]
    assert (0.08, 0.03) == pytest.approx((lines[2] / 6_000, lines[3] / 6_000), abs=0.01)
    assert lines[3] == sums.gifts
    assert sums.orders_refunded > sums.orders_fully_refunded > 0
    assert refunds["refunded"] > 10 * refunds["2"] > 0
    assert sums.orders_cancelled > 0
    assert {1} < {record.body["quantity"] for record in records}


def emitted(topic: str, body: Payload) -> Emitted:
    """Make a record of one region that happens when it arrives."""
    return Emitted(EpochMs(int(str(body["at"]))), topic, "u", {"region": "440000", "user_id": "u", **body})


def click(event_id: str, at: int, campaign: str = "k", sku: str = "phone") -> Emitted:
    """Make a click of the one user."""
    body: Payload = {"event_id": event_id, "at": at, "campaign_id": campaign, "spend_micros": 5, "sku": sku}
    return emitted(CLICKS, body)


def line(placed_at: int, status: str = "placed", **more: Value) -> Emitted:
    """Make a record of the one order line."""
    body: Payload = {"at": placed_at, "placed_at": placed_at, "order_id": "o", "line": 1, "status": status}
    amounts: Payload = {"amount_micros": 70, "paid_micros": 60, "refund_micros": 20, "gift": False, "sku": "phone"}
    return emitted(ORDERS, body | amounts | more)


def credit(*records: Emitted) -> dict[str, tuple[int, int]]:
    """Give the direct and total orders of each campaign that any order counts for."""
    ledger = Ledger()
    for record in records:
        ledger.add(record)
    campaigns = ledger.totals("campaign").items()
    return {name: (sums.direct_orders, sums.total_orders) for name, sums in campaigns if sums.orders_placed}


@pytest.mark.parametrize(
    ("clicks", "expected"),
    [
        ([], {}),
        ([click("a", START - 15 * DAY_MS)], {"k": (1, 1)}),
        ([click("a", START - 15 * DAY_MS - 1)], {}),
        ([click("a", START)], {"k": (1, 1)}),
        ([click("a", START + 1)], {}),
        ([click("b", START - 9), click("a", START - 9, "l")], {"k": (1, 1)}),
        ([click("a", START - 8, "l"), click("b", START - 9)], {"l": (1, 1)}),
        ([click("a", START, sku="watch")], {"k": (0, 1)}),
    ],
    ids=["none", "oldest", "too old", "same instant", "after", "tie", "last", "another product"],
)
def test_ledger_credits_the_last_click(clicks: list[Emitted], expected: dict[str, tuple[int, int]]) -> None:
    """The click counts wherever it stands among the records: before the order's or behind it."""
    assert expected == credit(*clicks, line(START)) == credit(line(START), *clicks)


def test_ledger_counts_every_label_of_a_credited_line() -> None:
    """Amounts, flows, the click's own basis and day, and the cap: each of them by hand."""
    ledger = Ledger()
    huge = 30_000 * MICROS_PER_UNIT
    yesterday = click("a", START - DAY_MS)
    for record in (yesterday, *(line(START, status, amount_micros=huge) for status in ("placed", "paid", "refunded"))):
        ledger.add(record)
    for status in ("placed", "cancelled"):
        ledger.add(line(START, status, order_id="p", campaign_id="k", halo=True))
    ledger.add(line(START, "cancelled", order_id="q", campaign_id="l"))

    assert (
        Totals(
            clicks=1,
            spend_micros=5,
            orders_placed=2,
            orders_paid=1,
            orders_cancelled=1,
            orders_refunded=1,
            gmv_placed_micros=huge + 70,
            gmv_paid_micros=60,
            gmv_refunded_micros=20,
            flow_cancelled=1,
            flow_refunds=1,
            flow_refunded_micros=20,
            direct_orders=1,
            direct_gmv_micros=huge,
            direct_paid_micros=60,
            direct_refunded_micros=20,
            total_orders=2,
            total_gmv_micros=huge + 70,
            total_paid_micros=60,
            total_refunded_micros=20,
            total_orders_0d=1,
            total_gmv_0d_micros=70,
            capped_orders=1,
            direct_capped_micros=CAP_MICROS,
            total_capped_micros=CAP_MICROS + 70,
            click_direct_orders=1,
            click_direct_gmv_micros=huge,
            click_direct_paid_micros=60,
            click_direct_refunded_micros=20,
            click_total_orders=2,
            click_total_gmv_micros=huge + 70,
            click_total_paid_micros=60,
            click_total_refunded_micros=20,
            click_total_orders_0d=1,
            click_total_gmv_0d_micros=70,
        )
        == ledger.totals("region,campaign")["440000:k"]
    )
    assert Totals(orders_cancelled=1, flow_cancelled=1) == ledger.totals("campaign")["l"]


def test_ledger_keeps_gifts_apart() -> None:
    """A gift counts for the campaign it names, never for a click."""
    assert {} == credit(click("a", START), line(START, gift=True))
    ledger = Ledger()
    ledger.add(line(START, gift=True, campaign_id="k"))

    assert {"k": Totals(gifts=1)} == ledger.totals("campaign")


def test_ledger_counts_an_eligible_line_by_its_unit_price() -> None:
    """A line without a unit price is judged by its amount; an unknown subsidy tells nothing."""
    ledger = Ledger()
    dear = PRICE_CAP_MICROS + 1
    ledger.add(line(START, order_id="1", subsidy_micros=9))
    ledger.add(line(START, order_id="2", subsidy_micros=0, amount_micros=dear))
    ledger.add(line(START, order_id="3", subsidy_micros=0, amount_micros=dear, unit_price_micros=7))
    ledger.add(line(START, order_id="4"))
    sums = ledger.totals("region")["440000"]

    assert (2, 1) == (sums.eligible_orders, sums.subsidised_orders)


def test_ledger_refuses_what_is_not_a_number() -> None:
    """A body that is not as emitted is a fault, not a zero."""
    with pytest.raises(TypeError):
        Ledger().add(Emitted(START, CLICKS, "u", {"region": "440000", "spend_micros": None}))
