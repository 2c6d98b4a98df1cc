"""One order line's life, record by record."""

from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from models.attribution import Attribution, contributions, opened
from models.errors import InvalidEvent
from models.events import Order
from models.orders import MAX_REFUNDS, Eligibility, Line, advance, line_key, line_texts, parse_line
from models.packed import reader
from models.totals import GROUPS
from models.wire import WireOrder

SETTINGS = Attribution()
ZONE = ZoneInfo("Asia/Shanghai")

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
    line, gained, duplicates = opened(records[0], SETTINGS), [], 0
    before: Counter[str] = Counter()
    for record in records:
        after = advance(line, record, PHONES, SETTINGS.cap_micros)
        duplicates += after is None
        line = after or line
        sums = counters_of(line)
        gained.append({name: amount for name, amount in (sums - before).items() if name in GROUPS["o"]})
        before = sums
    return gained, duplicates


def counters_of(line: Line) -> Counter[str]:
    """Name all that a line adds, credit included."""
    parts = contributions(line, ZONE)
    named = [zip(GROUPS[group], reader(group)(amounts), strict=True) for _, group, _, _, amounts in parts]
    return sum((Counter(dict(pairs)) for pairs in named), Counter())


def test_placing_counts_the_order_and_its_amount() -> None:
    """Without a campaign and without a known subsidy that is all."""
    assert ([{"orders_placed": 1, "gmv_placed_micros": 3_000_000_000}], 0) == run(order())


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

    assert [
        {"orders_paid": 1, "gmv_paid_micros": 2_500_000_000},
        {"orders_cancelled": 1, "flow_cancelled": 1},
    ] == gained[1:3]
    assert [{}] * 3 == gained[3:]
    assert 3 == duplicates


def test_refunds_come_in_parts() -> None:
    """The line is refunded once and the money adds; it is fully refunded when it reaches what was paid."""
    parts = [order("refunded", event_id=f"r{part}", refund_micros=amount) for part, amount in enumerate((1, 2, 7))]

    gained, duplicates = run(order("paid", paid_micros=3), *parts, parts[0])

    assert [
        {"orders_refunded": 1, "gmv_refunded_micros": 1, "flow_refunds": 1, "flow_refunded_micros": 1},
        {"orders_fully_refunded": 1, "gmv_refunded_micros": 2, "flow_refunds": 1, "flow_refunded_micros": 2},
        {"gmv_refunded_micros": 7, "flow_refunds": 1, "flow_refunded_micros": 7},
        {},
    ] == gained[1:]
    assert 1 == duplicates


def test_a_refund_may_arrive_before_its_payment() -> None:
    """Whether it was all can be told only when the payment is known."""
    refund = order("refunded", refund_micros=2_500_000_000)

    gained, _ = run(refund, order("paid"))

    amount = 2_500_000_000
    flow = {"flow_refunds": 1, "flow_refunded_micros": amount}
    assert {"orders_refunded": 1, "gmv_refunded_micros": amount} | flow == gained[0]
    assert {"orders_paid": 1, "gmv_paid_micros": 2_500_000_000, "orders_fully_refunded": 1} == gained[1]


def test_a_refund_of_nothing_is_a_refund() -> None:
    """An amount of 0 counts the line and adds no money; a payment of 0 is reached by it."""
    gained, _ = run(order("paid", paid_micros=0), order("refunded", refund_micros=0))

    assert [{"orders_paid": 1}, {"orders_refunded": 1, "orders_fully_refunded": 1, "flow_refunds": 1}] == gained


def test_a_gift_enters_its_own_counter_and_no_other() -> None:
    """Its payment and refund are known and add nothing."""
    records = [
        order(status, gift=True, subsidy_micros=1, campaign_id="c1") for status in ("placed", "paid", "refunded")
    ]

    assert ([{"gifts": 1}, {}, {}], 0) == run(*records)


def test_the_number_of_refunds_is_bounded() -> None:
    """One refund too many is refused, a copy of an old one is still a duplicate."""
    refunds = [order("refunded", event_id=f"r{part}") for part in range(MAX_REFUNDS + 1)]
    line = opened(refunds[0], SETTINGS)
    for refund in refunds[:-1]:
        line = advance(line, refund, PHONES, 1) or line

    assert len(line_texts([line])[0]) < 5_000
    assert advance(line, refunds[0], PHONES, 1) is None
    with pytest.raises(InvalidEvent, match="64 refunds"):
        advance(line, refunds[-1], PHONES, 1)


def test_states_are_short_text() -> None:
    """What the store keeps of an ordinary line is a few bytes."""
    line = opened(order(), SETTINGS)
    placed = advance(line, order(), PHONES, SETTINGS.cap_micros)
    assert placed is not None
    paid = advance(placed, order("paid"), PHONES, SETTINGS.cap_micros)
    assert paid is not None

    assert '[1,4,"440000",3000000000]' == line_texts([placed])[0]
    assert '[3,4,"440000",3000000000,null,null,2500000000,0,[],0]' == line_texts([paid])[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"campaign_id": "c\n1"},
        {"campaign_id": "c1", "gift": True},
        {"user_id": "u", "sku": "s", "category": "phone"},
        {"user_id": "u", "amount_micros": 10**15},
    ],
)
@pytest.mark.parametrize("last", ["placed", "paid", "cancelled", "refunded"])
def test_states_are_read_as_they_were_written(changes: dict[str, object], last: str) -> None:
    """Whatever the line has come to."""
    records = [order("placed", **changes), order(last, **changes)]
    line = opened(records[0], SETTINGS)
    for record in records:
        line = advance(line, record, PHONES, SETTINGS.cap_micros) or line

    assert [line, line] == [parse_line(text) for text in line_texts([line, line])]


def test_the_contract_model_is_taken_as_well_as_the_struct() -> None:
    """Both forms of an order step the line alike."""
    body = {name: getattr(order(), name) for name in Order.model_fields}
    line = opened(order(), SETTINGS)

    assert line == opened(Order(**body), SETTINGS)
    assert advance(line, order(), PHONES, 1) == advance(line, Order(**body), PHONES, 1)


def test_no_order_id_imitates_the_line_of_another() -> None:
    """The number comes first."""
    assert "12:3:o" == line_key("3:o", 12)
    assert line_key("2:o", 1) != line_key("o", 12)
