"""One suite over every rule that plans: the laws that guard rails and adjusters rely on."""

import random

import pytest

from models.decisions import Status
from models.totals import Totals
from models.units import EpochMs, Region
from rules import RULES
from rules.detector import DetectorState
from rules.planning import Rule
from rules.settings import RuleSettings
from rules.state import Budget, DecideState, Owed, RegionState

SETTINGS = RuleSettings()
REGIONS = ("110000", "320000", "440000", "510000", "650000")


@pytest.fixture(params=sorted(RULES))
def rule(request: pytest.FixtureRequest) -> Rule:
    """Every rule of the table, in turn."""
    return RULES[request.param]


def case(seed: int) -> tuple[DecideState, list[Owed], dict[Region, Totals]]:
    """Draw a state, its changes and standings."""
    rng = random.Random(seed)
    regions = {
        name: RegionState(status=rng.choice(list(Status)[:4]), detector=DetectorState(suspect=rng.random() < 0.2))
        for name in REGIONS
    }
    budgets = {}
    for number in range(rng.randint(1, 9)):
        start = rng.randint(1, 10**12)
        own = tuple(sorted(rng.sample(REGIONS, rng.randint(1, 3))))
        budgets[f"c{number}"] = Budget(own, max(1, start * rng.randint(10, 400) // 100), start, number)
    standings = {
        Region(name): Totals(
            clicks=rng.randint(0, 500),
            spend_micros=rng.randint(0, 10**9),
            direct_orders=rng.randint(0, 9),
            direct_gmv_micros=rng.randint(0, 10**11),
        )
        for name in REGIONS[: rng.randint(0, 5)]
    }
    causes = [Owed(transition_id="t", region=name, to=regions[name].status) for name in REGIONS[: rng.randint(1, 3)]]
    return DecideState(position=EpochMs(1), regions=regions, budgets=budgets), causes, standings


@pytest.mark.parametrize("seed", range(200))
def test_a_plan_conserves_money_and_keeps_its_bounds(rule: Rule, seed: int) -> None:
    """Legs add up to zero, no leg exceeds a step, donors come first, every leg has a reason, twice the same."""
    state, causes, standings = case(seed)
    proposal = rule(SETTINGS, state, causes, standings)
    deltas = [leg.delta_micros for leg in proposal.legs]

    assert 0 == sum(deltas)
    assert sum(budget.micros for budget in state.budgets.values()) == proposal.total_micros
    assert proposal.moved_micros == sum(delta for delta in deltas if delta > 0)
    assert [delta > 0 for delta in deltas] == sorted(delta > 0 for delta in deltas)
    assert proposal == rule(SETTINGS, state, causes, standings)
    for leg in proposal.legs:
        budget = state.budgets[leg.campaign]
        assert 0 != leg.delta_micros == leg.new_micros - leg.old_micros
        assert (budget.micros, budget.version) == (leg.old_micros, leg.old_version)
        assert abs(leg.delta_micros) * 100 <= SETTINGS.allocator.step_percent * budget.micros
        assert leg.new_micros >= 0
        assert leg.reasons


def test_nothing_to_move_is_an_empty_plan(rule: Rule) -> None:
    """Without budgets, and with a single one, no leg is made."""
    alone = {"c": Budget(("440000",), 100, 100, 1)}
    cause = [Owed(transition_id="t", region="440000", to=Status.OFF)]

    assert () == rule(SETTINGS, DecideState(), cause, {}).legs
    assert () == rule(SETTINGS, DecideState(budgets=alone), cause, {}).legs
