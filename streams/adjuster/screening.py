"""Which shifts never reach the adjuster's own code, and how they are answered. Pure."""

from typing import NamedTuple

from models.decisions import BudgetShift, ResultKind


class Refusal(NamedTuple):
    """An answer that needs no look at the platform."""

    result: ResultKind
    detail: str


def screen(plan: BudgetShift, newest_epoch: int | None, now: int) -> Refusal | None:
    """Tell why a shift must not be applied; None when it may.

    Args:
        plan: a shift that has not been judged before.
        newest_epoch: greatest decision epoch judged in its category; None before the first.
        now: wall clock, ms; the shift is void from `valid_until` on.
    """
    if plan.mode != "auto":
        return Refusal("rejected", f"mode {plan.mode}: nothing is applied")
    if now >= plan.valid_until:
        return Refusal("stale", f"expired {now - plan.valid_until} ms ago")
    if newest_epoch is not None and plan.decision_epoch < newest_epoch:
        return Refusal("stale", f"superseded: decision {newest_epoch} was judged before decision {plan.decision_epoch}")
    return None
