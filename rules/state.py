"""What the decide line remembers between two runs: one small value, the same after a trip through JSON."""

from typing import NamedTuple, Self

import msgspec

from models.decisions import Cause, Status
from models.units import EpochMs
from rules.detector import DetectorState


class Claim(NamedTuple):
    """An announced status that holds until a later claim; claims are ordered by their first three fields.

    Attributes:
        effective_at: when it takes effect.
        at: when it was published.
        event_id: the announcement.
        to: the status it claims, of daily hours inside them.
        source: who announced it.
        hours: daily claim window such as `08:30-22:00`; None when it holds around the clock.
    """

    effective_at: int
    at: int
    event_id: str
    to: Status
    source: str
    hours: str | None = None


class RegionState(msgspec.Struct, frozen=True):
    """What is believed of one region.

    Attributes:
        status: UNKNOWN, ON, OFF or PARTIAL.
        since: estimated or announced time of the latest change; None before the first.
        decided_at: watermark when it was decided; None before the first.
        cause: what decided it; None before the first.
        changes: changes so far.
        claim: the latest announcement; None when nobody announced anything.
        claimed: what the claim says now, daily hours looked at.
        alerted: orders have contradicted that claim, so no further alert is raised for it.
        next_turn: when the claim's daily hours turn next; None without hours.
        orders: eligible orders since the latest change, and subsidised how many of them carry a subsidy.
        recent: the last orders as (subsidised, eligible) per second, oldest first, at most 24.
        detector: memory of the detector; its `suspect` tells whether evidence against the status gathers.
    """

    status: Status = Status.UNKNOWN
    since: int | None = None
    decided_at: int | None = None
    cause: Cause | None = None
    changes: int = 0
    claim: Claim | None = None
    claimed: Status | None = None
    alerted: bool = False
    next_turn: int | None = None
    orders: int = 0
    subsidised: int = 0
    recent: tuple[tuple[int, int], ...] = ()
    detector: DetectorState = DetectorState()


class Budget(msgspec.Struct, frozen=True):
    """A campaign's day budget as far as this program knows.

    Attributes:
        regions: where the campaign runs, sorted, at least one.
        micros: the budget now.
        start_micros: the budget floors and caps refer to: as it was first seen, or as an operator last set it.
        version: version that `micros` has.
    """

    regions: tuple[str, ...]
    micros: int
    start_micros: int
    version: int


class OpenPlan(msgspec.Struct, frozen=True):
    """A published shift that was not answered yet.

    Attributes:
        valid_until: wall time after which no consumer may apply it, inclusive.
        legs: campaign to (old version, new micros).
    """

    plan_id: str
    shift_id: str
    valid_until: int
    legs: dict[str, tuple[int, int]]


class Owed(msgspec.Struct, frozen=True):
    """A change of a region still to be answered: a passing guard rail held it back, or one step was not enough."""

    transition_id: str
    region: str
    to: Status


class DecideState(msgspec.Struct, frozen=True):
    """All of it.

    Attributes:
        position: seconds of evidence before this event time are consumed; 0 at the start.
        status_version: transitions decided so far.
        decision_epoch: plans decided so far.
        regions: adcode to belief; a region never heard of is absent and UNKNOWN.
        budgets: campaign to budget, of campaigns whose money can be moved.
        plan: the shift that waits for an answer, also after it expired; None when there is none.
        last_shift_at: region to event time of the latest plan it called for.
        owed: changes still to be answered, at most one per region.
        retry_at: event time from which owed changes are looked at again.
    """

    position: EpochMs = EpochMs(0)
    status_version: int = 0
    decision_epoch: int = 0
    regions: dict[str, RegionState] = {}
    budgets: dict[str, Budget] = {}
    plan: OpenPlan | None = None
    last_shift_at: dict[str, int] = {}
    owed: tuple[Owed, ...] = ()
    retry_at: int = 0

    @classmethod
    def from_json(cls, body: str) -> Self:
        """Read what `to_json` wrote; unknown fields are ignored, absent ones take their defaults."""
        return msgspec.json.decode(body, type=cls)

    def to_json(self) -> str:
        """Write canonical JSON: equal states give equal bytes."""
        return msgspec.json.encode(self, order="deterministic").decode()
