"""One order line's life, record by record."""

import pytest

from models.errors import InvalidEvent
from models.events import Order
from models.orders import MAX_REFUNDS, Eligibility, advance, line_key
from models.wire import WireOrder

PHONES = Eligibility("phone", 6_000_000_000)


def order(status: str = "placed", **changes: object) -> WireOrder:
    """Make a record of a line placed for 3,000 yuan."""
    body: dict[str, object] = {
        "event_id": f"e.{status}",
        "at": 5,
        "region": "440000",
        "order_id": "o1",
        "line": 1,
        "status": status,
        "placed_at": 4,
        "quantity": 1,
        "amount_micros": 3_000_000_000,
        "paid_micros": 2_500_000_000 if status == "paid" else None,
        "refund_micros": 1_000_000_000 if status == "refunded" else None,
    }
    return WireOrder(**(body | changes))  # type: ignore[arg-type]


def run(*records: WireOrder) -> tuple[list[dict[str, int]], int]:
    """Feed records; give what each gained, and how many were duplicates."""
    state, gained, duplicates = None, [], 0
    for record in records:
        step = advance(state, record, PHONES)
        state, duplicates = step.state, duplicates + step.duplicate
        gained.append(step.counters)
    return gained, duplicates


def test_placing_counts_the_order_and_its_amount() -> None:
    """Without a campaign and without a known subsidy that is all."""
    assert ([{"orders_placed": 1, "gmv_placed_micros": 3_000_000_000}], 0) == run(order())


def test_an_order_that_names_its_campaign_is_taken_at_its_word() -> None:
    """It is credited as direct and in total."""
    gained = run(order(campaign_id="c1"))[0][0]

    assert 1 == gained["direct_orders"] == gained["total_orders"]
    assert 3_000_000_000 == gained["direct_gmv_micros"] == gained["total_gmv_micros"]


def test_a_halo_line_is_no_direct_order() -> None:
    """A line that its source knows to be for another product counts in total alone."""
    gained = run(order(campaign_id="c1", halo=True))[0][0]

    assert {"orders_placed": 1, "total_orders": 1} == {name: n for name, n in gained.items() if "gmv" not in name}


@pytest.mark.parametrize(
    ("changes", "eligible", "subsidised"),
    [
        ({"subsidy_micros": None}, 0, 0),
        ({"subsidy_micros": 0}, 1, 0),
        ({"subsidy_micros": 1}, 1, 1),
        ({"subsidy_micros": 1, "category": "phone"}, 1, 1),
        ({"subsidy_micros": 1, "category": "tv"}, 0, 0),
        ({"subsidy_micros": 1, "unit_price_micros": 6_000_000_000}, 1, 1),
        ({"subsidy_micros": 1, "unit_price_micros": 6_000_000_001}, 0, 0),
        ({"subsidy_micros": 1, "amount_micros": 12_000_000_000, "quantity": 2}, 1, 1),
        ({"subsidy_micros": 1, "amount_micros": 12_000_000_001, "quantity": 2}, 0, 0),
        ({"subsidy_micros": 1, "amount_micros": 9_000_000_000, "unit_price_micros": 1}, 1, 1),
    ],
)
def test_evidence_needs_a_known_subsidy_and_an_eligible_price(
    changes: dict[str, object], eligible: int, subsidised: int
) -> None:
    """The price is the unit price, or else the amount per piece; the cap is inclusive."""
    gained = run(order("placed", **changes))[0][0]

    assert (eligible, subsidised) == (gained.get("eligible_orders", 0), gained.get("subsidised_orders", 0))


def test_each_status_counts_once() -> None:
    """A copy of a record is a duplicate and gains nothing, even under another event id."""
    lines = [order(), order("paid"), order("cancelled")]
    copies = [order(event_id="x"), order("paid", event_id="y"), order("cancelled", event_id="z")]

    gained, duplicates = run(*lines, *copies)

    assert [{"orders_paid": 1, "gmv_paid_micros": 2_500_000_000}, {"orders_cancelled": 1}] == gained[1:3]
    assert [{}] * 3 == gained[3:]
    assert 3 == duplicates


def test_refunds_come_in_parts() -> None:
    """The line is refunded once and the money adds; it is fully refunded when it reaches what was paid."""
    parts = [order("refunded", event_id=f"r{part}", refund_micros=amount) for part, amount in enumerate((1, 2, 7))]

    gained, duplicates = run(order("paid", paid_micros=3), *parts, parts[0])

    assert [
        {"orders_refunded": 1, "gmv_refunded_micros": 1},
        {"gmv_refunded_micros": 2, "orders_fully_refunded": 1},
        {"gmv_refunded_micros": 7},
        {},
    ] == gained[1:]
    assert 1 == duplicates


def test_a_refund_may_arrive_before_its_payment() -> None:
    """Whether it was all can be told only when the payment is known."""
    refund = order("refunded", refund_micros=2_500_000_000)

    gained, _ = run(refund, order("paid"))

    assert {"orders_refunded": 1, "gmv_refunded_micros": 2_500_000_000} == gained[0]
    assert {"orders_paid": 1, "gmv_paid_micros": 2_500_000_000, "orders_fully_refunded": 1} == gained[1]


def test_a_refund_of_nothing_is_a_refund() -> None:
    """An amount of 0 counts the line and adds no money; a payment of 0 is reached by it."""
    gained, _ = run(order("paid", paid_micros=0), order("refunded", refund_micros=0))

    assert [{"orders_paid": 1}, {"orders_refunded": 1, "orders_fully_refunded": 1}] == gained


def test_a_gift_enters_its_own_counter_and_no_other() -> None:
    """Its payment and refund are known and add nothing."""
    records = [
        order(status, gift=True, subsidy_micros=1, campaign_id="c1") for status in ("placed", "paid", "refunded")
    ]

    assert ([{"gifts": 1}, {}, {}], 0) == run(*records)


def test_the_number_of_refunds_is_bounded() -> None:
    """One refund too many is refused, a copy of an old one is still a duplicate."""
    refunds = [order("refunded", event_id=f"r{part}") for part in range(MAX_REFUNDS + 1)]
    state = None
    for refund in refunds[:-1]:
        state = advance(state, refund, PHONES).state

    assert state is not None
    assert len(state) < 1_200
    assert advance(state, refunds[0], PHONES).duplicate
    with pytest.raises(InvalidEvent, match="64 refunds"):
        advance(state, refunds[-1], PHONES)


def test_states_are_short_text() -> None:
    """What the store keeps of an ordinary line is a few bytes."""
    placed = advance(None, order(), PHONES).state

    assert "p|0|0|" == placed
    assert "pd|2500000000|0|" == advance(placed, order("paid"), PHONES).state


def test_the_contract_model_is_taken_as_well_as_the_struct() -> None:
    """Both forms of an order step the line alike."""
    body = {name: getattr(order(), name) for name in Order.model_fields}

    assert advance(None, order(), PHONES) == advance(None, Order(**body), PHONES)


def test_no_order_id_imitates_the_line_of_another() -> None:
    """The number comes first."""
    assert "12:3:o" == line_key("3:o", 12)
    assert line_key("2:o", 1) != line_key("o", 12)
