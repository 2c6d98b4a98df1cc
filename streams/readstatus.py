"""Which regions have the subsidy: one row per region, read from the state of the decide line."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.decisions import Status
from models.errors import ServiceUnavailable
from models.kpis import subsidised_share
from models.totals import Totals
from models.units import EpochMs
from rules.state import DecideState, RegionState
from streams.ports import ReadStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionStatus:
    """What is believed of one region's subsidy.

    Attributes:
        region: adcode.
        status: UNKNOWN, ON, OFF or PARTIAL.
        suspect: evidence against the status has gathered, not yet enough.
        since: estimated or announced time of the change; None while nothing was ever decided.
        decided_at: watermark when it was decided; None with `since`.
        cause: what told it: announcement, orders, silence or operator; None with `since`.
        alert: `contradiction` while the latest announcement says something else than the orders; None otherwise.
        claimed: what that announcement says, and claimed_by who announced it; None without one.
        share: part of the eligible orders since the change that carry a subsidy, 0 to 1; None without orders.
        orders: eligible orders since the change, and subsidised how many of them carry a subsidy.
        against_orders: eligible orders since evidence against the status began; 0 unless suspect.
        against_subsidised: how many of them carry a subsidy.
    """

    region: str
    status: Status
    suspect: bool = False
    since: EpochMs | None = None
    decided_at: EpochMs | None = None
    cause: str | None = None
    alert: str | None = None
    claimed: Status | None = None
    claimed_by: str | None = None
    share: Decimal | None = None
    orders: int = 0
    subsidised: int = 0
    against_orders: int = 0
    against_subsidised: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the decide line stands at.

    Attributes:
        position: evidence before this event time is decided; None before the first run.
        statuses: by region; a region never heard of is absent and UNKNOWN.
        transitions: changes decided so far.
        plans: budget plans decided so far.
    """

    position: EpochMs | None
    statuses: dict[str, RegionStatus]
    transitions: int = 0
    plans: int = 0


async def read_decided(store: ReadStore) -> Decided:
    """Read what is believed now.

    Raises:
        ServiceUnavailable: the store is away, or holds a state this version cannot read.
    """
    _, body = await store.load_state()
    if body is None:
        return Decided(position=None, statuses={})
    try:
        state = DecideState.from_json(body)
    except ValueError as error:
        raise ServiceUnavailable(f"the state in the store is not one this version can read: {error}") from None
    statuses = {region: _status(region, kept) for region, kept in state.regions.items()}
    return Decided(
        position=EpochMs(state.position) if state.position else None,
        statuses=statuses,
        transitions=state.status_version,
        plans=state.decision_epoch,
    )


def _status(region: str, kept: RegionState) -> RegionStatus:
    claim, detector = kept.claim, kept.detector
    disagrees = kept.alerted and claim is not None and claim.to is not kept.status
    return RegionStatus(
        region=region,
        status=kept.status,
        suspect=detector.suspect,
        since=_time(kept.since),
        decided_at=_time(kept.decided_at),
        cause=kept.cause,
        alert="contradiction" if disagrees else None,
        claimed=claim.to if claim else None,
        claimed_by=claim.source if claim else None,
        share=subsidised_share(Totals(eligible_orders=kept.orders, subsidised_orders=kept.subsidised)),
        orders=kept.orders,
        subsidised=kept.subsidised,
        against_orders=detector.run_orders if detector.suspect else 0,
        against_subsidised=detector.run_subsidised if detector.suspect else 0,
    )


def _time(at: int | None) -> EpochMs | None:
    return None if at is None else EpochMs(at)


def status_counts(statuses: Sequence[RegionStatus], regions: Sequence[str]) -> dict[Status, int]:
    """Count regions by status; those without a row are UNKNOWN, and those in doubt count as SUSPECT on top."""
    by_region = {row.region: row for row in statuses}
    counts = dict.fromkeys(Status, 0)
    for region in regions:
        row = by_region.get(region)
        counts[row.status if row else Status.UNKNOWN] += 1
        counts[Status.SUSPECT] += bool(row and (row.suspect or row.alert))
    return counts
