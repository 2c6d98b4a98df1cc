"""The parts of a scenario: draws that keep sums, demand without money, a run from start to end."""

import pytest

from models.scenario import market
from models.scenario.catalogue import open_scenario
from models.scenario.draws import apportion, poisson, spread, substream
from models.scenario.emitted import CLICKS
from models.scenario.world import START, World
from models.units import EpochMs


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [(10, [1, 1, 1], [4, 3, 3]), (0, [5, 1], [0, 0]), (7, [0, 3], [0, 7]), (5, [1, 3, 1], [1, 3, 1])],
)
def test_apportion_loses_nothing(total: int, weights: list[int], expected: list[int]) -> None:
    """Parts follow the weights and add up to the total; ties go to the earlier part."""
    assert expected == apportion(total, weights)


@pytest.mark.parametrize(("total", "count", "expected"), [(7, 3, [3, 2, 2]), (6, 3, [2, 2, 2]), (0, 0, [])])
def test_spread_is_even(total: int, count: int, expected: list[int]) -> None:
    """Parts differ by one at most, the larger ones first."""
    assert expected == spread(total, count)


@pytest.mark.parametrize("mean", [0.3, 5.0, 80.0])
def test_counts_have_their_mean(mean: float) -> None:
    """Small and large means are both met."""
    rng = substream(1, "poisson", str(mean))

    assert mean == pytest.approx(sum(poisson(rng, mean) for _ in range(4_000)) / 4_000, rel=0.08)
    assert 0 == poisson(rng, 0)


def test_no_money_or_no_demand_buys_no_clicks() -> None:
    """Spend buys clicks only where there is demand."""
    assert 0.0 == market.expected_clicks(0, 400_000, 100)
    assert 0.0 == market.expected_clicks(1e9, 400_000, 0)


def test_a_region_without_any_budget_has_only_organic_orders() -> None:
    """With all budgets at zero nothing is shown, yet the shop sells."""
    world = World(1, rate=64)
    broke = dict.fromkeys(world.budgets, 0)

    records = [record for minute in range(3) for record in world.step(EpochMs(START + minute * 60_000), broke)]

    assert {"shop.orders.v1"} == {record.topic for record in records}
    assert {None} == {record.body.get("campaign_id") for record in records}


@pytest.mark.parametrize("name", ["wave-31", "seed-table"])
def test_scenario_runs_from_its_start(name: str) -> None:
    """Campaigns come first, then events in order of arrival before the end."""
    scenario = open_scenario(name, 1, 0.002, 5.0)
    first = [next(scenario.records) for _ in range(200)]

    assert "ads.campaigns.v1" == first[0].topic
    assert {CLICKS} <= {record.topic for record in first}
    assert all(scenario.start <= record.arrival < scenario.end for record in first)
    assert first == sorted(first, key=lambda record: record.arrival)


def test_wave_ends_with_its_last_minute() -> None:
    """The stream is finite and nothing arrives after the end."""
    scenario = open_scenario("wave-31", 1, 0.002, 5.0)

    assert scenario.end > max(record.arrival for record in scenario.records)
