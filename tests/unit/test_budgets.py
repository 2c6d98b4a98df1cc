"""Budgets as the platform tells them: campaigns, answers to plans, and who is right when they differ."""

from typing import Any

import pytest
from msgspec.structs import replace

from models.decisions import ResultKind, ShiftResult
from models.events import Campaign
from models.units import EpochMs
from rules.decide import DecideState, absorb
from rules.settings import RuleSettings
from rules.state import Budget, OpenPlan

RULES = RuleSettings()
NOW = EpochMs(1_748_822_400_000)
PLAN = OpenPlan("plan", "shift", NOW + 600_000, {"a": (1, 70), "b": (1, 130)})


def campaign(name: str = "a", version: int = 1, budget: int = 100, **more: Any) -> Campaign:
    """A campaign of Guangdong whose budget may be moved."""
    fields = {
        "event_id": f"{name}-{version}",
        "at": NOW,
        "campaign_id": name,
        "name": name,
        "plan_type": "subsidy",
        "channel": "search",
        "daily_budget_micros": budget,
        "category": "phone",
        "version": version,
        "regions": ("440000",),
        "region_addressable": True,
    }
    return Campaign.model_validate({**fields, **more})


def budget(micros: int = 100, version: int = 1, start: int = 100) -> Budget:
    """A budget of Guangdong."""
    return Budget(regions=("440000",), micros=micros, start_micros=start, version=version)


def result(kind: ResultKind, shift_id: str = "shift") -> ShiftResult:
    """A consumer's answer."""
    return ShiftResult(shift_id=shift_id, plan_id="plan", consumer="adjuster", result=kind, applied_version=2, at=NOW)


def take(state: DecideState, *campaigns: Campaign, results: tuple[ShiftResult, ...] = ()) -> DecideState:
    """Absorb campaigns and answers."""
    return absorb(RULES, state, {item.campaign_id: item for item in campaigns}, results, NOW)


OPEN = DecideState(budgets={"a": budget(), "b": budget()}, plan=PLAN)
BOTH = (campaign("a"), campaign("b"))


def test_a_campaign_is_first_seen_as_its_own_start() -> None:
    """Floors and caps refer to the budget that was there before any plan; regions are kept in order."""
    state = take(DecideState(), campaign(regions=("650000", "440000")))

    assert {"a": Budget(("440000", "650000"), 100, 100, 1)} == state.budgets


@pytest.mark.parametrize(
    "other",
    [
        campaign(category="tv"),
        campaign(region_addressable=False),
        campaign(regions=None),
        campaign(regions=()),
        campaign(budget=0),
    ],
    ids=["category", "not-addressable", "everywhere", "nowhere", "no-budget"],
)
def test_what_cannot_be_moved_has_no_budget_here(other: Campaign) -> None:
    """Another category, no region of its own, or no money; also when it was known before."""
    assert {} == take(DecideState(budgets={"a": budget()}), other).budgets


def test_a_campaign_that_is_gone_is_forgotten() -> None:
    """A tombstone removes the budget."""
    assert {} == take(DecideState(budgets={"a": budget()})).budgets


@pytest.mark.parametrize("kind", ["applied", "duplicate"])
def test_an_applied_plan_moves_every_leg(kind: ResultKind) -> None:
    """Each budget goes to its new amount and its next version; the start stays; the plan is closed."""
    state = take(OPEN, *BOTH, results=(result(kind),))

    assert {"a": budget(70, 2), "b": budget(130, 2)} == state.budgets
    assert state.plan is None


@pytest.mark.parametrize("kind", ["rejected", "failed", "stale"])
def test_any_other_answer_closes_the_plan_and_moves_nothing(kind: ResultKind) -> None:
    """The next plan starts from where the budgets are."""
    state = take(OPEN, *BOTH, results=(result(kind),))

    assert (OPEN.budgets, None) == (state.budgets, state.plan)


def test_an_answer_to_another_plan_changes_nothing() -> None:
    """The state is the very same, so nothing is written."""
    assert OPEN is take(OPEN, *BOTH, results=(result("applied", "older"),))
    assert OPEN is take(OPEN, *BOTH)


def test_an_answer_comes_before_or_after_the_campaigns_with_one_end() -> None:
    """The platform's own record and the answer tell the same; their order does not matter."""
    told = (campaign("a", 2, 70), campaign("b", 2, 130))
    answered = take(take(OPEN, *BOTH, results=(result("applied"),)), *told)
    published = take(take(OPEN, *told), *told, results=(result("applied"),))

    assert {"a": budget(70, 2), "b": budget(130, 2)} == answered.budgets == published.budgets
    assert answered == published


def test_an_applied_leg_of_a_campaign_that_moved_on_is_left_alone() -> None:
    """A budget that is gone or has a newer version is not set back."""
    moved = replace(OPEN, budgets={"a": budget(500, 9, start=500)})
    state = take(moved, campaign("a", 9, 500), results=(result("applied"),))

    assert {"a": budget(500, 9, start=500)} == state.budgets


def test_an_operators_change_is_a_new_start() -> None:
    """A newer version with an amount that no plan asked for rebases floor and cap."""
    state = take(DecideState(budgets={"a": budget()}), campaign(version=2, budget=400))

    assert {"a": budget(400, 2, start=400)} == state.budgets


def test_a_newer_version_of_the_same_amount_keeps_the_start() -> None:
    """A changed name or bid is no change of money."""
    state = take(DecideState(budgets={"a": budget(70, 2)}), campaign(version=3, budget=70))

    assert {"a": budget(70, 3)} == state.budgets


def test_an_older_record_is_ignored_but_for_its_regions() -> None:
    """The answer to our plan may run ahead of the platform's record."""
    ahead = DecideState(budgets={"a": budget(70, 2)})

    assert {"a": budget(70, 2)} == take(ahead, campaign()).budgets
    assert {"a": Budget(("110000",), 70, 100, 2)} == take(ahead, campaign(regions=("110000",))).budgets
