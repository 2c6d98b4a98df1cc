"""Totals add, and nothing else."""

import pytest

from models.totals import COUNTERS, Totals


def test_counters_add_one_by_one() -> None:
    """A sum adds each counter with its own kind."""
    expected = Totals(impressions=1, clicks=5, spend_micros=-2)

    assert expected == Totals(impressions=1, clicks=2) + Totals(clicks=3, spend_micros=-2)
    assert expected == Totals.sum([Totals(impressions=1, clicks=2), Totals(clicks=3, spend_micros=-2)])


def test_the_sum_of_none_is_zero() -> None:
    """Zero is neutral and has no counter to show."""
    assert Totals() == Totals.sum([])
    assert {} == Totals().nonzero()
    assert Totals().is_empty()
    assert not Totals(gifts=-1).is_empty()
    assert Totals(gifts=1) == Totals(gifts=1) + Totals()


def test_counters_are_known_by_name() -> None:
    """Building from names and listing them are inverse, in declaration order."""
    counters = {"impressions": 3, "gifts": 1}

    assert counters == Totals.of(counters).nonzero()
    assert ["impressions", "gifts"] == list(Totals.of({"gifts": 1, "impressions": 3}).nonzero())
    assert "impressions" == COUNTERS[0]


def test_an_unknown_counter_is_refused() -> None:
    """A misspelt name is an error, not a new counter."""
    with pytest.raises(TypeError):
        Totals.of({"impression": 1})


def test_net_may_be_negative() -> None:
    """A bucket that holds corrections alone has less than nothing."""
    assert -5 == Totals(gmv_paid_micros=2, gmv_refunded_micros=7).gmv_net_micros
