"""The scenario's own sums: what every total must come to, counted without any of the product's machinery.

Deliberately plain: one dictionary per scope and one `if` per record, no
buckets, no duplicates, no lateness. It counts what was emitted once.
"""

from collections import Counter

from models.scenario.emitted import CLICKS, IMPRESSIONS, ORDERS, Emitted, Payload, Value
from models.scenario.market import PRICE_CAP_MICROS
from models.totals import Totals


class Ledger:
    """Sums of emitted records per region, per campaign and per both."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.records = 0
        self._cells: dict[str, dict[str, Counter[str]]] = {"region": {}, "campaign": {}, "region,campaign": {}}
        self._paid: dict[str, int] = {}
        self._back: Counter[str] = Counter()

    def add(self, record: Emitted) -> None:
        """Count one record; each may be given once only."""
        self.records += 1
        body = record.body
        if record.topic == IMPRESSIONS:
            counts = {"impressions": 1, "spend_micros": _int(body["spend_micros"])}
        elif record.topic == CLICKS:
            counts = {"clicks": 1, "spend_micros": _int(body["spend_micros"])}
        elif record.topic == ORDERS:
            counts = self._order(body)
        else:
            return
        region, campaign = str(body["region"]), body.get("campaign_id")
        self._put("region", region, counts)
        if campaign is not None:
            self._put("campaign", str(campaign), counts)
            self._put("region,campaign", f"{region}:{campaign}", counts)

    def totals(self, scope: str) -> dict[str, Totals]:
        """Give member to totals of `region`, `campaign` or `region,campaign`; members without records are absent."""
        return {member: Totals.of(cell) for member, cell in sorted(self._cells[scope].items())}

    def _put(self, scope: str, member: str, counts: dict[str, int]) -> None:
        self._cells[scope].setdefault(member, Counter()).update(counts)

    def _order(self, body: Payload) -> dict[str, int]:
        line, status = f"{body['order_id']}/{body['line']}", body["status"]
        if body["gift"]:
            return {"gifts": 1} if status == "placed" else {}
        if status == "placed":
            return _placed(body)
        if status == "cancelled":
            return {"orders_cancelled": 1}
        if status == "paid":
            self._paid[line] = _int(body["paid_micros"])
            return {"orders_paid": 1, "gmv_paid_micros": self._paid[line]}
        amount = _int(body["refund_micros"])
        first = line not in self._back
        self._back[line] += amount
        full = self._back[line] >= self._paid[line] > self._back[line] - amount
        return {"orders_refunded": int(first), "gmv_refunded_micros": amount, "orders_fully_refunded": int(full)}


def _placed(body: Payload) -> dict[str, int]:
    amount, price, subsidy = _int(body["amount_micros"]), body.get("unit_price_micros"), body.get("subsidy_micros")
    counts = {"orders_placed": 1, "gmv_placed_micros": amount}
    if body.get("campaign_id") is not None:
        counts |= {"total_orders": 1, "total_gmv_micros": amount}
        if not body.get("halo"):
            counts |= {"direct_orders": 1, "direct_gmv_micros": amount}
    if subsidy is not None and _int(amount if price is None else price) <= PRICE_CAP_MICROS:
        counts |= {"eligible_orders": 1, "subsidised_orders": int(_int(subsidy) > 0)}
    return counts


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not an integer")
    return value
