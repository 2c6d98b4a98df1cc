"""The scenario's own sums: what every total must come to, counted without any of the product's machinery.

Deliberately plain: it keeps every click and every order line that was emitted
and looks for the last click only when it is asked for totals. No buckets, no
duplicates, no lateness, no corrections.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from models.scenario.emitted import CLICKS, IMPRESSIONS, ORDERS, Emitted, Payload
from models.scenario.purchase import Credit, Purchase, integer
from models.totals import Totals
from models.units import DAY_MS

WINDOW_MS = 15 * DAY_MS
"""An order counts for a click this long before it, both ends included."""

_Sums = dict[str, Counter[str]]


class Ledger:
    """Sums of emitted records per region, per campaign and per both.

    Attributes:
        records: how many were emitted.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.records = 0
        self._ads: dict[str, _Sums] = {"region": {}, "campaign": {}, "region,campaign": {}}
        self._clicks: defaultdict[str, str] = defaultdict(str)
        self._lines: dict[str, Purchase] = {}

    def add(self, record: Emitted) -> None:
        """Count one record; each may be given once only."""
        self.records += 1
        body = record.body
        if record.topic == ORDERS:
            self._order(body)
        elif record.topic == IMPRESSIONS:
            self._ad(body, "impressions")
        elif record.topic == CLICKS:
            self._ad(body, "clicks")
            # One text per user, because a market has millions of them.
            fields = (body["at"], body["event_id"], body["campaign_id"], body["region"], body.get("sku"))
            self._clicks[str(body["user_id"])] += " ".join(map(str, fields)) + "\n"

    def totals(self, scope: str) -> dict[str, Totals]:
        """Give member to totals of `region`, `campaign` or `region,campaign`; members without records are absent."""
        cells: _Sums = {member: Counter(counts) for member, counts in self._ads[scope].items()}
        for line in self._lines.values():
            credit = line.named if line.named or line.gift else self._last_click(line)
            _put(cells, scope, line.region, credit.campaign_id if credit else None, line.orders())
            if credit and not line.gift:
                _put(cells, scope, credit.region, credit.campaign_id, line.credited(credit))
        return {member: Totals.of(cell) for member, cell in sorted(cells.items())}

    def _order(self, body: Payload) -> None:
        key = f"{body['order_id']}/{body['line']}"
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Purchase.of(body)
        line.add(body)

    def _ad(self, body: Payload, name: str) -> None:
        counts = {name: 1, "spend_micros": integer(body["spend_micros"])}
        for scope, cells in self._ads.items():
            _put(cells, scope, str(body["region"]), str(body["campaign_id"]), counts)

    def _last_click(self, line: Purchase) -> Credit | None:
        """Give the user's last click before the order; of several at one instant the one with the greatest id.

        A scenario's clicks always name the product that they promote.
        """
        found = [click for click in self._clicks_of(line) if line.placed_at - WINDOW_MS <= click[0] <= line.placed_at]
        if not found:
            return None
        at, _, campaign, region, sku = max(found)
        return Credit(campaign, region, at, sku == line.sku)

    def _clicks_of(self, line: Purchase) -> Iterator[tuple[int, str, str, str, str]]:
        for text in self._clicks.get(line.user, "").splitlines():
            at, event_id, campaign, region, sku = text.split(" ")
            yield int(at), event_id, campaign, region, sku


def _put(cells: _Sums, scope: str, region: str, campaign: str | None, counts: dict[str, int]) -> None:
    """Add to the member of a scope that a region and a campaign make; without a campaign only regions have one."""
    members = {"region": region}
    if campaign is not None:
        members |= {"campaign": campaign, "region,campaign": f"{region}:{campaign}"}
    if scope in members:
        cells.setdefault(members[scope], Counter()).update(counts)
