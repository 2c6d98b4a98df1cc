"""Which click a line counts for, and how its credit moves."""

import pytest

from cases.crediting import LIMIT, Books, T, click, decoded, order
from models.attribution import Attribution, Halo
from models.units import DAY_MS, HOUR_MS
from models.visits import Known
from models.windows import Level, Scope

WINDOW = 15 * DAY_MS


def credited(books: Books) -> dict[str, int]:
    """Give the campaigns that have credit, and for how many orders."""
    campaigns = {member for _, member, counter in books.sums if counter == "total_orders" and ":" not in member}
    return {name: found for name in sorted(campaigns) if (found := books.of(name, Scope.CAMPAIGN).get("total_orders"))}


def test_a_line_counts_for_the_last_click_before_it() -> None:
    """In the region of the click as credit, in the region it is shipped to as an order."""
    books = Books()
    books.clicks(click(T - 9, "k1", campaign_id="c2"), click(T - 5, "k2"), click(T + 1, "k3", campaign_id="c3"))
    books.orders(order())

    assert {"c1": 1} == credited(books)
    assert 1 == books.of("310000")["direct_orders"]
    assert {"orders_placed": 1, "gmv_placed_micros": 9, "eligible_orders": 1, "subsidised_orders": 1} == books.of(
        "440000"
    )
    assert 1 == books.of("440000:c1", Scope.REGION_CAMPAIGN)["orders_placed"]
    assert 9 == books.of("310000:c1", Scope.REGION_CAMPAIGN)["total_gmv_micros"]


@pytest.mark.parametrize(
    ("age", "expected"), [(0, {"c1": 1}), (-1, {}), (WINDOW, {"c1": 1}), (WINDOW + 1, {}), (DAY_MS, {"c1": 1})]
)
@pytest.mark.parametrize("click_first", [True, False])
def test_both_ends_of_the_window_are_in_it(age: int, expected: dict[str, int], click_first: bool) -> None:
    """Whichever topic is read first."""
    books = Books()
    if click_first:
        books.clicks(click(T - age))
    books.orders(order())
    if not click_first:
        books.clicks(click(T - age))

    assert expected == credited(books)


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("late", [0, 1, 2])
def test_of_clicks_at_one_time_the_greatest_id_wins(ids: tuple[str, str], late: int) -> None:
    """Whether both come before the order, one, or none; in one slice or in two."""
    books = Books()
    clicks = [click(T - 5, name, campaign_id=f"c-{name}") for name in ids]
    books.clicks(*clicks[late:])
    books.orders(order())
    books.clicks(*clicks[:late])

    assert {"c-b": 1} == credited(books)


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
    """Nor does a copy of the best one."""
    books = Books()
    books.clicks(click(T - 5, "k2"))
    books.orders(order())

    assert [] == list(books.clicks(click(T - 9, "k1", campaign_id="c2"), click(T - 5, "k2")).lines)
    assert {"c1": 1} == credited(books)


def test_a_line_that_names_its_campaign_is_taken_at_its_word() -> None:
    """Whatever its buyer clicked: direct, in its own region, as if it were its own click."""
    books = Books()
    books.clicks(click(T - 5))
    books.orders(order(campaign_id="c9"))
    books.clicks(click(T - 4, "k2"))

    found = books.of("440000:c9", Scope.REGION_CAMPAIGN)
    assert {"c9": 1} == credited(books)
    assert 1 == found["direct_orders"] == found["click_direct_orders_0d"]
    assert {} == {day: text for day, text in books.visits.items() if text.endswith('"1:o"]]]')}


def test_gifts_and_strangers_are_credited_to_nobody() -> None:
    """A gift counts as one, for the campaign it names too; a buyer who is not known clicked nothing."""
    books = Books()
    books.clicks(click(T - 5))
    books.orders(
        order(gift=True),
        order(order_id="p", gift=True, campaign_id="c9"),
        order("paid", order_id="p", gift=True, campaign_id="c9"),
        order(order_id="q", user_id=None),
    )

    assert {} == credited(books)
    assert (2, 1) == (books.of("440000")["gifts"], books.of("440000")["orders_placed"])
    assert {"gifts": 1} == books.of("c9", Scope.CAMPAIGN)


