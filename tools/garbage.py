"""Good events whose sums are known, and records that are no events, each with the reason it must be refused for."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

IMPRESSIONS: Final = "ads.impressions.v1"
CLICKS: Final = "ads.clicks.v1"
ORDERS: Final = "shop.orders.v1"
HOT: Final = (IMPRESSIONS, CLICKS, ORDERS)
REGIONS: Final = ("110000", "310000", "440000", "510000", "unknown")

HOUR_MS: Final = 3_600_000
YEAR_MS: Final = 365 * 24 * HOUR_MS
LONG_AGO: Final = 1_000_000_000_000
DEPTH: Final = 5_000

Body = dict[str, object]
Change = Callable[[random.Random], bytes | None] | bytes | Mapping[str, object]
"""A maker of values, a whole value around the fields of a good event, or fields to change; `...` takes one out."""


class Bad(NamedTuple):
    """A record that is no event.

    Attributes:
        reason: why it must be refused.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    reason: str


class Maker:
    """Makes good events with all times in the hour before `now`, and garbage around them; seeded.

    Attributes:
        cells: (scope, member, counter) to what all good events made so far add up to.
        made: good events made so far.
    """

    def __init__(self, seed: int, now: int) -> None:
        """Begin with nothing made.

        Args:
            seed: names the draw.
            now: wall clock in epoch milliseconds.
        """
        self._chance = random.Random(seed)
        self._now = now
        self.cells: Counter[tuple[str, str, str]] = Counter()
        self.made = 0

    def good(self) -> tuple[str, bytes, bytes]:
        """Make one event: topic, key, value; its share of the sums is noted."""
        topic = HOT[self.made % len(HOT)]
        body = self._body(topic)
        self._note(topic, body)
        return topic, str(body["user_id"]).encode(), json.dumps(body, ensure_ascii=False).encode()

    def garbage(self, count: int) -> Iterator[Bad]:
        """Make records of every kind in turn, for every topic in turn."""
        for number in range(count):
            topic = HOT[number % len(HOT)]
            value, reason = self._spoil(number // len(HOT), topic)
            yield Bad(topic, None if number % 10 == 0 else b"k\xff%d" % number, value, reason)

    def _body(self, topic: str) -> Body:
        chance, number = self._chance, self.made
        self.made += 1
        body: Body = {
            "event_id": f"e{number}",
            "at": self._now - chance.randrange(HOUR_MS),
            "region": chance.choice(REGIONS),
            "campaign_id": f"c{chance.randrange(20)}",
            "user_id": f"u{chance.randrange(5_000)}",
        }
        if topic == ORDERS:
            placed: Body = {"order_id": f"o{number}", "line": 1, "status": "placed", "placed_at": body["at"]}
            return {**body, **placed, "quantity": 1, "amount_micros": chance.randrange(1, 6_000_000_000)}
        return {**body, "spend_micros": chance.randrange(5_000_000)}

    def _note(self, topic: str, body: Body) -> None:
        region, campaign = str(body["region"]), str(body["campaign_id"])
        if topic == ORDERS:
            amount = int(str(body["amount_micros"]))
            parts = {"orders_placed": 1, "gmv_placed_micros": amount}
            # The line names its campaign: every label of its credit says the same, and no amount reaches the cap.
            for name in ("direct", "total", "click_direct", "click_total"):
                parts |= {f"{name}_orders": 1, f"{name}_orders_0d": 1}
                parts |= {f"{name}_gmv_micros": amount, f"{name}_gmv_0d_micros": amount}
            parts |= {"direct_capped_micros": amount, "total_capped_micros": amount}
        else:
            parts = {"clicks" if topic == CLICKS else "impressions": 1, "spend_micros": int(str(body["spend_micros"]))}
        for cell in (("region", region), ("campaign", campaign), ("region,campaign", f"{region}:{campaign}")):
            for counter, amount in parts.items():
                self.cells[(*cell, counter)] += amount

    def _spoil(self, kind: int, topic: str) -> tuple[bytes | None, str]:
        """Give a bad record of some kind, and the reason it must be refused for."""
        changes = [*_RAW, *_FIELDS, *(_OF_ORDERS if topic == ORDERS else _OF_ADS)]
        change, reason = changes[kind % len(changes)]
        whole: Body = {"event_id": f"bad{kind}", "at": self._now, "region": "440000", "campaign_id": "c1"}
        whole |= {"user_id": "u1", "spend_micros": 1}
        whole |= {"order_id": f"bad{kind}", "line": 1, "status": "placed", "placed_at": self._now, "quantity": 1}
        whole |= {"amount_micros": 1}
        if callable(change):
            return change(self._chance), reason
        if isinstance(change, bytes):
            text = json.dumps(whole).encode()
            return change.replace(b"GOOD", text[1:-1]), reason
        for name, value in change.items():
            if value is ...:
                del whole[name]
            elif value == "FUTURE":
                whole[name] = self._now + YEAR_MS
            else:
                whole[name] = value
        return json.dumps(whole).encode(), reason


def _noise(chance: random.Random) -> bytes:
    return b"\x80" + chance.randbytes(chance.randrange(300))


def _tombstone(chance: random.Random) -> None:
    """Give the value of a tombstone."""


_RAW: Final[tuple[tuple[Change, str], ...]] = (
    (_noise, "not_json"),
    (_tombstone, "empty"),
    (b"", "not_json"),
    (b"{", "not_json"),
    (b"{GOOD", "not_json"),
    (b'{"city":"\xff\xfe",GOOD}', "not_json"),
    (b'{"x":' + b"[" * DEPTH + b"]" * DEPTH + b",GOOD}", "not_json"),
    (b'{"x":' + b'{"x":' * DEPTH + b"1" + b"}" * DEPTH + b",GOOD}", "not_json"),
    (b'{"x":"' + b"y" * 70_000 + b'",GOOD}', "too_large"),
    (b"[{GOOD}]", "not_object"),
    (b"null", "not_object"),
    (b"42", "not_object"),
    (b'"good"', "not_object"),
)
_FIELDS: Final[tuple[tuple[Change, str], ...]] = (
    ({"at": ...}, "missing_field"),
    ({"event_id": ...}, "missing_field"),
    ({"at": "2025-06-01"}, "wrong_type"),
    ({"at": 1.5}, "wrong_type"),
    ({"at": None}, "wrong_type"),
    ({"at": True}, "wrong_type"),
    ({"at": -1}, "out_of_range"),
    ({"at": 10**30}, "out_of_range"),
    ({"at": "FUTURE"}, "future"),
    ({"at": LONG_AGO, "placed_at": LONG_AGO}, "too_old"),
    ({"region": 440000}, "wrong_type"),
    ({"region": "999999"}, "unknown_region"),
    ({"region": "广东"}, "unknown_region"),
    ({"event_id": ""}, "out_of_range"),
    ({"event_id": "e" * 65}, "out_of_range"),
    ({"campaign_id": ["c1"]}, "wrong_type"),
)
_OF_ADS: Final[tuple[tuple[Change, str], ...]] = (
    ({"spend_micros": -1}, "out_of_range"),
    ({"spend_micros": 10**18}, "out_of_range"),
    ({"spend_micros": 10**40}, "out_of_range"),
    ({"spend_micros": "1"}, "wrong_type"),
    ({"spend_micros": ...}, "missing_field"),
)
_OF_ORDERS: Final[tuple[tuple[Change, str], ...]] = (
    ({"amount_micros": -1}, "out_of_range"),
    ({"amount_micros": 10**18}, "out_of_range"),
    ({"amount_micros": {}}, "wrong_type"),
    ({"status": "lost"}, "bad_status"),
    ({"status": "paid"}, "missing_field"),
    ({"placed_at": "FUTURE"}, "future"),
    ({"placed_at": LONG_AGO}, "too_old"),
)
