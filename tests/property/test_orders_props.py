"""The sums of a line do not depend on the order in which its records arrive, nor on copies."""

from collections import Counter
from itertools import permutations
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from models.attribution import Attribution, contributions, opened
from models.orders import Eligibility, advance, line_key, line_texts
from models.packed import reader
from models.totals import GROUPS
from models.wire import WireOrder

PHONES = Eligibility("phone", 6_000_000_000)
ZONE = ZoneInfo("Asia/Shanghai")
AMOUNTS = st.integers(0, 5)


@st.composite
def lines(draw: st.DrawFn) -> list[WireOrder]:
    """Draw the records of one line: some of placed, paid and cancelled, and up to three refunds."""
    common: dict[str, object] = {"at": 5, "region": "440000", "order_id": "o", "line": 1, "placed_at": 4, "quantity": 1}
    common |= {"amount_micros": draw(AMOUNTS), "subsidy_micros": draw(st.none() | AMOUNTS)}
    common |= {"gift": draw(st.booleans()), "campaign_id": draw(st.sampled_from([None, "c1"]))}
    statuses = draw(st.lists(st.sampled_from(["placed", "paid", "cancelled"]), unique=True))
    records = [{"event_id": status, "status": status, "paid_micros": draw(AMOUNTS)} for status in statuses]
    refunds = draw(st.lists(AMOUNTS, max_size=3))
    records += [
        {"event_id": f"r{part}", "status": "refunded", "refund_micros": amount} for part, amount in enumerate(refunds)
    ]
    return [WireOrder(**(common | record)) for record in records]  # type: ignore[arg-type]


def result(records: list[WireOrder]) -> tuple[str | None, Counter[str], int]:
    """Feed records; give the last state, what it adds, and the number of duplicates."""
    if not records:
        return None, Counter(), 0
    line, duplicates = opened(records[0], Attribution()), 0
    for record in records:
        after = advance(line, record, PHONES, 3)
        duplicates += after is None
        line = after or line
    sums: Counter[str] = Counter()
    for _, group, _, _, amounts in contributions(line, ZONE):
        sums.update(dict(zip(GROUPS[group], reader(group)(amounts), strict=True)))
    return line_texts([line])[0], sums, duplicates


@given(lines())
def test_any_order_of_arrival_gives_the_same_line(records: list[WireOrder]) -> None:
    """All permutations end in one state and one set of sums."""
    expected = result(records)

    for arrival in permutations(records):
        assert expected == result(list(arrival))


@given(lines(), st.data())
def test_copies_change_nothing(records: list[WireOrder], data: st.DataObject) -> None:
    """With copies mixed in anywhere, only the number of duplicates grows."""
    state, sums, _ = result(records)
    copies = data.draw(st.lists(st.sampled_from(records), max_size=6)) if records else []
    arrival = data.draw(st.permutations(records + copies))

    assert (state, sums, len(copies)) == result(arrival)


@given(lines())
def test_counters_stay_in_their_bounds(records: list[WireOrder]) -> None:
    """A line counts at most once in each counter of lines, and in full only where it counts in part."""
    _, sums, _ = result(records)

    assert all(sums[name] <= 1 for name in sums if "micros" not in name and name != "flow_refunds")
    assert sums["orders_fully_refunded"] <= min(sums["orders_refunded"], sums["orders_paid"])
    assert sums["subsidised_orders"] <= sums["eligible_orders"] <= sums["orders_placed"]
    assert not (sums["gifts"] and sum(sums.values()) > 1)


@given(st.text(), st.integers(0, 10**6), st.text(), st.integers(0, 10**6))
def test_keys_of_lines_differ_when_lines_do(order: str, line: int, other_order: str, other_line: int) -> None:
    """Whatever characters the ids hold."""
    assert ((order, line) == (other_order, other_line)) == (line_key(order, line) == line_key(other_order, other_line))
