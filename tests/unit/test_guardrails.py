"""From a change to one plan or to the reason why not."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from cases.shifts import BEIJING, GUANGDONG, JIANGSU, NOW, YUAN, answer, moves, region, rules, standings, state, turned
from models.decisions import Leg, Status
from models.totals import Totals
from models.units import MINUTE_MS, EpochMs, Region
from rules.decide import DecideState, owes
from rules.guardrails import CODES, VETOES
from rules.settings import RuleSettings
from rules.state import OpenPlan, Owed


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
    change = turned(to=Status.ON if code == "cooldown" else Status.OFF)
    after, shifts, (held,) = answer(settings, before, change, switch_on=switch_on, cells=cells)

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
    waiting, _, first = answer(rules(), before, turned(to=Status.ON))
    still, shifts, second = answer(rules(), replace(waiting, position=EpochMs(NOW + MINUTE_MS)))
    done, late, third = answer(rules(), replace(still, position=EpochMs(NOW + 19 * MINUTE_MS)))

    assert ["cooldown"] == [held.code for held in first]
    assert (False, True) == (owes(waiting), owes(replace(waiting, position=EpochMs(NOW + MINUTE_MS))))
    assert ((), ()) == (shifts, second)
    assert (1, "t1-440000", ()) == (len(late), late[0].cause, third)
    assert NOW + 19 * MINUTE_MS == done.last_shift_at[GUANGDONG]


def test_a_region_that_just_ran_dry_does_not_wait_for_its_cooldown() -> None:
    """Money leaves a dry region at once, though it called for a plan a minute ago; looked at again, it waits."""
    before = state(last_shift_at={GUANGDONG: NOW - 60_000})
    _, (shift,), held = answer(rules(), before, turned())
    waiting = replace(before, owed=(Owed(transition_id="t1-440000", region=GUANGDONG, to=Status.OFF),))
    _, further, _ = answer(rules(), waiting)

    assert -30 == moves(shift)[GUANGDONG]
    assert () == held
    assert () == further


def test_a_newer_change_of_the_region_replaces_the_one_that_waits() -> None:
    """Only what is true now is answered."""
    old = Owed(transition_id="old", region=GUANGDONG, to=Status.OFF)
    _, (shift,), _ = answer(rules(), state(owed=(old,)), turned(to=Status.ON, number=2))

    assert "t2-440000" == shift.cause
