"""From changes to one plan: guard rails first, then the rule that the settings name."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from models.decisions import BudgetShift, HeldShift, Transition, stable_id
from models.totals import Totals
from models.units import MINUTE_MS, SECOND_MS, EpochMs, Region
from rules import RULES
from rules.guardrails import NO_CHANGE, PASSING, Question, first_veto, too_little
from rules.planning import Proposal
from rules.settings import RuleSettings
from rules.state import DecideState, OpenPlan, Owed

RETRY_MS: Final = MINUTE_MS
"""Event time between two looks at changes that wait for a guard rail to pass."""


def owes(state: DecideState) -> bool:
    """Tell whether `respond` should be called although nothing changed: a held change may be due."""
    return bool(state.owed) and state.position >= state.retry_at


def respond(
    rules: RuleSettings,
    state: DecideState,
    transitions: Sequence[Transition],
    standings: Mapping[Region, Totals],
    now: EpochMs,
    switch_on: bool,
) -> tuple[DecideState, tuple[BudgetShift, ...], tuple[HeldShift, ...]]:
    """Answer changes with one plan at most, or say why not.

    Args:
        rules: the settings of all rules.
        state: what `advance` left.
        transitions: what `advance` has just decided, may be empty to look at waiting changes again.
        standings: totals of the allocator's window by region.
        now: wall clock of the worker; it dates the shift and nothing else is decided by it but expiry.
        switch_on: the kill switch is set.
    """
    fresh = {transition.transition_id for transition in transitions}
    held: list[HeldShift] = []
    free, waiting = [], []
    for cause in _causes(state, transitions):
        veto = first_veto(Question(rules, state, cause, standings, now, switch_on, cause.transition_id in fresh))
        if veto is None:
            free.append(cause)
            continue
        if cause.transition_id in fresh:
            held.append(_held(rules, state, cause, *veto))
        if veto[0] in PASSING:
            waiting.append(cause)
    retry_at = state.position + RETRY_MS if waiting else 0
    state = replace(state, owed=tuple(waiting), retry_at=retry_at)
    if not free:
        return state, (), tuple(held)
    proposal = RULES[rules.allocator.rule](rules, state, free, standings)
    if (sentence := too_little(rules, proposal)) is not None:
        held.extend(_held(rules, state, cause, NO_CHANGE, sentence) for cause in free if cause.transition_id in fresh)
        return state, (), tuple(held)
    shift = _shift(rules, state, free, proposal, now)
    return _after(rules, state, free, shift), (shift,), tuple(held)


def _causes(state: DecideState, transitions: Sequence[Transition]) -> list[Owed]:
    """Give what calls for an answer, the latest change of each region alone, in order of region."""
    latest = {owed.region: owed for owed in state.owed}
    latest |= {
        transition.region: Owed(transition_id=transition.transition_id, region=transition.region, to=transition.to)
        for transition in transitions
    }
    return [latest[region] for region in sorted(latest)]


def _held(rules: RuleSettings, state: DecideState, cause: Owed, code: str, detail: str) -> HeldShift:
    return HeldShift(
        held_id=stable_id("held", cause.transition_id, code),
        at=state.position,
        category=rules.eligibility.category,
        region=cause.region,
        cause=cause.transition_id,
        code=code,
        detail=detail,
    )


def _shift(
    rules: RuleSettings, state: DecideState, causes: Sequence[Owed], proposal: Proposal, now: EpochMs
) -> BudgetShift:
    category, config = rules.eligibility.category, rules.config_hash
    plan_hash = stable_id("legs", *(leg.model_dump_json() for leg in proposal.legs))
    cause = causes[0].transition_id
    plan_id = stable_id("plan", category, state.decision_epoch, cause, plan_hash, config)
    return BudgetShift(
        shift_id=stable_id("shift", plan_id),
        plan_id=plan_id,
        plan_hash=plan_hash,
        decision_epoch=state.decision_epoch,
        emitted_at=now,
        valid_until=now + rules.guards.ttl_s * SECOND_MS,
        mode=rules.guards.mode,
        action="budget",
        category=category,
        cause=cause,
        reasons=proposal.reasons,
        legs=proposal.legs,
        total_before_micros=proposal.total_micros,
        total_after_micros=proposal.total_micros,
        status_version=state.status_version,
        evidence=proposal.evidence,
        config_hash=config,
    )


def _after(rules: RuleSettings, state: DecideState, causes: Sequence[Owed], shift: BudgetShift) -> DecideState:
    """Remember the plan; a dry run waits for no answer and no next step, because nobody applies it."""
    plan, unfinished = state.plan, tuple[Owed, ...]()
    if rules.guards.mode == "auto":
        plan = _open(shift)
        stepped = {region for leg in shift.legs if "step" in leg.limits_hit for region in leg.region.split(",")}
        unfinished = tuple(cause for cause in causes if cause.region in stepped)
    return replace(
        state,
        decision_epoch=state.decision_epoch + 1,
        plan=plan,
        last_shift_at={**state.last_shift_at, **{cause.region: state.position for cause in causes}},
        owed=(*state.owed, *unfinished),
        retry_at=state.position + RETRY_MS if state.owed or unfinished else 0,
    )


def _open(shift: BudgetShift) -> OpenPlan:
    return OpenPlan(
        plan_id=shift.plan_id,
        shift_id=shift.shift_id,
        valid_until=shift.valid_until,
        legs={leg.campaign: (leg.old_version, leg.new_micros) for leg in shift.legs},
    )
