"""When money may not move: a table of vetoes, asked in order; the first that answers holds the shift back.

```
kill_switch     an operator stopped all shifts
observe         settings decide without publishing
no_campaigns    no budget of the category can be moved
open_plan  *    the last plan was not answered and has not expired
cooldown   *    the region called for a plan a short while ago, and has not just run dry
evidence_floor *  too few clicks or orders to tell one region from another
no_change       the plan would move too little to be worth it
```

A veto with a star passes by itself: the change is kept and answered later.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from models.decisions import Status
from models.totals import Totals
from models.units import SECOND_MS, EpochMs, Region
from rules.planning import Proposal
from rules.settings import RuleSettings
from rules.state import DecideState, Owed

PASSING: Final = frozenset({"open_plan", "cooldown", "evidence_floor"})
"""Codes of the vetoes that pass by themselves."""


class Question(NamedTuple):
    """What a veto may look at.

    Attributes:
        cause: the change that calls for a plan.
        standings: totals of the allocator's window by region.
        now: wall clock of the worker.
        switch_on: the kill switch is set.
        fresh: the change was decided just now, and is not looked at again.
    """

    rules: RuleSettings
    state: DecideState
    cause: Owed
    standings: Mapping[Region, Totals]
    now: EpochMs
    switch_on: bool
    fresh: bool


class Veto(NamedTuple):
    """One guard rail: its code, a metric label, and a function that gives a sentence to hold back, else None."""

    code: str
    check: Callable[[Question], str | None]


def _kill_switch(question: Question) -> str | None:
    return "The kill switch is set." if question.switch_on else None


def _observe(question: Question) -> str | None:
    return "The mode is observe." if question.rules.guards.mode == "observe" else None


def _no_campaigns(question: Question) -> str | None:
    if question.state.budgets:
        return None
    return f"No campaign of category {question.rules.eligibility.category} has a budget that can be moved."


def _open_plan(question: Question) -> str | None:
    plan = question.state.plan
    if plan is None or question.now > plan.valid_until:
        return None
    return f"Plan {plan.plan_id} is not answered yet; it expires in {_seconds(plan.valid_until - question.now)} s."


def _cooldown(question: Question) -> str | None:
    if question.fresh and question.cause.to is Status.OFF:
        return None  # a region that runs dry burns money now; its further steps wait like any others
    last = question.state.last_shift_at.get(question.cause.region)
    span = question.rules.guards.cooldown_s * SECOND_MS
    if last is None or question.state.position - last >= span:
        return None
    passed = _seconds(question.state.position - last)
    return f"Region {question.cause.region} called for a plan {passed} s ago; the cooldown is {_seconds(span)} s."


def _evidence_floor(question: Question) -> str | None:
    whole, guards = Totals.sum(question.standings.values()), question.rules.guards
    if whole.clicks >= guards.min_clicks and whole.direct_orders >= guards.min_orders:
        return None
    return (
        f"The window has {whole.clicks} clicks and {whole.direct_orders} credited orders; "
        f"needed are {guards.min_clicks} and {guards.min_orders}."
    )


VETOES: Final[tuple[Veto, ...]] = (
    Veto("kill_switch", _kill_switch),
    Veto("observe", _observe),
    Veto("no_campaigns", _no_campaigns),
    Veto("open_plan", _open_plan),
    Veto("cooldown", _cooldown),
    Veto("evidence_floor", _evidence_floor),
)
"""Asked before planning, in this order."""

NO_CHANGE: Final = "no_change"
CODES: Final[tuple[str, ...]] = (*(veto.code for veto in VETOES), NO_CHANGE)
"""Every reason code a held shift can have."""


def first_veto(question: Question) -> tuple[str, str] | None:
    """Give code and sentence of the first veto that holds back; None when none does."""
    for veto in VETOES:
        if (sentence := veto.check(question)) is not None:
            return veto.code, sentence
    return None


def too_little(rules: RuleSettings, proposal: Proposal) -> str | None:
    """Give the sentence of `no_change` when a plan moves nothing or less than the dead band, else None."""
    least = rules.guards.dead_band_percent * proposal.total_micros / 100
    if proposal.legs and proposal.moved_micros >= least:
        return None
    return f"The plan would move {proposal.moved_micros} micros; worth it are {int(least)} or more."


def _seconds(span: int) -> int:
    return span // SECOND_MS
