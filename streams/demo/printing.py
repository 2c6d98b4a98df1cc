"""What the demo prints while it runs: a line a second, and a line for each new decision."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from models.decisions import BudgetShift, ShiftResult, Status, Transition
from models.units import MICROS_PER_UNIT
from streams.demo.plan import label

_ZONE: Final = timezone(timedelta(hours=8))
_LEGS_SHOWN: Final = 3


def say(line: str) -> None:
    """Print a line now, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def clock(at: int) -> str:
    """Give event time as people in the market read it: hours and minutes in China."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(_ZONE).strftime("%H:%M")


def day(at: int) -> str:
    """Give the day of an event time in China."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(_ZONE).strftime("%Y-%m-%d")


def status_line(elapsed: float, at: int, rate: float, sent: int, behind: int, states: Sequence[Status]) -> str:
    """Give the line of one second."""
    count = {status: sum(state is status for state in states) for status in (Status.ON, Status.OFF, Status.UNKNOWN)}
    return (
        f"{elapsed:5.0f} s  {clock(at)}  {rate:6,.0f} events/s  {sent:9,} sent  {behind:6,} to count"
        f"  ON {count[Status.ON]:2}  OFF {count[Status.OFF]:2}  unknown {count[Status.UNKNOWN]:2}"
    )


def transition_line(change: Transition) -> str:
    """Say what changed, when it was noticed and by what."""
    seen = change.evidence
    why = f"{seen.subsidised} of {seen.orders} orders" if change.cause == "orders" else change.cause
    return (
        f"        switch  {label(change.region)}: {change.from_} -> {change.to} at {clock(change.at)},"
        f" decided at {clock(change.decided_at)} ({why})"
    )


def shift_line(shift: BudgetShift) -> str:
    """Say what a shift moves and why."""
    ranked = sorted(shift.legs, key=lambda leg: -abs(leg.delta_micros))
    moved = sum(leg.delta_micros for leg in shift.legs if leg.delta_micros > 0)
    legs = ", ".join(f"{leg.campaign} {leg.delta_micros / MICROS_PER_UNIT:+,.0f}" for leg in ranked[:_LEGS_SHOWN])
    more = f" and {len(ranked) - _LEGS_SHOWN} more" if len(ranked) > _LEGS_SHOWN else ""
    return (
        f"        shift   {shift.shift_id[:8]} moves {moved / MICROS_PER_UNIT:,.0f} yuan a day"
        f" ({', '.join(shift.reasons)}): {legs}{more}"
    )


def result_line(answer: ShiftResult) -> str:
    """Say what the adjuster made of a shift."""
    detail = f": {answer.detail}" if answer.detail else ""
    return f"        answer  {answer.shift_id[:8]} {answer.result} by {answer.consumer}{detail}"
