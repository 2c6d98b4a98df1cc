"""Slices of valid clicks and orders around one moment, folded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from models.codec import Decoded
from models.events import Kind
from models.fold import Folded, Folder
from models.orders import Eligibility, LineId
from models.totals import GROUPS
from models.units import HOUR_MS, MINUTE_MS, DurationMs, EpochMs
from models.visits import Known, VisitTexts
from models.windows import Bucket, BucketRef, Level, Scope
from models.wire import WireClick, WireOrder

E = TypeVar("E")
ZONE = ZoneInfo("Asia/Shanghai")
FOLDER = Folder(ZONE, DurationMs(300_000), Eligibility("phone", 6_000_000_000))
T = EpochMs(int(datetime(2025, 3, 10, 12, 30, 15, tzinfo=ZONE).timestamp() * 1000))
MINUTE = EpochMs(T - 15_000)
HOUR = EpochMs(MINUTE - 30 * MINUTE_MS)
DAY = EpochMs(HOUR - 12 * HOUR_MS)


def click(at: int = T, region: str = "440000", campaign: str = "c1", spend: int = 5) -> WireClick:
    """Make a click."""
    return WireClick("e", at, region, campaign, "u", spend)


def order(status: str = "placed", at: int = T, placed_at: int | None = None, **changes: object) -> WireOrder:
    """Make an order record placed at its own time."""
    amounts: dict[str, object] = {"paid_micros": 7, "refund_micros": 7, "subsidy_micros": 1}
    body: dict[str, object] = {"event_id": f"e{at}", "region": "440000", "order_id": "o", "line": 1}
    body |= {"status": status, "at": at, "placed_at": at if placed_at is None else placed_at}
    return WireOrder(**(body | amounts | {"quantity": 1, "amount_micros": 9} | changes))  # type: ignore[arg-type]


def decoded(events: Sequence[E]) -> Decoded[E]:
    """Pretend that a whole slice was valid."""
    return Decoded(events, range(len(events)), ())


def fold_clicks(*events: WireClick, head: EpochMs | None = None, timestamp: EpochMs = T) -> Folded:
    """Fold a slice of clicks."""
    return FOLDER.fold_ads(Kind.CLICKS, decoded(events), head, timestamp)


def fold_orders(
    *events: WireOrder, head: EpochMs | None = None, states: Mapping[LineId, str | None] | None = None
) -> Folded:
    """Fold a slice of orders of buyers without clicks, whose lines are new unless a state is given."""
    lines = dict.fromkeys(FOLDER.line_ids(events)) | dict(states or {})
    asked = FOLDER.visit_ids(events), FOLDER.more_visit_ids(events, lines)
    visits: VisitTexts = {day: {} for days in asked for day in days}
    return FOLDER.fold_orders(decoded(events), Known(lines=lines, visits=visits), head, T)


def counters(folded: Folded, key: BucketRef, member: str) -> dict[str, int]:
    """Name what a member gains in a bucket by orders."""
    return {
        counter: amount
        for group, names in GROUPS.items()
        for counter, amount in zip(names, folded.vectors.get(key, {}).get(f"{group}:{member}", ()), strict=False)
        if amount
    }


def ref(scope: Scope, level: Level) -> BucketRef:
    """Name the bucket of `T`."""
    starts = {Level.MINUTE: MINUTE, Level.HOUR: HOUR, Level.DAY: DAY}
    return BucketRef(scope, Bucket(level, starts[level]))


def levels(folded: Folded) -> dict[str, set[str]]:
    """Give the levels written per scope."""
    out: dict[str, set[str]] = {}
    for key in [*folded.deltas, *folded.vectors]:
        out.setdefault(key.scope, set()).add(key.bucket.level)
    return out
