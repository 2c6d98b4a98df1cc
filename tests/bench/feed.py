"""Seeded events of a shop's day: 80 % impressions, 17 % clicks, 3 % orders, 31 regions, 300 campaigns, a million users.

Some orders follow a click of the same user (2 % of clicks lead to one), the
others come from anybody. The truth is counted while the events are made, by
the rule of last touch and nothing else.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count as numbers
from typing import Final

from models.regions import PROVINCES

TOPICS: Final = ("ads.impressions.v1", "ads.clicks.v1", "shop.orders.v1")
CAMPAIGNS: Final = 300
USERS: Final = 1_000_000
SPAN_MS: Final = 300_000
FOLLOWING: Final = 0.02 * 17 / 3
"""Part of the orders that follows a click: 2 % of the clicks."""
RECENT_CLICKS: Final = 5_000
ODD: Final = 0x9E3779B97F
"""Numbers times this, modulo 2 to the 40, look random and never repeat."""
Record = tuple[str, str, bytes]
"""Topic, key and JSON."""


@dataclass
class Truth:
    """What must be counted.

    Attributes:
        records: per topic.
        ads: per campaign: impressions, clicks, micros spent.
        credited: per campaign: orders credited to its clicks, and their micros.
        placed: per region: orders placed, and their micros.
    """

    records: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOPICS, 0))
    ads: dict[str, list[int]] = field(default_factory=dict)
    credited: dict[str, list[int]] = field(default_factory=dict)
    placed: dict[str, list[int]] = field(default_factory=dict)
    _clicked: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    _waiting: list[tuple[str, int]] = field(default_factory=list)
    _now: int = 0

    def add(self, topic: str, body: dict[str, object]) -> None:
        """Count one event; they come in order of time."""
        self.records[topic] += 1
        at, user = int(str(body["at"])), str(body["user_id"])
        if at != self._now:
            self.settle()
            self._now = at
        if topic == TOPICS[2]:
            amount = int(str(body["amount_micros"]))
            _sum(self.placed, str(body["region"]), 1, amount)
            self._waiting.append((user, amount))
            return
        clicks = int(topic == TOPICS[1])
        campaign = str(body["campaign_id"])
        _sum(self.ads, campaign, 1 - clicks, clicks, int(str(body["spend_micros"])))
        if clicks:
            touch = (at, str(body["event_id"]), campaign)
            self._clicked[user] = max(touch, self._clicked.get(user, touch))

    def settle(self) -> None:
        """Credit the orders of the present millisecond: clicks of the same one count as well."""
        for user, amount in self._waiting:
            if user in self._clicked:
                _sum(self.credited, self._clicked[user][2], 1, amount)
        self._waiting.clear()


def _sum(rows: dict[str, list[int]], name: str, *amounts: int) -> None:
    row = rows.setdefault(name, [0] * len(amounts))
    for number, amount in enumerate(amounts):
        row[number] += amount


def endless(start: int, rate: float, campaigns: int) -> Iterator[Record]:
    """Give events for ever, `rate` to a second of event time, over `campaigns` campaigns and a million users."""
    minute = int(rate * SPAN_MS / 1_000)
    for number in numbers():
        yield from events(minute, number, start + number * SPAN_MS, campaigns=campaigns, first=number * minute)


def events(
    count: int, seed: int, start: int, truth: Truth | None = None, *, campaigns: int = CAMPAIGNS, first: int = 0
) -> Iterator[Record]:
    """Give (topic, user id, JSON) for `count` events spread over five minutes from `start`, counted into `truth`.

    Args:
        count: how many.
        seed: of the random numbers.
        start: time of the first event, ms.
        truth: what must be counted is added to it.
        campaigns: how many campaigns there are.
        first: number of the first event: no two events of different numbers share an id.
    """
    chance = random.Random(seed)
    codes = [region.adcode for region in PROVINCES]
    recent: list[str] = []
    for number in range(count):
        kind = chance.random()
        user = f"u{chance.randrange(USERS):09d}"
        body: dict[str, object] = {
            "event_id": f"{(first + number) * ODD % 2**40:010x}",
            "at": start + number * SPAN_MS // count,
            "region": codes[int(chance.random() ** 1.5 * len(codes))],
            "campaign_id": f"cmp-{int(chance.random() ** 2 * campaigns):04d}",
            "user_id": user,
        }
        if kind < 0.80:
            topic = TOPICS[0]
            body["spend_micros"] = chance.randrange(1_000, 40_000)
            body["channel"] = "search"
        elif kind < 0.97:
            topic = TOPICS[1]
            body["spend_micros"] = chance.randrange(20_000, 4_000_000)
            body["sku"] = f"sku-{chance.randrange(50):03d}"
            recent.append(user)
            if len(recent) > 2 * RECENT_CLICKS:
                del recent[:RECENT_CLICKS]
        else:
            topic = TOPICS[2]
            if recent and chance.random() < FOLLOWING:
                user = body["user_id"] = chance.choice(recent)
            _order(body, first + number, chance)
        if truth is not None:
            truth.add(topic, body)
        yield topic, user, json.dumps(body, separators=(",", ":")).encode()
    if truth is not None:
        truth.settle()


def _order(body: dict[str, object], number: int, chance: random.Random) -> None:
    """Make an order of it: one line, no campaign named, so that it must be joined to a click."""
    del body["campaign_id"]
    amount = chance.randrange(500, 9_000) * 1_000_000
    body |= {
        "order_id": f"o{number:09d}",
        "line": 1,
        "status": "placed",
        "placed_at": body["at"],
        "quantity": 1,
        "unit_price_micros": amount,
        "amount_micros": amount,
        "subsidy_micros": 500_000_000 if chance.random() < 0.7 else 0,
        "gift": False,
        "category": "phone",
        "sku": f"sku-{chance.randrange(50):03d}",
    }
