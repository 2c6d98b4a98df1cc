"""What the platform says of budgets: campaigns as they stand, and answers to our plans."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from models.decisions import ShiftResult
from models.events import Campaign
from models.units import EpochMs
from rules.settings import RuleSettings
from rules.state import Budget, DecideState, OpenPlan


def absorb(
    rules: RuleSettings,
    state: DecideState,
    campaigns: Mapping[str, Campaign],
    results: Sequence[ShiftResult],
    now: EpochMs,
) -> DecideState:
    """Take in all campaigns and answers known now; the order of either does not matter.

    An answer `applied` or `duplicate` moves the plan's budgets, each to its
    old version plus one; any other answer closes the plan and moves nothing. A
    plan that expired stops holding back others, but its answer may still come.
    A campaign's newer version replaces what is known of it. A campaign that is
    gone, of another category, or whose money cannot be moved to a region, has no budget here.
    """
    budgets, plan = _answer(state, results)
    known: dict[str, Budget] = {}
    for campaign_id in sorted(campaigns):
        campaign = campaigns[campaign_id]
        if _movable(rules, campaign):
            known[campaign_id] = _merge(budgets.get(campaign_id), campaign, plan)
    if known == state.budgets and plan == state.plan:
        return state
    return replace(state, budgets=known, plan=plan)


def _movable(rules: RuleSettings, campaign: Campaign) -> bool:
    return (
        campaign.category == rules.eligibility.category
        and campaign.region_addressable
        and bool(campaign.regions)
        and campaign.daily_budget_micros > 0
    )


def _answer(state: DecideState, results: Sequence[ShiftResult]) -> tuple[dict[str, Budget], OpenPlan | None]:
    """Give budgets and plan after the answers to the plan that waits for one."""
    plan = state.plan
    if plan is None:
        return state.budgets, None
    answers = {result.result for result in results if result.shift_id == plan.shift_id}
    if not answers:
        return state.budgets, plan
    budgets = dict(state.budgets)
    if answers & {"applied", "duplicate"}:
        for campaign_id, (old_version, new_micros) in plan.legs.items():
            budget = budgets.get(campaign_id)
            if budget is not None and budget.version == old_version:
                budgets[campaign_id] = replace(budget, micros=new_micros, version=old_version + 1)
    return budgets, None


def _merge(known: Budget | None, campaign: Campaign, plan: OpenPlan | None) -> Budget:
    """Let the newer version win; a budget nobody here asked for is an operator's, who sets a new start."""
    regions = tuple(sorted(campaign.regions or ()))
    micros = campaign.daily_budget_micros
    if known is None:
        return Budget(regions=regions, micros=micros, start_micros=micros, version=campaign.version)
    if campaign.version <= known.version:
        return known if known.regions == regions else replace(known, regions=regions)
    planned = plan.legs.get(campaign.campaign_id) if plan is not None else None
    ours = micros == known.micros or (planned is not None and planned[1] == micros)
    start = known.start_micros if ours else micros
    return Budget(regions=regions, micros=micros, start_micros=start, version=campaign.version)
