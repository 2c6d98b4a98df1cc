"""Click cohorts: how orders come after their click, and what is still to come."""

from decimal import Decimal

import pytest

from models.cohorts import DELAYS, Cohort, Matured, Maturity, delay_tally, delays_of, matured, maturity
from models.totals import Totals
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, DurationMs, EpochMs

NOW = EpochMs(1_000 * DAY_MS)
LONG = DurationMs(1_000_000 * DAY_MS)
"""A history so long that every delay could be seen."""

EVENLY = Maturity(((10 * HOUR_MS, 1.0),), 1_000)
"""Orders come evenly over ten hours."""


@pytest.mark.parametrize(
    ("delay_ms", "expected"),
    [
        (0, "delay:1m"),
        (MINUTE_MS, "delay:1m"),
        (MINUTE_MS + 1, "delay:2m"),
        (3 * HOUR_MS, "delay:4h"),
        (15 * DAY_MS, "delay:15d"),
    ],
)
def test_a_delay_has_one_bucket(delay_ms: int, expected: str) -> None:
    """The longest delay of a bucket belongs to it."""
    assert expected == delay_tally(delay_ms)


def test_the_histogram_is_read_from_the_tallies() -> None:
    """Buckets nobody counted in are empty; other tallies are left alone."""
    delays = delays_of({"delay:1m": 3, "delay:15d": 2, "accepted:clicks": 9})

    assert (3, 2, 5) == (delays[0], delays[-1], sum(delays))
    assert len(DELAYS) == len(delays)


def test_the_curve_grows_to_one() -> None:
    """Half of the orders within a minute, half within two."""
    curve = maturity(delays_of({"delay:1m": 100, "delay:2m": 100}), LONG)

    assert curve is not None
    assert [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0] == pytest.approx(
        [curve.at(int(minutes * MINUTE_MS)) for minutes in (0, 0.5, 1, 1.5, 2, 60, 40 * 1440)], abs=1e-6
    )


@pytest.mark.parametrize("tallies", [{}, {"delay:1m": 199}, {"delay:1m": 300, "delay:2m": -101}])
def test_few_lines_give_no_curve(tallies: dict[str, int]) -> None:
    """Unknown is None, not a curve of noise."""
    assert maturity(delays_of(tallies), LONG) is None


def test_delays_that_no_history_could_show_give_no_curve() -> None:
    """A history shorter than the least delay says nothing."""
    assert maturity(delays_of({"delay:1m": 500}), DurationMs(0)) is None


def test_a_short_history_does_not_make_orders_quick() -> None:
    """Orders come evenly over four days; a history as long sees the long delays seldom, so these count more."""
    rate, days = 1_000, 4
    seen = {f"delay:{n}d": round(rate * (days - n + 0.5)) for n in (2, 3, 4)}
    seen["delay:16h"] = round(rate * 16 / 24 * (days - 1 / 3))
    seen["delay:1d"] = round(rate * 8 / 24 * (days - 20 / 24))
    counted = delays_of(seen)

    corrected, raw = maturity(counted, DurationMs(days * DAY_MS)), maturity(counted, LONG)

    assert corrected is not None
    assert raw is not None
    assert [0.25, 0.5, 0.75] == pytest.approx([corrected.at(n * DAY_MS) for n in (1, 2, 3)], abs=0.03)
    assert raw.at(DAY_MS) > 0.4


@pytest.mark.parametrize(
    ("young", "old", "expected"),
    [(0, 10, 0.5), (0, 0, 0.0), (4, 4, 0.4), (2, 4, 0.3), (10, 20, 1.0), (5, 15, 0.875), (-5, 0, 0.0)],
)
def test_the_mean_over_ages_is_the_area_under_the_curve(young: int, old: int, expected: float) -> None:
    """Hours of age; before the click there is nothing, after the last age everything."""
    assert pytest.approx(expected) == EVENLY.mean(young * HOUR_MS, old * HOUR_MS)


def test_an_old_cohort_expects_what_it_has() -> None:
    """Nothing is still to come when all ages are past the curve."""
    totals = Totals(clicks=10, spend_micros=50, click_total_orders=4, click_total_gmv_micros=200)

    found = matured([Cohort(EpochMs(NOW - 20 * DAY_MS), EpochMs(NOW - 19 * DAY_MS), totals)], EVENLY, NOW)

    assert Matured(
        orders=4, direct_gmv_micros=0, total_gmv_micros=200, to_come=Decimal("0.000000"), spend_micros=50
    ) == (found)


def test_a_window_is_filled_up_at_the_rate_of_its_whole() -> None:
    """A hundred ripe clicks and a hundred that no order can have followed yet: twice the orders."""
    ripe = Totals(clicks=100, spend_micros=100, click_total_orders=30, click_total_gmv_micros=600)
    young = Totals(clicks=100, spend_micros=300, click_direct_gmv_micros=5)
    cohorts = [
        Cohort(EpochMs(NOW - DAY_MS), EpochMs(NOW - DAY_MS + 1), ripe),
        Cohort(NOW, EpochMs(NOW + HOUR_MS), young),
    ]

    found = matured(cohorts, EVENLY, NOW)

    assert found is not None
    assert (60, 1_200, 10, Decimal("0.5")) == (
        found.orders,
        found.total_gmv_micros,
        found.direct_gmv_micros,
        found.to_come,
    )
    assert (Decimal(3), Decimal("0.025")) == (found.roi(), found.roi("direct"))


def test_the_part_of_a_span_after_now_is_not_there_yet() -> None:
    """An hour that began half an hour ago is half an hour of clicks."""
    totals = Totals(clicks=100, click_total_orders=2)
    start = EpochMs(NOW - 2 * HOUR_MS)

    found = matured([Cohort(start, EpochMs(NOW + 8 * HOUR_MS), totals)], EVENLY, NOW)

    assert found is not None
    assert (20, None) == (found.orders, found.roi())


@pytest.mark.parametrize(
    ("curve", "clicks", "age"),
    [(None, 100, 20 * HOUR_MS), (EVENLY, 0, 20 * HOUR_MS), (EVENLY, 100, 10 * MINUTE_MS)],
    ids=["no-curve", "no-clicks", "too-young"],
)
def test_nothing_is_expected_where_nothing_can_be_told(curve: Maturity | None, clicks: int, age: int) -> None:
    """None, and not the orders so far as if no more came."""
    start = EpochMs(NOW - age)

    assert matured([Cohort(start, NOW, Totals(clicks=clicks, click_total_orders=1))], curve, NOW) is None
