"""A feed of numbered events whose sums are known to the last micro."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from confluent_kafka import Producer

from services import wait_for

IMPRESSIONS: Final = "ads.impressions.v1"
CLICKS: Final = "ads.clicks.v1"
ORDERS: Final = "shop.orders.v1"
MIX: Final = (IMPRESSIONS,) * 5 + (CLICKS,) * 3 + (ORDERS,) * 2
TOPICS_FED: Final = frozenset(MIX)
START: Final = 1_750_000_000_000
REGIONS: Final = ("110000", "310000", "440000", "510000", "unknown")
PARTITIONS: Final = 4
LATE_MS: Final = 2 * 3_600_000

Cell = tuple[str, str, str]
"""Scope, member, counter."""


class Sent(NamedTuple):
    """An event on the log: where, and what it adds to every cell."""

    topic: str
    partition: int
    adds: tuple[tuple[str, int], ...]
    region: str
    campaign: str


class Feed:
    """Seeded impressions, clicks and orders that name their campaign, at a steady rate until it is stopped.

    Attributes:
        sent: records handed to the producer.
        repeat_share: chance that an event is followed by one of the last hundred, word by word.
        late_share: chance that an event is two hours late.
        shuffle_ms: event times wander back by up to this.
        repeats: events sent again so far.
        cells: what all of them add up to.
        per_partition: (topic, partition) to events, in order of their offsets.
    """

    def __init__(self, bootstrap: str, seed: int = 1, rate: int = 1_000, campaigns: int = 20) -> None:
        """Connect; nothing is sent before `start` or `burst`.

        Args:
            bootstrap: the broker's own address, never through a proxy: the feed is not what is tested.
            seed: names the draw.
            rate: events a second; may be changed.
            campaigns: how many different campaign ids there are.
        """
        settings = {"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 20, "log_level": 0}
        limits = {"queue.buffering.max.messages": 2_000_000, "message.timeout.ms": 600_000}
        self._producer = Producer({**settings, **limits, "enable.idempotence": True})
        self._chance = random.Random(seed)
        self._campaigns = campaigns
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self.rate = rate
        self.sent = 0
        self.cells: Counter[Cell] = Counter()
        self.per_partition: dict[tuple[str, int], list[Sent]] = {}
        self.repeat_share = self.late_share = 0.0
        self.shuffle_ms = 0
        self.repeats = 0
        self._recent: list[tuple[Sent, bytes]] = []

    def start(self) -> None:
        """Send at the rate, from now on."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def burst(self, count: int) -> None:
        """Send events at once, and wait until the broker has them."""
        for _ in range(count):
            self._one()
        self.flush()

    def raw(self, topic: str, partition: int, value: bytes | None, key: bytes | None = None) -> None:
        """Send a record that adds nothing to any cell."""
        with self._lock:
            self._producer.produce(topic, value, key=key, partition=partition)
            self._producer.poll(0)
            self.sent += 1

    def replay(self, records: Iterable[tuple[str, int, bytes, bytes]]) -> None:
        """Send topic, partition, value and key as they are, and wait until the broker has them."""
        for record in records:
            self.raw(*record)
        self.flush()

    def flush(self) -> None:
        """Wait until the broker has everything that was sent."""
        wait_for(lambda: self._producer.flush(1) < 1_000, 120, "the broker to take the feed")

    def stop(self) -> None:
        """Send no more, and wait until the broker has everything."""
        self._done.set()
        if self._thread is not None:
            self._thread.join(60)
        wait_for(lambda: self._producer.flush(2) == 0, 120, "the broker to have the whole feed")

    def _run(self) -> None:
        last, due = time.monotonic(), 0.0
        while not self._done.wait(0.02):
            now = time.monotonic()
            due += (now - last) * self.rate
            last = now
            for _ in range(int(due)):
                self._one()
            due -= int(due)

    def _one(self) -> None:
        """Make and send one event, and note what it adds; perhaps send an earlier one again."""
        with self._lock:
            number, chance = self.sent, self._chance
            topic, user = MIX[number % len(MIX)], chance.randrange(5_000)
            region, campaign = chance.choice(REGIONS), f"c{chance.randrange(self._campaigns)}"
            body: dict[str, object] = {"event_id": f"e{number}", "at": self._time(number), "region": region}
            body |= {"campaign_id": campaign, "user_id": f"u{user}"}
            adds = self._amounts(topic, number, body)
            event = Sent(topic, user % PARTITIONS, adds, region, campaign)
            value = json.dumps(body).encode()
            while len(self._producer) > 1_000_000:
                self._producer.poll(0.1)
            self._producer.produce(topic, value, key=b"u%d" % user, partition=event.partition)
            self._producer.poll(0)
            self.sent += 1
            self.cells.update(cells_of(event))
            self.per_partition.setdefault((topic, event.partition), []).append(event)
            if self.repeat_share:
                self._repeat(event, value)

    def _repeat(self, event: Sent, value: bytes) -> None:
        self._recent = [*self._recent[-99:], (event, value)]
        if self._chance.random() < self.repeat_share:
            before, same = self._chance.choice(self._recent)
            self._producer.produce(before.topic, same, partition=before.partition)
            self.sent += 1
            self.repeats += 1

    def _time(self, number: int) -> int:
        at = START + number // 10
        if self.late_share and self._chance.random() < self.late_share:
            return at - LATE_MS
        return at - (self._chance.randrange(self.shuffle_ms) if self.shuffle_ms else 0)

    def _amounts(self, topic: str, number: int, body: dict[str, object]) -> tuple[tuple[str, int], ...]:
        if topic == ORDERS:
            amount = self._chance.randrange(1, 6_000_000_000)
            body |= {"order_id": f"o{number}", "line": 1, "status": "placed", "placed_at": body["at"]}
            body |= {"quantity": 1, "amount_micros": amount}
            money = tuple((name, amount) for name in ("gmv_placed_micros", "direct_gmv_micros", "total_gmv_micros"))
            return (("orders_placed", 1), ("direct_orders", 1), ("total_orders", 1), *money)
        spend = self._chance.randrange(1, 5_000_000)
        body["spend_micros"] = spend
        return (("clicks" if topic == CLICKS else "impressions", 1), ("spend_micros", spend))


COUNTED: Final = ("impressions", "clicks", "orders_placed")
"""Counters of which every event of a feed adds exactly one."""

COMPARED: Final = (
    *COUNTED,
    "spend_micros",
    "gmv_placed_micros",
    "direct_orders",
    "direct_gmv_micros",
    "total_orders",
    "total_gmv_micros",
)
"""Counters that a feed knows."""


def cells_of(event: Sent) -> dict[Cell, int]:
    """Give what an event adds."""
    members = (
        ("region", event.region),
        ("campaign", event.campaign),
        ("region,campaign", f"{event.region}:{event.campaign}"),
    )
    return {(scope, member, name): amount for scope, member in members for name, amount in event.adds}
