"""The contract of a detector: one step per closed second bucket, three small values.

```
step(settings, state, sample) -> (next state, Change or None)
```

A step is pure and costs the same however much was seen before. Evidence is
counted in orders, never in minutes, so a quiet region waits and a busy one is
quick. Orders inside one bucket commute: their order of arrival is irrelevant.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from models.decisions import Status
from models.units import EpochMs
from rules.settings import DetectorSettings


class Sample(NamedTuple):
    """Eligible orders of one region in the second that starts at `start`; `subsidised` of them carry a subsidy."""

    start: EpochMs
    eligible: int
    subsidised: int


class DetectorState(msgspec.Struct, frozen=True):
    """What a detector remembers of one region; small, and the same after a trip through JSON.

    Attributes:
        status: what is believed: UNKNOWN, ON, OFF or PARTIAL.
        suspect: evidence against the status has gathered, not yet enough.
        regime_start: samples that start before this are not weighed.
        run_start: start of the first bucket of the evidence against the status; meaningless without orders in it.
        run_orders: eligible orders since then.
        run_subsidised: how many of them carry a subsidy.
        first_at: start of the first bucket ever weighed; None before it.
        seen: eligible orders ever weighed.
        memory: further numbers by name, which only the detector itself reads.
    """

    status: Status = Status.UNKNOWN
    suspect: bool = False
    regime_start: int = 0
    run_start: int = 0
    run_orders: int = 0
    run_subsidised: int = 0
    first_at: int | None = None
    seen: int = 0
    memory: dict[str, tuple[float, ...]] = {}


class Change(NamedTuple):
    """A status that is believed from this bucket on.

    Attributes:
        to: the new status, never the one before.
        at: estimated time of the change, start of a second bucket, never after the bucket that decided.
        base: share believed before the change; None before it is learnt.
        level: share in the orders since `at`.
        orders: eligible orders since `at`.
        subsidised: how many of them carry a subsidy.
        statistic: the evidence, and `threshold` what it had to reach.
    """

    to: Status
    at: EpochMs
    base: float | None
    level: float
    orders: int
    subsidised: int
    statistic: float
    threshold: float


class Detector(NamedTuple):
    """One way to believe in a change: a row of `rules.DETECTORS`.

    Attributes:
        step: feed one closed bucket; buckets of a region come in order of time.
        settle: be told the status from outside; samples before the given time are not weighed afterwards.
    """

    step: Callable[[DetectorSettings, DetectorState, Sample], tuple[DetectorState, Change | None]]
    settle: Callable[[DetectorState, Status, EpochMs], DetectorState]
