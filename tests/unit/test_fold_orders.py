"""A slice's orders to totals, evidence and lines."""

import json

import pytest

from cases.folding import DAY, FOLDER, T, counters, decoded, fold_orders, levels, order, ref
from models.units import DAY_MS, HOUR_MS, EpochMs
from models.visits import Known
from models.windows import Level, Scope
from models.wire import WireOrder

PLACED = f'[49,{T},"440000",9]'
PAID = f'[51,{T},"440000",9,null,null,7,0,[],0]'
"""A line of nobody known, with a subsidy: placed, then paid."""


def test_an_order_adds_to_the_bucket_of_its_placing() -> None:
    """All its records do, whenever they come; the head follows the time of the record."""
    paid = order("paid", at=T + DAY_MS, placed_at=T)
    known = Known(lines={FOLDER.line_ids([paid])[0]: PLACED})
    folded = FOLDER.fold_orders(decoded([paid]), known, T, EpochMs(T + DAY_MS))

    gained = counters(folded, ref(Scope.REGION, Level.HOUR), "440000")
    assert {"orders_paid": 1, "gmv_paid_micros": 7} == gained
    assert T + DAY_MS == folded.head
    assert {"accepted:orders": 1} == folded.tallies


def test_an_order_without_a_campaign_counts_for_its_region_alone() -> None:
    """One that names a campaign counts for that too."""
    assert {"region"} == set(levels(fold_orders(order())))
    assert {"region", "campaign", "region,campaign"} == set(levels(fold_orders(order(campaign_id="c1"))))


def test_evidence_is_kept_per_second_and_region() -> None:
    """Eligible and subsidised orders of the second they were placed in."""
    events = [
        order(order_id="a", at=T),
        order(order_id="b", at=T + 999, subsidy_micros=0),
        order(order_id="c", at=T + 1_000, region="310000"),
        order(order_id="d", at=T, subsidy_micros=None),
    ]

    assert {T: {"440000": (2, 1)}, T + 1_000: {"310000": (1, 1)}} == fold_orders(*events).evidence


def test_an_order_whose_minute_is_gone_is_no_evidence() -> None:
    """It counts in its day and says nothing about the subsidy of now."""
    folded = fold_orders(order(at=T - 2 * DAY_MS), head=T)

    assert {} == folded.evidence
    (day,) = [key for key in folded.vectors if key.bucket.level is Level.DAY]
    assert 1 == counters(folded, day, "440000")["eligible_orders"]


def test_a_line_is_swapped_once_from_what_was_read() -> None:
    """Duplicates inside a slice and against the store are found; an unchanged line is not written."""
    line = (DAY, "1:o")

    first = fold_orders(order(), order(), order("paid"))
    again = fold_orders(order(), states={line: PLACED})

    assert [(DAY, "1:o", None, PAID)] == list(first.lines)
    assert {"accepted:orders": 2, "duplicates:orders": 1} == first.tallies
    assert [] == list(again.lines)
    assert {"duplicates:orders": 1} == again.tallies


def test_lines_are_named_once_in_order_of_appearance() -> None:
    """The store is asked for each line once."""
    events = [order(order_id="b"), order(order_id="a"), order("paid", order_id="b"), order(order_id="b", line=2)]

    assert [(DAY, "1:b"), (DAY, "1:a"), (DAY, "2:b")] == FOLDER.line_ids(events)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (order(at=T + 300_001), "future"),
        (order(at=T, placed_at=T + 300_001), "future"),
        (order(at=T, placed_at=T - 42 * DAY_MS), "too_old"),
    ],
)
def test_refused_orders_move_nothing(event: WireOrder, reason: str) -> None:
    """Neither head nor line nor totals."""
    folded = fold_orders(event)

    assert [reason] == [verdict.reason for _, verdict in folded.rejects]
    assert (None, {}, []) == (folded.head, folded.vectors, list(folded.lines))


def test_a_line_with_too_many_refunds_refuses_one_more() -> None:
    """The others of the slice go on."""
    refunds = [[f"{part:016x}", T, 1] for part in range(64)]
    full = json.dumps([2, T, "440000", 0, None, None, 100, 0, refunds])
    folded = fold_orders(order("refunded"), order(order_id="b"), states={(DAY, "1:o"): full})

    assert [(0, "out_of_range")] == [(index, verdict.reason) for index, verdict in folded.rejects]
    assert {"accepted:orders": 1, "rejected:orders:out_of_range": 1} == folded.tallies


def test_an_order_late_by_its_own_time_is_counted_as_late() -> None:
    """A correction of an old order is not late; a record that was long under way is."""
    assert 1 == fold_orders(order(at=T - 4 * HOUR_MS), head=T).tallies["late:orders"]
    assert "late:orders" not in fold_orders(order("paid", at=T, placed_at=T - 4 * HOUR_MS), head=T).tallies
