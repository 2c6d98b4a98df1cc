"""From a change to one plan or to the reason why not."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from models.decisions import BudgetShift, HeldShift, Leg, Status, Transition
from models.totals import Totals
from models.units import MICROS_PER_UNIT, MINUTE_MS, EpochMs, Region
from rules.decide import DecideState, owes, respond
from rules.detector import DetectorState
from rules.guardrails import CODES, VETOES
from rules.settings import RuleSettings
from rules.state import Budget, OpenPlan, Owed, RegionState

NOW = EpochMs(1_748_822_400_000)
YUAN = MICROS_PER_UNIT
GUANGDONG, JIANGSU, BEIJING = "440000", "320000", "110000"


def rules(mode: str = "auto", **guards: int) -> RuleSettings:
    """Rules with a mode and guard settings; no prior, so values follow from the sums."""
    return RuleSettings.model_validate({"guards": {"mode": mode, **guards}, "allocator": {"prior_orders": 0}})


def region(status: Status, *, suspect: bool = False) -> RegionState:
    """What is believed of a region."""
    return RegionState(status=status, since=NOW, detector=DetectorState(status=status, suspect=suspect))


def state(**changes: Any) -> DecideState:
    """Three regions with one campaign of 100 yuan each; Guangdong has just gone OFF."""
    regions = {GUANGDONG: region(Status.OFF), JIANGSU: region(Status.ON), BEIJING: region(Status.ON)}
    budget = 100 * YUAN
    budgets = {
        f"plan-{name}": Budget(regions=(name,), micros=budget, start_micros=budget, version=3)
        for name in sorted(regions)
    }
    return replace(DecideState(position=NOW, status_version=7, regions=regions, budgets=budgets), **changes)


def standings(clicks: int = 1_000, orders: int = 10) -> dict[Region, Totals]:
    """Three regions that return alike: spend 400 yuan, 22,000 yuan of direct orders each."""
    cell = Totals(clicks=clicks, spend_micros=400 * YUAN, direct_orders=orders, direct_gmv_micros=22_000 * YUAN)
    return {Region(name): cell for name in (GUANGDONG, JIANGSU, BEIJING)}


def turned(name: str = GUANGDONG, to: Status = Status.OFF, number: int = 1) -> Transition:
    """A transition that has just been decided."""
    return Transition(
        transition_id=f"t{number}-{name}",
        category="phone",
        region=name,
        from_=Status.UNKNOWN,
        to=to,
        at=NOW,
        decided_at=NOW,
        cause="orders",
        config_hash="h",
    )


def answer(
    settings: RuleSettings,
    before: DecideState,
    *transitions: Transition,
    cells: Mapping[Region, Totals] | None = None,
    now: int = NOW,
    switch_on: bool = False,
) -> tuple[DecideState, tuple[BudgetShift, ...], tuple[HeldShift, ...]]:
    """Respond to transitions with equal standings unless told otherwise."""
    return respond(settings, before, transitions, standings() if cells is None else cells, EpochMs(now), switch_on)


def moves(shift: BudgetShift) -> dict[str, int]:
    """Give region to yuan moved, in the order of the legs."""
    return {leg.region: leg.delta_micros // YUAN for leg in shift.legs}


def test_money_leaves_where_the_subsidy_ended() -> None:
    """One plan over all campaigns: donors first, sums equal, step kept, every leg with a reason."""
    after, (shift,), held = answer(rules(), state(), turned())

    assert () == held
    assert {GUANGDONG: -30, BEIJING: 15, JIANGSU: 15} == moves(shift)
    assert [GUANGDONG, BEIJING, JIANGSU] == [leg.region for leg in shift.legs]
    assert 300 * YUAN == shift.total_before_micros == shift.total_after_micros
    assert 0 == sum(leg.delta_micros for leg in shift.legs)
    assert (
        Leg(
            campaign="plan-440000",
            region=GUANGDONG,
            old_micros=100 * YUAN,
            old_version=3,
            new_micros=70 * YUAN,
            delta_micros=-30 * YUAN,
            reasons=("status_off:440000", "value_percent:75"),
            limits_hit=("step",),
        )
        == shift.legs[0]
    )
    assert all(leg.reasons for leg in shift.legs)
    assert ("status_off:440000",) == shift.reasons
    assert (NOW, NOW + 600_000, "auto", 0, 7) == (
        shift.emitted_at,
        shift.valid_until,
        shift.mode,
        shift.decision_epoch,
        shift.status_version,
    )
    assert (1_000, 10, 400 * YUAN, 22_000 * YUAN) == (
        shift.evidence.clicks,
        shift.evidence.orders,
        shift.evidence.spend_micros,
        shift.evidence.value_micros,
    )
    assert after.plan is not None
    assert (shift.shift_id, 1, {GUANGDONG: NOW}) == (after.plan.shift_id, after.decision_epoch, after.last_shift_at)


def test_several_changes_make_one_plan() -> None:
    """Two regions that turn in the same second are answered together."""
    both = state(regions={GUANGDONG: region(Status.OFF), JIANGSU: region(Status.OFF), BEIJING: region(Status.ON)})
    _, shifts, _ = answer(rules(), both, turned(), turned(JIANGSU))

    assert 1 == len(shifts)
    assert ("status_off:320000", "status_off:440000") == shifts[0].reasons
    assert {JIANGSU: -15, GUANGDONG: -15, BEIJING: 30} == moves(shifts[0])


def test_ids_do_not_depend_on_the_wall_clock() -> None:
    """The same cause gives the same ids; a later plan has others."""
    _, (first,), _ = answer(rules(), state(), turned())
    _, (again,), _ = answer(rules(), state(), turned(), now=NOW + 5_000)
    _, (later,), _ = answer(rules(), state(decision_epoch=1), turned())

    assert (first.shift_id, first.plan_hash) == (again.shift_id, again.plan_hash)
    assert first.shift_id != later.shift_id
    assert first.plan_hash == later.plan_hash


@pytest.mark.parametrize(
    ("code", "settings", "before", "switch_on", "cells", "kept"),
    [
        ("kill_switch", rules(), state(), True, None, False),
        ("observe", rules("observe"), state(), False, None, False),
        ("no_campaigns", rules(), state(budgets={}), False, None, False),
        ("open_plan", rules(), state(plan=OpenPlan("p", "s", NOW + 9_000, {})), False, None, True),
        ("cooldown", rules(), state(last_shift_at={GUANGDONG: NOW - 60_000}), False, None, True),
        ("evidence_floor", rules(), state(), False, standings(clicks=16), True),
        ("evidence_floor", rules(), state(), False, standings(orders=3), True),
        ("evidence_floor", rules(), state(), False, {}, True),
        ("no_change", rules(dead_band_percent=11), state(), False, None, False),
    ],
    ids=["kill_switch", "observe", "no_campaigns", "open_plan", "cooldown", "clicks", "orders", "nothing", "no_change"],
)
def test_a_veto_gives_its_code_and_one_sentence(
    code: str,
    settings: RuleSettings,
    before: DecideState,
    switch_on: bool,
    cells: Mapping[Region, Totals] | None,
    kept: bool,
) -> None:
    """A held shift names its cause; only a veto that passes by itself keeps the change for later."""
    after, shifts, (held,) = answer(settings, before, turned(), switch_on=switch_on, cells=cells)

    assert () == shifts
    assert (code, "t1-440000", GUANGDONG, NOW) == (held.code, held.cause, held.region, held.at)
    assert held.detail[0].isupper()
    assert held.detail.endswith(".")
    assert kept == bool(after.owed)
    assert before.budgets == after.budgets


def test_every_veto_is_a_known_code() -> None:
    """Codes are a closed set without repeats, in the order they are asked."""
    assert (*(veto.code for veto in VETOES), "no_change") == CODES
    assert len(CODES) == len(set(CODES))


def test_a_dry_run_publishes_the_same_plan_and_waits_for_nobody() -> None:
    """But for mode and ids the bytes of the legs are those of a live plan."""
    _, (live,), _ = answer(rules(), state(), turned())
    after, (dry,), _ = answer(rules("dry_run"), state(), turned())

    assert (live.legs, "dry_run") == (dry.legs, dry.mode)
    assert (None, ()) == (after.plan, after.owed)


def test_an_expired_plan_holds_nobody_back() -> None:
    """After `valid_until` the next change is answered."""
    _, shifts, _ = answer(rules(), state(plan=OpenPlan("p", "s", NOW - 1, {})), turned())

    assert 1 == len(shifts)


def test_a_change_that_waited_is_answered_once_and_silently() -> None:
    """The veto is logged when it happens; the change is looked at each minute until it passes."""
    before = state(last_shift_at={GUANGDONG: NOW - 60_000})
    waiting, _, first = answer(rules(), before, turned())
    still, shifts, second = answer(rules(), replace(waiting, position=EpochMs(NOW + MINUTE_MS)))
    done, late, third = answer(rules(), replace(still, position=EpochMs(NOW + 19 * MINUTE_MS)))

    assert ["cooldown"] == [held.code for held in first]
    assert (False, True) == (owes(waiting), owes(replace(waiting, position=EpochMs(NOW + MINUTE_MS))))
    assert ((), ()) == (shifts, second)
    assert (1, "t1-440000", ()) == (len(late), late[0].cause, third)
    assert NOW + 19 * MINUTE_MS == done.last_shift_at[GUANGDONG]


def test_a_newer_change_of_the_region_replaces_the_one_that_waits() -> None:
    """Only what is true now is answered."""
    old = Owed(transition_id="old", region=GUANGDONG, to=Status.OFF)
    _, (shift,), _ = answer(rules(), state(owed=(old,)), turned(to=Status.ON, number=2))

    assert "t2-440000" == shift.cause


def test_a_region_that_one_step_did_not_bring_home_is_owed_the_next() -> None:
    """A stepped leg keeps its change until the target is reached; then no plan is worth it."""
    after, (shift,), _ = answer(rules(), state(), turned())

    assert ("step",) == shift.legs[0].limits_hit
    assert [GUANGDONG] == [owed.region for owed in after.owed]

    settled = state(
        budgets={
            "a": Budget(regions=(GUANGDONG,), micros=67_164_180, start_micros=100 * YUAN, version=1),
            "b": Budget(regions=(JIANGSU,), micros=116_417_910, start_micros=100 * YUAN, version=1),
            "c": Budget(regions=(BEIJING,), micros=116_417_910, start_micros=100 * YUAN, version=1),
        },
        owed=after.owed,
    )
    home, shifts, held = answer(rules(), settled)

    assert ((), (), ()) == (shifts, held, home.owed)


def test_a_target_within_one_step_is_owed_nothing() -> None:
    """A plan that no step bound is complete."""
    wide = RuleSettings.model_validate(
        {"guards": {"mode": "auto"}, "allocator": {"prior_orders": 0, "step_percent": 90, "floor_percent": 0}}
    )
    after, (shift,), _ = answer(wide, state(), turned())

    assert () == after.owed
    assert all(leg.limits_hit == () for leg in shift.legs)


def test_a_suspect_region_is_not_raised() -> None:
    """While evidence against ON gathers in Jiangsu, its budget stays and Beijing takes what it may."""
    suspect = state(
        regions={
            GUANGDONG: region(Status.OFF),
            JIANGSU: region(Status.ON, suspect=True),
            BEIJING: region(Status.ON),
        }
    )
    _, (shift,), _ = answer(rules(), suspect, turned())

    assert {GUANGDONG: -27, BEIJING: 26} == moves(shift)


def test_floor_and_cap_bind_and_are_named() -> None:
    """A budget never leaves 20 % to 300 % of its start by a plan, and the leg says which bound it met."""
    budgets = {
        "a": Budget(regions=(GUANGDONG,), micros=22 * YUAN, start_micros=100 * YUAN, version=1),
        "b": Budget(regions=(JIANGSU,), micros=290 * YUAN, start_micros=100 * YUAN, version=1),
        "c": Budget(regions=(BEIJING,), micros=60 * YUAN, start_micros=100 * YUAN, version=1),
    }
    poor = Totals(clicks=900, spend_micros=400 * YUAN, direct_orders=1, direct_gmv_micros=YUAN)
    cells = {**standings(), Region(GUANGDONG): Totals(spend_micros=400 * YUAN), Region(BEIJING): poor}
    _, (shift,), _ = answer(rules(dead_band_percent=0), state(budgets=budgets), turned(), cells=cells)

    assert [("a", -2, ("floor",)), ("c", -8, ()), ("b", 10, ("cap",))] == [
        (leg.campaign, leg.delta_micros // YUAN, leg.limits_hit) for leg in shift.legs
    ]


@pytest.mark.parametrize(
    ("cells", "prior", "expected"),
    [
        ({}, 10, {GUANGDONG: -30, BEIJING: 15, JIANGSU: 15}),
        (
            {
                Region(BEIJING): Totals(
                    clicks=99, spend_micros=400 * YUAN, direct_orders=20, direct_gmv_micros=44_000 * YUAN
                )
            },
            0,
            None,
        ),
    ],
    ids=["no-data", "one-region-only"],
)
def test_without_data_of_its_own_a_region_counts_as_the_pool(
    cells: Mapping[Region, Totals], prior: int, expected: dict[str, int] | None
) -> None:
    """No spend, no orders or no prior never divides by zero."""
    settings = RuleSettings.model_validate(
        {"guards": {"mode": "auto", "min_clicks": 0, "min_orders": 0}, "allocator": {"prior_orders": prior}}
    )
    _, (shift,), _ = answer(settings, state(), turned(), cells=cells)

    assert (expected or {GUANGDONG: -30, BEIJING: 15, JIANGSU: 15}) == moves(shift)


def test_a_few_lucky_orders_are_not_rewarded() -> None:
    """Three clicks and one dear order are mixed with ten orders at the pooled return."""
    lucky = Totals(clicks=3, spend_micros=YUAN, direct_orders=1, direct_gmv_micros=6_000 * YUAN)
    cells = {**standings(), Region(JIANGSU): lucky}
    settings = RuleSettings.model_validate({"guards": {"mode": "auto"}})
    _, (shift,), _ = answer(settings, state(), turned(), cells=cells)
    values = {leg.region: leg.reasons[-1] for leg in shift.legs}

    assert int(values[JIANGSU].split(":")[1]) < 170


def test_a_campaign_of_several_regions_is_worth_their_mean() -> None:
    """One OFF region of two weighs half; an unheard one counts as unknown."""
    budgets = {
        "both": Budget(regions=(GUANGDONG, "650000"), micros=100 * YUAN, start_micros=100 * YUAN, version=1),
        "jiangsu": Budget(regions=(JIANGSU,), micros=100 * YUAN, start_micros=100 * YUAN, version=1),
    }
    _, (shift,), _ = answer(rules(), state(budgets=budgets), turned())

    assert "440000,650000" == shift.legs[0].region
    assert ("status_off:440000",) == shift.legs[0].reasons[:1]
