"""What is kept of a user's day, and what is asked for."""

import json

import pytest

from cases.crediting import ZONE, Books, T, click, decoded, order
from models.asking import ask_alike
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from models.visits import MAX_CLICKS, MAX_LINES, Known, VisitTexts, days_between
from models.windows import day_of

DAY = day_of(T, ZONE)


def kept(books: Books, day: int = DAY, user: str = "u") -> list[str]:
    """Give the ids of the clicks that are kept of a day."""
    return [fields[1] for fields in json.loads(books.visits[EpochMs(day), user])[0]]


def test_a_first_click_is_a_short_record() -> None:
    """Of a click that is what credit needs, of a day without lines nothing more."""
    books = Books()
    books.clicks(click(T, sku="s\n1\u2028"))

    assert {(DAY, "u"): f'[[[{T},"k1","c1","310000","s\\n1\u2028",null]],[]]'} == books.visits


def test_clicks_and_lines_of_a_day_share_a_record() -> None:
    """In order of time, whatever came first; a copy adds nothing and writes nothing."""
    books = Books()
    books.clicks(click(T, "k2"), click(T - 1, "k9"), click(T, "k1", user_id="v"))
    books.orders(order(order_id="p", placed_at=T + 1), order())
    books.clicks(click(T, "k1"))
    again = books.clicks(click(T, "k1"), click(T, "k2"))

    assert ["k9", "k1", "k2"] == kept(books)
    assert ["k1"] == kept(books, user="v")
    assert [[T, "1:o"], [T + 1, "1:p"]] == json.loads(books.visits[DAY, "u"])[1]
    assert {} == again.visits


def test_of_settled_clicks_the_newest_of_the_day_is_kept() -> None:
    """No order that is still to come lies between it and an older one."""
    books = Books()
    books.orders(order(order_id="now", placed_at=T + DAY_MS))
    books.clicks(click(T - 2, "a"), click(T - 1, "b"), click(T, "c"), click(T + 1, "d"))
    assert ["b", "c", "d"] == kept(books)

    books.orders(order(order_id="later", placed_at=T + DAY_MS + 2))
    books.clicks(click(T - 9, "e"))
    books.orders(order())

    assert ["d"] == kept(books)
    assert {} == {name: count for name, count in books.tallies.items() if name.startswith("forgotten")}


def test_what_is_too_much_for_a_day_is_forgotten_and_counted() -> None:
    """The oldest first."""
    books = Books()
    books.clicks(*(click(T - n, f"k{n}") for n in range(MAX_CLICKS + 2)))
    books.orders(*(order(order_id=f"{n}", placed_at=T + n) for n in range(MAX_LINES + 1)))

    assert "k0" == kept(books)[-1]
    assert MAX_CLICKS == len(kept(books))
    lines = json.loads(books.visits[DAY, "u"])[1]
    assert (MAX_LINES, [T + MAX_LINES, f"1:{MAX_LINES}"]) == (len(lines), lines[-1])
    assert (2, 1) == (books.tallies["forgotten:clicks"], books.tallies["forgotten:lines"])


def test_a_click_that_no_order_can_count_for_is_not_kept() -> None:
    """It is older than the window before the oldest order still to come; it counts as a click."""
    books = Books()
    books.orders(order(order_id="now", placed_at=T + 16 * DAY_MS))

    books.clicks(click(T - 1), click(T, "k2"))

    assert ["k2"] == kept(books)
    assert {} == books.clicks(click(T - 1)).visits
    assert 3 == books.of("310000")["clicks"]


def test_the_usual_slice_asks_for_one_day_of_each_user() -> None:
    """However many clicks a user made."""
    folder = Books().folder
    clicks = [click(T), click(T + 1), click(T, user_id="v")]

    assert {DAY: ["u", "v"]} == folder.visits_of(clicks, None) == folder.visits_of(clicks, T)
    assert {} == folder.visits_of([], T)


