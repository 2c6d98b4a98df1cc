"""What this program says to the world: transitions of a subsidy and budget shifts.

Ids are hashes of their cause, never random and never of the wall clock: a
crash between writing and sending gives the same event twice, which consumers
drop, and never two different ones.
"""

from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

TRANSITIONS_TOPIC: Final = "subsidy.transitions.v1"
STATUS_TOPIC: Final = "subsidy.status.v1"
SHIFTS_TOPIC: Final = "budget.shifts.v1"
RESULTS_TOPIC: Final = "budget.shift-results.v1"


class Status(StrEnum):
    """What is believed of a region's subsidy."""

    UNKNOWN = "UNKNOWN"
    ON = "ON"
    OFF = "OFF"
    PARTIAL = "PARTIAL"
    SUSPECT = "SUSPECT"


Cause = Literal["announcement", "orders", "silence", "operator"]
Mode = Literal["observe", "dry_run", "propose", "auto"]
Action = Literal["budget", "bid_multiplier"]
ResultKind = Literal["applied", "duplicate", "stale", "rejected", "failed"]


def stable_id(*parts: str | int) -> str:
    """Hash the parts of a cause to 32 hex digits, the same in every process and run."""
    joined = "\x1f".join(str(part) for part in parts)
    return blake2b(joined.encode(), digest_size=16).hexdigest()


class _Contract(BaseModel):
    """Frozen; unknown fields are ignored, so an older reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Evidence(_Contract):
    """Why a transition was believed: counts first, statistics second.

    Attributes:
        orders: eligible orders weighed since the last transition or start.
        subsidised: how many of them carried a subsidy.
        recent: the last orders' groups, oldest first, as `[subsidised, eligible]` per second bucket, at most 24.
        base_percent: share believed before the change, in percent; None before it is learnt.
        level_percent: share in the evidence after the estimated change, in percent; None without orders.
        statistic: the detector's evidence, and threshold what it had to reach; None for announcements.
        announcement_id: the announcement that caused it, or that agrees with it.
        announcement_source: who announced.
    """

    orders: int = 0
    subsidised: int = 0
    recent: tuple[tuple[int, int], ...] = ()
    base_percent: Decimal | None = None
    level_percent: Decimal | None = None
    statistic: Decimal | None = None
    threshold: Decimal | None = None
    announcement_id: str | None = None
    announcement_source: str | None = None


class Transition(_Contract):
    """A change of a region's subsidy status: one record of `subsidy.transitions.v1`.

    Attributes:
        at: estimated or announced time of the change.
        decided_at: watermark when it was decided; never the wall clock.
        config_hash: content hash of the rules that decided.
    """

    transition_id: str
    category: str
    region: str
    city: str | None = None
    channel: str | None = None
    from_: Status = Field(alias="from")
    to: Status
    at: int
    decided_at: int
    cause: Cause
    alert: Literal["contradiction", "silence", "demand_without_orders"] | None = None
    evidence: Evidence = Evidence()
    config_hash: str


class ShiftEvidence(_Contract):
    """The figures a shift rests on: totals of `window` for the regions that move."""

    window: str
    basis: Literal["order", "click"] = "order"
    clicks: int
    orders: int
    spend_micros: int
    value_micros: int


class Leg(_Contract):
    """One change of one campaign's day budget (or of a region's bid multiplier).

    Attributes:
        region: adcode; of a campaign in several regions all of them, sorted, joined by commas.
        old_version: the budget version this was computed against; apply only if it still holds.
        reasons: codes of `rules.planning` with their figure, `code:figure`, at least one.
        limits_hit: which bounds bind: floor, cap, step, suspect.
    """

    campaign: str
    region: str
    old_micros: int
    old_version: int
    new_micros: int
    delta_micros: int
    old_mult: Decimal | None = None
    new_mult: Decimal | None = None
    reasons: tuple[str, ...]
    limits_hit: tuple[str, ...] = ()


class BudgetShift(_Contract):
    """One plan to move money: one record of `budget.shifts.v1`, donor legs before receivers.

    Attributes:
        decision_epoch: how many plans were decided before, in this scope.
        emitted_at: wall clock of the worker; valid_until is this plus the time to live.
        status_version: transitions decided so far when the plan was made.
        cause: id of the transition (or trigger) that called for it.
        total_before_micros: equals `total_after_micros`: a shift conserves money exactly.
    """

    shift_id: str
    plan_id: str
    plan_hash: str
    decision_epoch: int
    emitted_at: int
    valid_until: int
    mode: Mode
    action: Action
    category: str
    cause: str
    reasons: tuple[str, ...]
    legs: tuple[Leg, ...]
    total_before_micros: int
    total_after_micros: int
    status_version: int
    evidence: ShiftEvidence
    rollback_of: str | None = None
    actor: str = "worker"
    config_hash: str


class HeldShift(_Contract):
    """A shift that a guard rail held back; kept in the log, never published.

    Attributes:
        code: reason code of the veto, a closed set, used as a metric label.
        detail: one sentence with the numbers.
    """

    held_id: str
    at: int
    category: str
    region: str
    cause: str
    code: str
    detail: str


class ShiftResult(_Contract):
    """A consumer's answer: one record of `budget.shift-results.v1`, keyed by plan id."""

    shift_id: str
    plan_id: str
    consumer: str
    result: ResultKind
    applied_version: int | None = None
    at: int
    detail: str | None = None
