"""Every ROI carries four labels, and divides the counters they name."""

from decimal import Decimal

import pytest

from models.roi import ALL, VALUES, Labels, amount_micros, capped_roi, orders, parse, roi
from models.totals import COUNTERS, Totals

DISTINCT = Totals.of({name: 3**place for place, name in enumerate(COUNTERS)})
"""No two counters, and no two differences of counters, are equal."""


def test_there_are_twenty_four_and_each_has_a_name_and_a_number_of_its_own() -> None:
    """No two of them are the same ratio under another name; those of reports keep their short names."""
    assert 24 == len(ALL) == len({one.name for one in ALL}) == len({one.help for one in ALL})
    assert 24 == len({roi(DISTINCT, one) for one in ALL})
    assert ("roi_total", "roi_direct") == (Labels().name, Labels(scope="direct").name)
    assert "roi_direct_net_0d_click" == Labels("click", "0d", "net", "direct").name


@pytest.mark.parametrize(
    ("labels", "amount", "lines"),
    [
        (Labels(), DISTINCT.total_gmv_micros, DISTINCT.total_orders),
        (Labels(scope="direct"), DISTINCT.direct_gmv_micros, DISTINCT.direct_orders),
        (Labels("order", "0d", "paid", "direct"), DISTINCT.direct_paid_0d_micros, DISTINCT.direct_orders_0d),
        (
            Labels("click", "15d", "net", "total"),
            DISTINCT.click_total_paid_micros - DISTINCT.click_total_refunded_micros,
            DISTINCT.click_total_orders,
        ),
        (
            Labels("click", "0d", "net", "direct"),
            DISTINCT.click_direct_paid_0d_micros - DISTINCT.click_direct_refunded_0d_micros,
            DISTINCT.click_direct_orders_0d,
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Labels) else "",
)
def test_the_counters_follow_from_the_labels(labels: Labels, amount: int, lines: int) -> None:
    """Net is paid minus refunded; lines are those placed, whatever the amount is."""
    assert (amount, lines) == (amount_micros(DISTINCT, labels), orders(DISTINCT, labels))
    assert Decimal(amount) / DISTINCT.spend_micros == roi(DISTINCT, labels)


def test_every_roi_is_unknown_without_spend() -> None:
    """Orders without spend give no ROI, not an infinite one."""
    totals = Totals(total_gmv_micros=5, total_capped_micros=5)

    assert [None] * 24 == [roi(totals, one) for one in ALL]
    assert (None, None) == (capped_roi(totals, "direct"), capped_roi(totals, "total"))


def test_net_may_be_negative() -> None:
    """A bucket that holds refunds of other buckets says so instead of showing nothing."""
    totals = Totals(spend_micros=2, total_paid_micros=1, total_refunded_micros=4)

    assert Decimal("-1.5") == roi(totals, Labels(amount="net"))


def test_one_huge_order_moves_the_capped_roi_by_the_cap() -> None:
    """The exact one keeps the whole amount; the number of cut lines stands beside them."""
    totals = Totals(spend_micros=10, total_gmv_micros=1_020, total_capped_micros=120, direct_capped_micros=20)

    assert (Decimal(102), Decimal(12)) == (roi(totals, Labels()), capped_roi(totals, "total"))
    assert Decimal(2) == capped_roi(totals, "direct")


def test_a_sentence_names_what_differs() -> None:
    """Amount, scope, basis and window stand in the help of each."""
    assert (
        "Paid less refunded amount of the promoted product per spend, by the time of the click, of the click's own day."
        == (Labels("click", "0d", "net", "direct").help)
    )
    assert "order,15d,placed,total" == Labels().text


def test_labels_are_read_in_any_order() -> None:
    """What is not named stays open."""
    assert {"basis": "click", "amount": "paid"} == parse("paid, click")
    assert all(parse(one.text) == one._asdict() for one in ALL)
    assert {1} == {sum(value in values for values in VALUES.values()) for one in ALL for value in one}


@pytest.mark.parametrize(
    ("text", "said"), [("clicks", "'clicks' is no label"), ("paid,net", "same label, amount"), ("", "''")]
)
def test_words_that_are_no_labels_are_refused(text: str, said: str) -> None:
    """With the word and all that could stand there."""
    with pytest.raises(ValueError, match=said):
        parse(text)
