"""How the credit of a line moves, and what is too late to move it."""

import pytest

from cases.crediting import LIMIT, Books, T, click, decoded, order
from models.units import DAY_MS, HOUR_MS
from models.visits import Known
from models.windows import Level, Scope


def test_a_better_click_moves_all_the_line_has_come_to() -> None:
    """Payment, refund and cancelling with their flows leave the old campaign and join the new one."""
    books = Books()
    books.clicks(click(T - 9, "k1", campaign_id="c2"))
    books.orders(order(), order("paid", at=T + 1), order("cancelled", at=T + 2), order("refunded", at=T + HOUR_MS))
    before = books.of("c2", Scope.CAMPAIGN)
    moved = books.clicks(click(T - 5, "k2"))
    spent = {"clicks": 1, "spend_micros": 5}

    assert spent == books.of("c2", Scope.CAMPAIGN)
    assert before == books.of("c1", Scope.CAMPAIGN)
    assert 1 == before["flow_refunds"] == before["flow_cancelled"] == before["orders_fully_refunded"]
    assert (7, 7) == (before["click_total_paid_micros"], before["direct_refunded_0d_micros"])
    assert 1 == books.of("c1", Scope.CAMPAIGN, Level.HOUR)["flow_refunds"]
    assert 1 == len(moved.lines)


def test_a_lesser_click_that_comes_late_changes_no_line() -> None:
    """Nor does a copy of the best one, nor anybody else's."""
    books = Books()
    books.clicks(click(T - 5, "k2"))
    books.orders(order())

    stranger = click(T - 1, "k3", user_id="v", campaign_id="c3")
    assert [] == list(books.clicks(click(T - 9, "k1", campaign_id="c2"), stranger, click(T - 5, "k2")).lines)
    assert {"c1": 1} == books.credited()


def test_an_order_that_comes_too_late_for_its_clicks_is_counted() -> None:
    """It counts in its region, finds what is still kept, and is told."""
    books = Books()
    books.orders(order(order_id="new", placed_at=T + 2 * DAY_MS))
    books.orders(order(order_id="edge", placed_at=T + DAY_MS), order(placed_at=T + DAY_MS - 1))

    assert 1 == books.tallies["late:attribution"]
    assert 3 == books.of("440000")["orders_placed"]


def test_a_line_that_no_visit_can_hold_any_more_is_not_kept_for_clicks() -> None:
    """Its day was swept; a record of it would never be."""
    books = Books()
    books.orders(order(order_id="new", placed_at=T + 20 * DAY_MS))
    known = len(books.visits)
    books.orders(order(placed_at=T))
    books.clicks(click(T - 1))

    assert known == len(books.visits)
    assert {} == books.credited()


def test_a_line_that_begins_with_a_payment_finds_its_click() -> None:
    """Its visits are asked for once it is known to be new."""
    books = Books()
    books.clicks(click(T - 5))
    books.orders(order("paid", at=T + 5))
    books.orders(order("placed"), order("paid", event_id="again"))

    assert {"c1": 1} == books.credited()
    assert {"duplicates:orders": 1} == {name: n for name, n in books.tallies.items() if name.startswith("dup")}


def test_a_line_that_was_forgotten_moves_no_credit() -> None:
    """Visits may outlive what they name."""
    books = Books()
    books.orders(order())
    books.lines.clear()

    assert [] == list(books.clicks(click(T - 5)).lines)


def test_a_line_whose_state_was_lost_is_listed_once() -> None:
    """It is counted anew, and a click finds it once; under two buyers it moves once."""
    books = Books()
    for user in ("u", "u", "v"):
        books.lines.clear()
        books.orders(order(user_id=user))
    moved = books.clicks(click(T - 5), click(T - 4, "k2", user_id="v", campaign_id="c2"))

    assert 2 == sum(text.count('"1:o"') for text in books.visits.values())
    assert 1 == len(moved.lines)
    assert {"c2": 1} == books.credited()


def test_what_was_not_read_is_an_error() -> None:
    """Never a credit that is silently missing."""
    folder, slice_ = Books().folder, decoded([order()])
    lines = dict.fromkeys(folder.line_ids(slice_.events))

    with pytest.raises(KeyError):
        folder.fold_orders(slice_, Known(lines=lines), None, T)
    with pytest.raises(KeyError):
        folder.fold_orders(slice_, Known(visits={day: {} for day in folder.visit_ids(slice_.events)}), None, T)
    with pytest.raises(KeyError):
        folder.fold_clicks(decoded([click()]), Known(), None, T)


def test_a_refused_click_is_no_click() -> None:
    """It is kept for no order, and moves no credit."""
    books = Books()
    books.orders(order())
    refused = books.clicks(click(T - 5), click(LIMIT + 1_000_000, "k2"))

    assert [(1, "future")] == [(index, verdict.reason) for index, verdict in refused.rejects]
    assert [1, 1] == [len(refused.visits), len(refused.lines)]
