"""A market of three regions, changes of status and the answers to them."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from models.decisions import BudgetShift, HeldShift, Status, Transition
from models.totals import Totals
from models.units import MICROS_PER_UNIT, EpochMs, Region
from rules.decide import DecideState, respond
from rules.detector import DetectorState
from rules.settings import RuleSettings
from rules.state import Budget, RegionState

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
