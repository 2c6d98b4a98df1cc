"""Which click a line counts for, and what that comes to."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from oracle.lines import Line
from oracle.log import Event
from oracle.terms import Terms

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Credit:
    """What a line counts for.

    Attributes:
        at: time of the click, ms.
        direct: the promoted product was bought.
        admitted: total credit counts it.
    """

    campaign: str
    region: str
    at: int
    direct: bool
    admitted: bool


class History:
    """All clicks, by user, in order of time and then of id."""

    def __init__(self, clicks: Iterable[Event], promoted: Mapping[str, list[str]]) -> None:
        """Sort them once.

        Args:
            clicks: in any order; repeats do no harm.
            promoted: campaign id to the products that its settings name.
        """
        by_user: defaultdict[str, dict[tuple[int, str], Event]] = defaultdict(dict)
        for click in clicks:
            by_user[click["user_id"]].setdefault((click["at"], click["event_id"]), click)
        self._clicks = {user: sorted(found.items(), key=lambda item: item[0]) for user, found in by_user.items()}
        self._promoted = promoted

    def credit(self, line: Line, terms: Terms) -> Credit | None:
        """Give what a line counts for; None for a gift and for a line that nobody led to."""
        order = line.first
        if line.is_gift:
            return None
        if order.get("campaign_id") is not None:
            direct = not order.get("halo")
            return Credit(
                order["campaign_id"], order["region"], order["placed_at"], direct, direct or terms.halo != "none"
            )
        click = self._last(order, terms.window_days * DAY_MS)
        if click is None:
            return None
        direct = self._is_direct(order, click)
        return Credit(
            click["campaign_id"], click["region"], click["at"], direct, direct or _is_admitted(order, click, terms)
        )

    def _last(self, order: Event, window_ms: int) -> Event | None:
        clicks, placed_at = self._clicks.get(order.get("user_id") or "", []), order["placed_at"]
        after = bisect_right(clicks, placed_at, key=lambda item: item[0][0])
        if after == 0:
            return None
        (at, _), click = clicks[after - 1]
        return click if at >= placed_at - window_ms else None

    def _is_direct(self, order: Event, click: Event) -> bool:
        if click.get("sku") is not None:
            return bool(order.get("sku") == click["sku"])
        promoted = self._promoted.get(click["campaign_id"])
        return order.get("sku") in promoted if promoted else True


def _is_admitted(order: Event, click: Event, terms: Terms) -> bool:
    """Tell whether total credit counts a line of another product than the promoted one."""
    if terms.halo == "brand_category":
        same = order.get("category") is not None and order.get("category") == click.get("category")
        return same and terms.brand is not None and order.get("brand") == terms.brand
    return terms.halo == "shop"


def credit_counters(line: Line, credit: Credit, terms: Terms) -> tuple[dict[str, int], dict[str, int]]:
    """Give what a credited line comes to: in the bucket of its placing, and in the bucket of the click."""
    sums = {"paid_micros": line.paid or 0, "refunded_micros": line.returned}
    if line.amount is not None:
        sums |= {"orders": 1, "gmv_micros": line.amount}
    zone = ZoneInfo(terms.zone)
    same_day = local_day(credit.at, zone) == local_day(line.first["placed_at"], zone)
    by_order: dict[str, int] = {}
    for scope, counts in (("direct", credit.direct), ("total", credit.admitted)):
        for what, value in sums.items() if counts else ():
            by_order[f"{scope}_{what}"] = value
            if same_day:
                of_day = what.removesuffix("_micros") + "_0d" + ("_micros" if what.endswith("_micros") else "")
                by_order[f"{scope}_{of_day}"] = value
    by_click = {f"click_{name}": value for name, value in by_order.items()}
    if line.amount is not None:
        cut = min(line.amount, terms.cap_micros)
        if credit.direct:
            by_order["direct_capped_micros"] = cut
        if credit.admitted:
            by_order |= {"total_capped_micros": cut, "capped_orders": int(line.amount > terms.cap_micros)}
    return by_order, by_click


def local_day(at: int, zone: ZoneInfo) -> date:
    """Give the calendar day of an instant."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date()
