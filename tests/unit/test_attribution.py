"""Which click a line counts for, and what the line counts for then."""

import pytest

from cases.crediting import Books, T, click, order
from models.attribution import Attribution, Halo
from models.units import DAY_MS
from models.windows import Level, Scope

WINDOW = 15 * DAY_MS


def test_a_line_counts_for_the_last_click_before_it() -> None:
    """In the region of the click as credit, in the region it is shipped to as an order."""
    books = Books()
    books.clicks(click(T - 9, "k1", campaign_id="c2"), click(T - 5, "k2"), click(T + 1, "k3", campaign_id="c3"))
    books.orders(order())

    assert {"c1": 1} == books.credited()
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

    assert expected == books.credited()


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("late", [0, 1, 2])
def test_of_clicks_at_one_time_the_greatest_id_wins(ids: tuple[str, str], late: int) -> None:
    """Whether both come before the order, one, or none; in one slice or in two."""
    books = Books()
    clicks = [click(T - 5, name, campaign_id=f"c-{name}") for name in ids]
    books.clicks(*clicks[late:])
    books.orders(order())
    books.clicks(*clicks[:late])

    assert {"c-b": 1} == books.credited()


def test_a_line_that_names_its_campaign_is_taken_at_its_word() -> None:
    """Whatever its buyer clicked: direct, in its own region, as if it were its own click."""
    books = Books()
    books.clicks(click(T - 5))
    books.orders(order(campaign_id="c9"))
    books.clicks(click(T - 4, "k2"))

    found = books.of("440000:c9", Scope.REGION_CAMPAIGN)
    assert {"c9": 1} == books.credited()
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

    assert {} == books.credited()
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
