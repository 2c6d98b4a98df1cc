"""How much moves where: values, floors, caps, and regions that one step does not bring home."""

from collections.abc import Mapping

import pytest

from cases.shifts import BEIJING, GUANGDONG, JIANGSU, YUAN, answer, moves, region, rules, standings, state, turned
from models.decisions import Status
from models.totals import Totals
from models.units import Region
from rules.settings import RuleSettings
from rules.state import Budget


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
