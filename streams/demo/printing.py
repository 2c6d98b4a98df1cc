"""What the demo prints while it runs: a line a second, and a line for each new decision."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from models.decisions import BudgetShift, ShiftResult, Status, Transition
from models.units import MICROS_PER_UNIT
from streams.demo.plan import label

_ZONE: Final = timezone(timedelta(hours=8))
_LEGS_SHOWN: Final = 3
_NAMES_SHOWN: Final = 4


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


def transition_lines(changes: Sequence[Transition]) -> list[str]:
    """Say what changed, when it was noticed and by what; first words about a region are only counted."""
    first = [change for change in changes if change.from_ is Status.UNKNOWN]
    out = [_transition_line(change) for change in changes if change.from_ is not Status.UNKNOWN]
    if first:
        to = Counter(change.to for change in first)
        told = Counter(change.cause for change in first)
        states = ", ".join(f"{count} {status}" for status, count in to.items())
        causes = ", ".join(f"{count} by {cause}" for cause, count in told.items())
        out.insert(0, f"        status  first known of {len(first)} regions: {states} ({causes})")
    return out


def _transition_line(change: Transition) -> str:
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
        f" ({_reasons(shift.reasons)}): {legs}{more}"
    )


def _reasons(codes: Sequence[str]) -> str:
    """Put reasons of the same kind together: the regions by name while they are few, else their number."""
    by_code: dict[str, list[str]] = {}
    for reason in codes:
        code, _, region = reason.partition(":")
        by_code.setdefault(code, []).extend([label(region)] if region else [])
    return "; ".join(
        " ".join([code, ", ".join(regions) if len(regions) <= _NAMES_SHOWN else f"in {len(regions)} regions"]).strip()
        for code, regions in by_code.items()
    )


def result_line(answer: ShiftResult) -> str:
    """Say what the adjuster made of a shift."""
    detail = f": {answer.detail}" if answer.detail else ""
    return f"        answer  {answer.shift_id[:8]} {answer.result} by {answer.consumer}{detail}"
