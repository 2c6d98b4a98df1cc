"""Clicks and orders of one partition number, folded slice by slice over what a store would hold."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from models.attribution import Attribution
from models.codec import Decoded
from models.fold import Folded, Folder
from models.orders import Eligibility, LineId
from models.totals import GROUPS
from models.units import DurationMs, EpochMs
from models.visits import Known, UsersOfDays, VisitId, VisitTexts, together
from models.windows import Bucket, BucketRef, Level, Scope, is_kept
from models.wire import WireClick, WireOrder

ZONE = ZoneInfo("Asia/Shanghai")
T = EpochMs(int(datetime(2025, 3, 10, 12, 30, 15, tzinfo=ZONE).timestamp() * 1000))
PHONES = Eligibility("phone", 6_000_000_000)
LIMIT = EpochMs(T + 90 * 86_400_000)
E = TypeVar("E")
Cells = dict[tuple[str, str, int], dict[str, dict[str, int]]]
"""(scope, level, start) to member to the counters that are not zero."""


def click(at: int = T, event_id: str = "k1", **changes: object) -> WireClick:
    """Make a click of user `u` on campaign `c1` in Shanghai."""
    body: dict[str, object] = {"region": "310000", "campaign_id": "c1", "user_id": "u", "spend_micros": 5}
    return WireClick(event_id=event_id, at=at, **(body | changes))  # type: ignore[arg-type]


def order(status: str = "placed", placed_at: int = T, at: int | None = None, **changes: object) -> WireOrder:
    """Make a record of user `u`'s only line, shipped to Guangdong for 9 micros, paid with 7 and refunded by 7."""
    body: dict[str, object] = {"event_id": f"{status}1", "region": "440000", "order_id": "o", "line": 1, "user_id": "u"}
    body |= {"quantity": 1, "amount_micros": 9, "paid_micros": 7, "refund_micros": 7, "subsidy_micros": 1}
    times = {"status": status, "placed_at": placed_at, "at": placed_at if at is None else at}
    return WireOrder(**(body | times | changes))  # type: ignore[arg-type]


class Books:
    """Holds what a store holds, checks what it checks, and asks as the ingest line asks."""

    def __init__(self, settings: Attribution | None = None, promoted: Mapping[str, Collection[str]] | None = None):
        """Start empty."""
        self.folder = Folder(ZONE, DurationMs(300_000), PHONES, settings or Attribution())
        self.promoted = promoted or {}
        self.clicks_head: EpochMs | None = None
        self.orders_head: EpochMs | None = None
        self.lines: dict[LineId, str] = {}
        self.visits: dict[VisitId, str] = {}
        self.sums: dict[tuple[BucketRef, str, str], int] = {}
        self.tallies: dict[str, int] = {}

    def clicks(self, *events: WireClick) -> Folded:
        """Take a slice of clicks."""
        visits = self._visits(self.folder.visits_of(events, self.orders_head))
        lines = self.folder.lines_of(events, visits)
        folded = self.folder.fold_clicks(decoded(events), self._known(lines, visits), self.clicks_head, LIMIT)
        self.clicks_head = folded.head
        return self._keep(folded)

    def orders(self, *events: WireOrder) -> Folded:
        """Take a slice of orders."""
        ids = self.folder.line_ids(events)
        lines = {line: self.lines.get(line) for line in ids}
        visits = self._visits(self.folder.visit_ids(events))
        visits = together(visits, self._visits(self.folder.more_visit_ids(events, lines)))
        folded = self.folder.fold_orders(decoded(events), self._known(ids, visits), self.orders_head, LIMIT)
        self.orders_head = folded.head
        return self._keep(folded)

    def of(self, member: str, scope: Scope = Scope.REGION, level: Level = Level.DAY) -> dict[str, int]:
        """Give a member's counters that are not zero, summed over its buckets of a level."""
        out: dict[str, int] = {}
        for (ref, name, counter), amount in self.sums.items():
            if (ref.scope, ref.bucket.level, name) == (scope, level, member) and amount:
                out[counter] = out.get(counter, 0) + amount
        return {counter: amount for counter, amount in out.items() if amount}

    def credited(self) -> dict[str, int]:
        """Give the campaigns that have credit, and for how many orders."""
        campaigns = {member for _, member, counter in self.sums if counter == "total_orders" and ":" not in member}
        orders = {name: self.of(name, Scope.CAMPAIGN).get("total_orders") for name in sorted(campaigns)}
        return {name: count for name, count in orders.items() if count}

    def cells(self) -> Cells:
        """Give everything that is still kept."""
        heads = [head for head in (self.clicks_head, self.orders_head) if head is not None]
        out: Cells = {}
        for (ref, member, counter), amount in self.sums.items():
            if amount and is_kept(ref.scope, ref.bucket, max(heads), ZONE):
                where = (ref.scope.value, ref.bucket.level.value, int(ref.bucket.start))
                out.setdefault(where, {}).setdefault(member, {})[counter] = amount
        return out

    def kept(self, cells: Cells) -> Cells:
        """Give those cells of somebody else's count that are still kept."""
        head = max(head for head in (self.clicks_head, self.orders_head, EpochMs(0)) if head is not None)
        return {
            (scope, level, start): members
            for (scope, level, start), members in cells.items()
            if is_kept(Scope(scope), Bucket(Level(level), EpochMs(start)), head, ZONE)
        }

    def _known(self, lines: Sequence[LineId], visits: VisitTexts) -> Known:
        return Known(
            lines={line: self.lines.get(line) for line in lines},
            visits=visits,
            orders_head=self.orders_head,
            clicks_head=self.clicks_head,
            promoted=self.promoted,
        )

    def _visits(self, asked: UsersOfDays) -> VisitTexts:
        return {
            day: {user: self.visits[day, user] for user in users if (day, user) in self.visits}
            for day, users in asked.items()
        }

    def _keep(self, folded: Folded) -> Folded:
        for swap in folded.lines:
            if swap.old != self.lines.get((swap.day, swap.key)):
                raise ValueError("a line is swapped from what it is not")
            self.lines[swap.day, swap.key] = swap.new
        for day, texts in folded.visits.items():
            self.visits |= {(day, user): text for user, text in texts.items()}
        for ref, fields in folded.deltas.items():
            for name, amount in fields.items():
                counter, _, member = name.partition(":")
                self._add(ref, member, counter, amount)
        for ref, vectors in folded.vectors.items():
            for name, amounts in vectors.items():
                group, _, member = name.partition(":")
                for counter, amount in zip(GROUPS[group], amounts, strict=False):
                    self._add(ref, member, counter, amount)
        for name, count in folded.tallies.items():
            self.tallies[name] = self.tallies.get(name, 0) + count
        return folded

    def _add(self, ref: BucketRef, member: str, counter: str, amount: int) -> None:
        key = ref, member, counter
        self.sums[key] = self.sums.get(key, 0) + amount


def decoded(events: Sequence[E]) -> Decoded[E]:
    """Pretend that a whole slice was valid."""
    return Decoded(events, range(len(events)), ())
