"""The mock platform changes all budgets of a plan or none, and each plan once."""

from pathlib import Path

import pytest

from models.decisions import BudgetShift, Leg, ShiftEvidence
from models.units import CampaignId, Micros
from streams.adjuster.ad_platform import Budget, BudgetPlatform, PlanRefused, StaleBudget

NOW = 1_800_000_000_000


def leg(campaign: str, old: int, new: int, version: int = 1) -> Leg:
    """Change one campaign's budget."""
    return Leg(
        campaign=campaign,
        region="440000",
        old_micros=old,
        old_version=version,
        new_micros=new,
        delta_micros=new - old,
        reasons=("status_on",),
    )


def plan(*legs: Leg, **changes: object) -> BudgetShift:
    """Make a plan of these legs."""
    fields: dict[str, object] = {
        "shift_id": "s1",
        "plan_id": "p1",
        "plan_hash": "h1",
        "decision_epoch": 1,
        "emitted_at": NOW,
        "valid_until": NOW + 600_000,
        "mode": "auto",
        "action": "budget",
        "category": "phone",
        "cause": "t1",
        "reasons": ("status_on",),
        "legs": legs,
        "total_before_micros": 0,
        "total_after_micros": 0,
        "status_version": 1,
        "evidence": ShiftEvidence(window="24h", clicks=1, orders=1, spend_micros=1, value_micros=1),
        "config_hash": "c1",
    }
    return BudgetShift.model_validate({**fields, **changes})


@pytest.fixture
def platform(tmp_path: Path) -> BudgetPlatform:
    """Give a platform with two campaigns of 100 each."""
    out = BudgetPlatform(tmp_path / "budgets.sqlite", lambda: NOW)
    out.open_campaigns({CampaignId(name): Budget(Micros(100), 1) for name in ("a", "b")})
    return out


def test_plan_moves_money_and_versions(platform: BudgetPlatform) -> None:
    """Both budgets move, and each version grows by one."""
    assert 2 == platform.apply(plan(leg("a", 100, 70), leg("b", 100, 130)))
    assert {"a": (70, 2), "b": (130, 2)} == platform.budgets()


def test_second_application_changes_nothing(platform: BudgetPlatform) -> None:
    """The same shift again gives the same version and leaves the budgets alone."""
    move = plan(leg("a", 100, 70), leg("b", 100, 130))
    platform.apply(move)

    assert 2 == platform.apply(move)
    assert {"a": (70, 2), "b": (130, 2)} == platform.budgets()


@pytest.mark.parametrize(
    "late", [leg("b", 100, 130, version=0), leg("b", 90, 120)], ids=["another version", "another amount"]
)
def test_stale_leg_undoes_the_whole_plan(platform: BudgetPlatform, late: Leg) -> None:
    """The first leg fits, the second does not: neither is applied, and the ledger stays empty."""
    with pytest.raises(StaleBudget, match="campaign b stands at 100 micros, version 1"):
        platform.apply(plan(leg("a", 100, 70), late))

    assert {"a": (100, 1), "b": (100, 1)} == platform.budgets()
    assert platform.ledger.find("s1") is None


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (plan(leg("a", 100, 70), leg("b", 100, 130), mode="dry_run"), "mode is dry_run"),
        (plan(leg("a", 100, 70), leg("b", 100, 130), action="bid_multiplier"), "bid_multiplier"),
        (plan(), "no legs"),
        (plan(leg("a", 100, 70), leg("a", 100, 130)), "two for one campaign"),
        (plan(leg("a", 100, 70), leg("b", 100, 131)), "conserve"),
        (plan(leg("a", 100, -30), leg("b", 100, 230)), "below zero"),
        (plan(leg("a", 100, 70), leg("nobody", 100, 130)), "nobody is not known"),
    ],
    ids=["dry run", "multiplier", "empty", "twice the same", "makes money", "negative", "unknown"],
)
def test_plan_that_no_platform_should_apply(platform: BudgetPlatform, refused: BudgetShift, sentence: str) -> None:
    """A plan that does not add up is refused whole, whoever signed it."""
    with pytest.raises(PlanRefused, match=sentence):
        platform.apply(refused)

    assert {"a": (100, 1), "b": (100, 1)} == platform.budgets()


def test_known_campaign_keeps_its_budget(platform: BudgetPlatform) -> None:
    """Entering a campaign again does not reset what shifts have made of it."""
    platform.apply(plan(leg("a", 100, 70), leg("b", 100, 130)))
    platform.open_campaigns({CampaignId("a"): Budget(Micros(100), 1)})

    assert (70, 2) == platform.budgets()[CampaignId("a")]
