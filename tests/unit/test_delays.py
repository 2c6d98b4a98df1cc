"""Tallies of delays follow the credit, and tallies of lateness the head before each record."""

from itertools import permutations

import pytest

from cases.crediting import Books, T, click, order
from cases.folding import click as seen_click
from cases.folding import fold_clicks, fold_orders
from cases.folding import order as seen_order
from models.attribution import Attribution
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs


def delays(books: Books) -> dict[str, int]:
    """Give the histogram that the slices added up to."""
    return {name: count for name, count in books.tallies.items() if name.startswith("delay:") and count}


@pytest.mark.parametrize("turns", list(permutations("abo")), ids="".join)
def test_the_delay_of_a_line_is_that_to_the_click_it_counts_for(turns: tuple[str, ...]) -> None:
    """Whatever arrives first: when a better click comes, the line moves to another bucket."""
    books = Books()
    takes = {
        "a": lambda: books.clicks(click(T - 3 * HOUR_MS, "k1")),
        "b": lambda: books.clicks(click(T - 2 * MINUTE_MS, "k2")),
        "o": lambda: books.orders(order(), order("paid")),
    }
    for turn in turns:
        takes[turn]()

    assert {"delay:2m": 1} == delays(books)


def test_a_line_that_was_never_placed_has_no_delay_yet() -> None:
    """It counts once its placing is read, and moves from then on only."""
    books = Books()
    books.orders(order("paid"))
    books.clicks(click(T - HOUR_MS))
    assert {} == delays(books)

    books.orders(order())
    assert {"delay:1h": 1} == delays(books)


def test_a_line_that_names_its_campaign_comes_with_its_click() -> None:
    """As it stands in the totals by click; a gift stands in none."""
    books = Books()
    books.orders(order(campaign_id="c9"), order(order_id="g", campaign_id="c9", gift=True), order(order_id="n"))

    assert {"delay:1m": 1} == delays(books)


def test_a_line_that_total_does_not_admit_has_no_delay() -> None:
    """The histogram is of the lines whose expected number it corrects."""
    books = Books(Attribution(halo="none"))
    books.clicks(click(T - HOUR_MS, sku="s1"))
    books.orders(order(sku="s2"))

    assert {} == delays(books)


def late(tallies: dict[str, int]) -> dict[str, int]:
    """Give the counts of late records by class."""
    return {name.split(":")[2]: count for name, count in tallies.items() if name.startswith("late_by:")}


@pytest.mark.parametrize(
    ("lag", "expected"),
    [
        (MINUTE_MS - 1, {}),
        (MINUTE_MS, {"1m": 1}),
        (HOUR_MS - 1, {"5m": 1}),
        (HOUR_MS, {"1h": 1}),
        (DAY_MS - 1, {"6h": 1}),
        (DAY_MS, {"1d": 1}),
        (9 * DAY_MS, {"7d": 1}),
    ],
)
def test_late_records_are_counted_by_how_late(lag: int, expected: dict[str, int]) -> None:
    """Behind the newest of its own topic and partition; orders by the time of the record."""
    assert expected == late(dict(fold_clicks(seen_click(T), seen_click(T - lag)).tallies))
    assert expected == late(dict(fold_clicks(seen_click(T - lag), head=T).tallies))
    assert expected == late(dict(fold_orders(seen_order(at=T - lag), head=T).tallies))


def test_the_first_record_and_those_in_order_are_not_late() -> None:
    """A slice that spans an hour holds no late record if it runs forwards."""
    forwards = [seen_click(T - HOUR_MS + minute * MINUTE_MS) for minute in range(60)]

    assert {} == late(dict(fold_clicks(*forwards).tallies))
    assert {} == late(dict(fold_clicks(*forwards, head=EpochMs(forwards[0].at)).tallies))
