"""What the demo prints while it runs: a line a second, and a line for each new decision."""

import sys
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from models.decisions import BudgetShift, ShiftResult, Status, Transition
from models.scenario.emitted import Payload
from models.scenario.waves import Switch, on_schedule
from models.units import MICROS_PER_UNIT, Region
from rules.wording import counts_of
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


def truth_lines(switches: Sequence[Switch], quota_hours: Collection[Region]) -> list[str]:
    """Say what really happened, which only the simulator knows; many at one time are only counted."""
    groups: dict[tuple[int, bool, bool], list[str]] = {}
    for switch in switches:
        known = switch.region in quota_hours and on_schedule(switch.at)
        groups.setdefault((switch.at, switch.is_on, known), []).append(label(switch.region))
    return [
        f"        truth   {', '.join(regions) if len(regions) <= _NAMES_SHOWN else f'{len(regions)} regions'}:"
        f" {'OFF -> ON' if is_on else 'ON -> OFF'} at {clock(at)},"
        f" {'as its announced hours say' if known else 'and nobody has said so yet'}"
        for (at, is_on, known), regions in groups.items()
    ]


def feed_line(body: Payload) -> str:
    """Say what an announcement tells and how late."""
    at, since = int(str(body["at"])), int(str(body["effective_at"]))
    return f"        feed    {label(str(body['region']))}: {body['state']} since {clock(since)}, told at {clock(at)}"


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
    subsidised, eligible = counts_of(change.evidence)
    before = "" if change.evidence.base_percent is None else f", {change.evidence.base_percent} % before"
    why = f"{subsidised} of the last {eligible} orders subsidised{before}" if change.cause == "orders" else change.cause
    return (
        f"        switch  {label(change.region)}: {change.from_} -> {change.to} at {clock(change.at)},"
        f" decided at {clock(change.decided_at)} ({why})"
    )


def shift_line(shift: BudgetShift, switched: Collection[str] = ()) -> str:
    """Say what a shift moves and why; regions that have switched come first."""
    asked = {reason.partition(":")[2] for reason in shift.reasons} & set(switched)
    ranked = sorted(shift.legs, key=lambda leg: (leg.region not in asked, -abs(leg.delta_micros)))
    moved = sum(leg.delta_micros for leg in shift.legs if leg.delta_micros > 0)
    legs = ", ".join(f"{leg.campaign} {leg.delta_micros / MICROS_PER_UNIT:+,.0f}" for leg in ranked[:_LEGS_SHOWN])
    more = f" and {len(ranked) - _LEGS_SHOWN} more" if len(ranked) > _LEGS_SHOWN else ""
    return (
        f"        shift   {shift.shift_id[:8]} moves {moved / MICROS_PER_UNIT:,.0f} yuan a day"
        f" ({_reasons(shift.reasons, asked)}): {legs}{more}"
    )


def _reasons(codes: Sequence[str], asked: Collection[str]) -> str:
    """Put reasons of the same kind together: the regions by name while they are few, else those asked for."""
    by_code: dict[str, list[str]] = {}
    for reason in codes:
        code, _, region = reason.partition(":")
        by_code.setdefault(code, []).extend([region] if region else [])
    return "; ".join(f"{code} {_names(regions, asked)}".strip() for code, regions in by_code.items())


def _names(regions: Sequence[str], asked: Collection[str]) -> str:
    if len(regions) <= _NAMES_SHOWN:
        return ", ".join(label(region) for region in regions)
    named = [label(region) for region in regions if region in asked][:_NAMES_SHOWN]
    if not named:
        return f"in {len(regions)} regions"
    return f"{', '.join(named)} and {len(regions) - len(named)} more"


def result_line(answer: ShiftResult) -> str:
    """Say what the adjuster made of a shift."""
    detail = f": {answer.detail}" if answer.detail else ""
    return f"        answer  {answer.shift_id[:8]} {answer.result} by {answer.consumer}{detail}"
