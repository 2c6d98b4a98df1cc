"""Was it right? The product's totals against the simulator's own sums, its transitions against the truth. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.decisions import Status, Transition
from models.scenario.waves import Switch
from models.totals import COUNTERS, Totals
from models.units import EpochMs, Region


@dataclass(frozen=True, slots=True)
class Difference:
    """One counter of one cell that is not what was sent."""

    scope: str
    member: str
    counter: str
    sent: int
    counted: int


def differences(scope: str, sent: Mapping[str, Totals], counted: Mapping[str, Totals]) -> Iterator[Difference]:
    """Give every counter that differs, over the cells of both sides; a cell that is absent is all zero."""
    for member in sorted(sent.keys() | counted.keys()):
        ours, theirs = sent.get(member, Totals()), counted.get(member, Totals())
        for name in COUNTERS:
            if getattr(ours, name) != getattr(theirs, name):
                yield Difference(scope, member, name, getattr(ours, name), getattr(theirs, name))


@dataclass(frozen=True, slots=True)
class Finding:
    """A true switch, and the transition that found it; None while nothing has."""

    switch: Switch
    found: Transition | None

    @property
    def delay_ms(self) -> int | None:
        """Event time from the switch to the decision; None while it is not found."""
        return None if self.found is None else self.found.decided_at - self.switch.at


def match(switches: Sequence[Switch], transitions: Sequence[Transition]) -> list[Finding]:
    """Match each switch with the first decision for its new state before the region switches again.

    Args:
        switches: the truth, in order of time.
        transitions: what was decided, in order of time.
    """
    out = []
    for number, switch in enumerate(switches):
        wanted = Status.ON if switch.is_on else Status.OFF
        after = [later.at for later in switches[number + 1 :] if later.region == switch.region]
        until = after[0] if after else None
        found = (
            change
            for change in transitions
            if change.region == switch.region
            and change.to is wanted
            and change.decided_at >= switch.at
            and (until is None or change.decided_at < until)
        )
        out.append(Finding(switch, next(found, None)))
    return out


def wrong(transitions: Sequence[Transition], truth_on: Mapping[Region, bool], switches: Sequence[Switch]) -> int:
    """Count decisions for ON or OFF that no time since the region's previous switch makes true.

    A decision is right when the region was in that state at the decision or at the estimated change.
    """
    count = 0
    for change in transitions:
        if change.to not in (Status.ON, Status.OFF):
            continue
        states = {_is_on(change.region, EpochMs(at), truth_on, switches) for at in (change.at, change.decided_at)}
        count += (change.to is Status.ON) not in states
    return count


def _is_on(region: str, at: EpochMs, initially: Mapping[Region, bool], switches: Sequence[Switch]) -> bool:
    on = initially.get(Region(region), False)
    for switch in switches:
        if switch.region == region and switch.at <= at:
            on = switch.is_on
    return on