@pytest.mark.parametrize(
    ("clicked", "bought", "promoted", "direct"),
    [
        ("s1", "s1", ("s9",), 1),
        ("s1", "s2", ("s2",), 0),
        ("s1", None, (), 0),
        (None, "s1", ("s1", "s2"), 1),
        (None, "s3", ("s1", "s2"), 0),
        (None, None, ("s1",), 0),
        (None, "s3", (), 1),
        (None, "s3", None, 1),
    ],
)
def test_direct_is_the_promoted_product(
    clicked: str | None, bought: str | None, promoted: tuple[str, ...] | None, direct: int
) -> None:
    """The click's, else one of the campaign's, else any; total admits the others as well."""
    books = Books(promoted={} if promoted is None else {"c1": promoted})
    books.clicks(click(T - 5, sku=clicked))
    books.orders(order(sku=bought))
    found = books.of("c1", Scope.CAMPAIGN)

    assert (direct, 1) == (found.get("direct_orders", 0), found["total_orders"])
    assert (direct, 1) == (found.get("click_direct_orders_0d", 0), found["click_total_orders_0d"])


@pytest.mark.parametrize(
    ("halo", "brand", "bought", "kind", "total"),
    [
        ("shop", None, None, None, 1),
        ("none", "b", "b", "phone", 0),
        ("brand_category", "b", "b", "phone", 1),
        ("brand_category", "b", "b", "tv", 0),
        ("brand_category", "b", "x", "phone", 0),
        ("brand_category", "b", None, "phone", 0),
        ("brand_category", "b", "b", None, 0),
        ("brand_category", None, None, "phone", 0),
    ],
)
def test_halo_says_which_other_products_count(
    halo: Halo, brand: str | None, bought: str | None, kind: str | None, total: int
) -> None:
    """A line that is not admitted counts for the campaign as an order, and in no credit."""
    books = Books(Attribution(halo=halo, brand=brand))
    books.clicks(click(T - 5, sku="s1", category=kind and "phone"))
    books.orders(order(sku="s2", brand=bought, category=kind))
    found = books.of("c1", Scope.CAMPAIGN)

    assert (1, 0, total) == (
        found["orders_placed"],
        found.get("direct_orders", 0),
        found.get("total_orders", 0),
    )


@pytest.mark.parametrize(("halo", "total"), [("shop", 1), ("brand_category", 1), ("none", 0)])
def test_a_named_halo_line_is_no_direct_order(halo: Halo, total: int) -> None:
    """Its source knows that another product was bought; it counts in total unless no halo does."""
    books = Books(Attribution(halo=halo))
    books.orders(order(campaign_id="c9", halo=True))
    found = books.of("c9", Scope.CAMPAIGN)

    assert (0, total, 1) == (found.get("direct_orders", 0), found.get("total_orders", 0), found["orders_placed"])


def test_capped_sums_cut_a_huge_line() -> None:
    """At the cap, not below it; the exact sums stand beside."""
    books = Books(Attribution(cap_micros=8))
    books.orders(order(campaign_id="c9"), order(order_id="p", campaign_id="c9", amount_micros=8, halo=True))
    found = books.of("c9", Scope.CAMPAIGN)

    assert (1, 8, 16) == (found["capped_orders"], found["direct_capped_micros"], found["total_capped_micros"])
    assert (9, 17) == (found["direct_gmv_micros"], found["total_gmv_micros"])


def test_credit_lies_in_the_buckets_of_order_and_click() -> None:
    """The click's own day has no part in sums of the same day, once it is another."""
    books = Books()
    books.clicks(click(T - DAY_MS))
    books.orders(order())

    assert "direct_orders_0d" not in books.of("c1", Scope.CAMPAIGN)
    days = {
        ref.bucket.start: counter
        for (ref, member, counter) in books.sums
        if member == "c1" and ref.bucket.level is Level.DAY and counter.endswith("total_orders")
    }
    assert ["click_total_orders", "total_orders"] == [days[start] for start in sorted(days)]


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
    assert {} == credited(books)


def test_a_line_that_begins_with_a_payment_finds_its_click() -> None:
    """Its visits are asked for once it is known to be new."""
    books = Books()
    books.clicks(click(T - 5))
    books.orders(order("paid", at=T + 5))
    books.orders(order("placed"), order("paid", event_id="again"))

    assert {"c1": 1} == credited(books)
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
    assert {"c2": 1} == credited(books)


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
