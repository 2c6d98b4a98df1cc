"""A plan: day budgets of the category's campaigns, split again in proportion to what a region's money brings.

```
value of a region   = direct return per spend, mixed with the pooled return until it has orders of its own
                      x weight of its status          (on up, off down)
target of a budget  = starting budget x mean value of its regions
bounds              = floor and cap of the starting budget, step of the budget now; suspect regions are not raised
```

The sum of all budgets stays what it was, to the micro.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeAlias

from models.decisions import Leg, ShiftEvidence, Status
from models.totals import Totals
from models.units import Region
from rules.allocator import allocate
from rules.settings import AllocatorSettings, RuleSettings
from rules.state import Budget, DecideState, Owed, RegionState

SCALE: Final = 1_000_000
"""Values are integers in millionths of the pooled return."""


class Proposal(NamedTuple):
    """A plan before the guard rails.

    Attributes:
        legs: donors first, then receivers, each in order of campaign id; empty when nothing would move.
        reasons: codes of the changes that called for it.
        total_micros: sum of all budgets of the category, before and after.
        moved_micros: what the donors give.
        evidence: figures of the regions whose changes called for it.
    """

    legs: tuple[Leg, ...]
    reasons: tuple[str, ...]
    total_micros: int
    moved_micros: int
    evidence: ShiftEvidence


Rule: TypeAlias = Callable[[RuleSettings, DecideState, Sequence[Owed], Mapping[Region, Totals]], Proposal]
"""What a row of `rules.RULES` is: settings, state, the changes to answer and standings to a proposal."""


class _Bounds(NamedTuple):
    low: int
    high: int
    low_name: str
    high_name: str


def split_by_value(
    rules: RuleSettings, state: DecideState, causes: Sequence[Owed], standings: Mapping[Region, Totals]
) -> Proposal:
    """Plan for all movable budgets at once; `standings` are totals of the allocator's window by region.

    Raises:
        InfeasibleBounds: cannot happen while floors and caps come from the budgets themselves.
    """
    campaigns = sorted(state.budgets)
    budgets = [state.budgets[campaign] for campaign in campaigns]
    values = _values(rules.allocator, state.regions, budgets, standings)
    bounds = [_bounds(rules.allocator, budget, state.regions) for budget in budgets]
    total = sum(budget.micros for budget in budgets)
    amounts = allocate(
        total,
        [budget.start_micros * value for budget, value in zip(budgets, values, strict=True)],
        [bound.low for bound in bounds],
        [bound.high for bound in bounds],
    )
    called = {cause.region for cause in causes}
    legs = [
        _leg(campaign, state, amount, value, bound, called)
        for campaign, amount, value, bound in zip(campaigns, amounts, values, bounds, strict=True)
        if amount != state.budgets[campaign].micros
    ]
    legs.sort(key=lambda leg: (leg.delta_micros > 0, leg.campaign))
    return Proposal(
        legs=tuple(legs),
        reasons=tuple(f"status_{cause.to.lower()}:{cause.region}" for cause in causes),
        total_micros=total,
        moved_micros=sum(leg.delta_micros for leg in legs if leg.delta_micros > 0),
        evidence=_evidence(rules.allocator, called, standings),
    )


def _values(
    settings: AllocatorSettings,
    regions: Mapping[str, RegionState],
    budgets: Sequence[Budget],
    standings: Mapping[Region, Totals],
) -> list[int]:
    whole = Totals.sum(standings.values())
    weight = {Status.ON: settings.on_percent, Status.OFF: settings.off_percent}
    known: dict[str, int] = {}
    for name in {region for budget in budgets for region in budget.regions}:
        value = _return_of(settings, standings.get(Region(name), Totals()), whole)
        known[name] = value * weight.get(regions.get(name, RegionState()).status, 100) // 100
    return [sum(known[region] for region in budget.regions) // len(budget.regions) for budget in budgets]


def _return_of(settings: AllocatorSettings, own: Totals, whole: Totals) -> int:
    """Give a region's return per spend in millionths of the pooled one; without pooled orders all are equal."""
    if whole.spend_micros <= 0 or whole.direct_gmv_micros <= 0 or whole.direct_orders <= 0:
        return SCALE
    spend = max(own.spend_micros, 0)
    prior = settings.prior_orders * whole.spend_micros // whole.direct_orders
    if spend + prior == 0:
        return SCALE
    earned = max(own.direct_gmv_micros, 0) * whole.spend_micros + prior * whole.direct_gmv_micros
    return SCALE * earned // ((spend + prior) * whole.direct_gmv_micros)


def _bounds(settings: AllocatorSettings, budget: Budget, regions: Mapping[str, RegionState]) -> _Bounds:
    """Give what a budget may become; where it stands is always allowed, so a plan always exists."""
    floor, cap = _part(settings.floor_percent, budget.start_micros), _part(settings.cap_percent, budget.start_micros)
    step = _part(settings.step_percent, budget.micros)
    low, low_name = max((floor, "floor"), (budget.micros - step, "step"))
    high, high_name = min((cap, "cap"), (budget.micros + step, "step"))
    if any(name in regions and regions[name].detector.suspect for name in budget.regions):
        high, high_name = budget.micros, "suspect"
    return _Bounds(min(low, budget.micros), max(high, budget.micros), low_name, high_name)


def _part(percent: Decimal, amount: int) -> int:
    return int(percent * amount / 100)


def _leg(campaign: str, state: DecideState, amount: int, value: int, bound: _Bounds, called: set[str]) -> Leg:
    budget = state.budgets[campaign]
    turned = [region for region in budget.regions if region in called]
    reasons = [f"status_{state.regions[region].status.lower()}:{region}" for region in turned]
    hit = [bound.low_name] if amount == bound.low else [bound.high_name] if amount == bound.high else []
    return Leg(
        campaign=campaign,
        region=",".join(budget.regions),
        old_micros=budget.micros,
        old_version=budget.version,
        new_micros=amount,
        delta_micros=amount - budget.micros,
        reasons=(*reasons, f"value_percent:{value * 100 // SCALE}"),
        limits_hit=tuple(hit),
    )


def _evidence(settings: AllocatorSettings, called: set[str], standings: Mapping[Region, Totals]) -> ShiftEvidence:
    moving = Totals.sum(cell for region, cell in standings.items() if region in called)
    return ShiftEvidence(
        window=settings.window,
        clicks=moving.clicks,
        orders=moving.direct_orders,
        spend_micros=moving.spend_micros,
        value_micros=moving.direct_gmv_micros,
    )