@pytest.mark.parametrize(
    ("orders_head", "days"),
    [(None, 1), (T - 5 * DAY_MS, 1), (T, 1), (T + DAY_MS, 2), (T + 40 * DAY_MS, 16)],
)
def test_a_click_behind_the_orders_asks_for_the_days_of_lines_it_may_have(orders_head: int | None, days: int) -> None:
    """From its own day to that of the orders, or the end of its window."""
    head = None if orders_head is None else EpochMs(orders_head)
    expected = {DAY + n * DAY_MS: ["u"] for n in range(days)}

    assert expected == Books().folder.visits_of([click(T)], head)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [(None, None, True), (None, T, False), (T, None, False), (T, DAY, True), (T, DAY - 1, False)],
)
def test_heads_of_one_day_ask_alike(one: int | None, other: int | None, alike: bool) -> None:
    """The visits of a slice need not be named again when the orders went on within their day."""
    heads = [None if head is None else EpochMs(head) for head in (one, other)]

    assert alike == ask_alike(heads[0], heads[1], ZONE)


def test_clicks_over_midnight_ask_for_each_their_day() -> None:
    """And land there."""
    books = Books()
    midnight = EpochMs(DAY + DAY_MS)
    clicks = [click(midnight - 1), click(midnight, "k2"), click(midnight - 2, "k3", user_id="v")]
    books.clicks(*clicks)

    assert [(DAY, "u"), (DAY, "v"), (midnight, "u")] == sorted(books.visits)


def test_a_line_asks_for_the_days_of_its_window_once() -> None:
    """A paid record asks only where it begins the line; a gift, a named line and a stranger's never do."""
    folder = Books().folder
    placed, paid = order(), order("paid", order_id="p")
    nobody = [order(gift=True), order(campaign_id="c"), order(user_id=None)]
    both = [placed, paid, *nobody]
    lines = dict.fromkeys(folder.line_ids(both))

    assert {DAY - n * DAY_MS: ["u"] for n in range(16)} == folder.visit_ids([placed, placed, *nobody])
    assert {} == folder.visit_ids([paid])
    assert {} == folder.more_visit_ids(both, lines)
    assert folder.visit_ids([placed]) == folder.more_visit_ids([paid], lines)
    assert {} == folder.more_visit_ids([paid], dict.fromkeys(lines, "[]"))


def test_lines_over_midnight_ask_each_for_their_days() -> None:
    """A buyer of the day before is asked for from a day earlier."""
    midnight = EpochMs(DAY + DAY_MS)
    asked = Books().folder.visit_ids([order(placed_at=midnight - 1), order(placed_at=midnight, user_id="v")])

    assert {n: ["u", "v"] for n in range(1, 16)} | {0: ["u"], 16: ["v"]} == {
        (day - DAY) // DAY_MS + 15: users for day, users in asked.items()
    }


def test_a_window_may_begin_before_time_does() -> None:
    """Orders of the first days of the epoch have fewer days before them."""
    assert 1 == len(Books().folder.visit_ids([order(placed_at=0)]))


def test_days_are_local_and_complete() -> None:
    """Both ends included."""
    end = EpochMs(DAY + 3 * DAY_MS)

    assert (DAY,) == days_between(DAY, EpochMs(DAY + DAY_MS - 1), ZONE)
    assert (DAY, DAY + DAY_MS, DAY + 2 * DAY_MS, end) == days_between(T, EpochMs(end + HOUR_MS), ZONE)


def test_a_slice_in_one_minute_writes_one_mapping_per_scope() -> None:
    """Buckets of the same content share it, vectors as well as counts."""
    books = Books()
    folded = books.orders(order(campaign_id="c"), order(order_id="p", placed_at=T + MINUTE_MS // 2))
    shared = {id(fields): fields for fields in folded.vectors.values()}

    assert (9, 3) == (len(folded.vectors), len(shared))


def test_duplicates_that_were_left_out_are_counted() -> None:
    """In their tally and nowhere else."""
    folder, slice_ = Books().folder, decoded([click(T)])
    visits: VisitTexts = {DAY: {}}
    folded = folder.fold_clicks(slice_, Known(visits=visits), None, T, duplicates=3)

    assert {"accepted:clicks": 1, "duplicates:clicks": 3} == folded.tallies
