"""Seeded benchmark events: 80 % impressions, 17 % clicks, 3 % orders over 31 regions and 300 campaigns."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Final

from confluent_kafka import Producer

from models.regions import PROVINCES

TOPICS: Final = ("ads.impressions.v1", "ads.clicks.v1", "shop.orders.v1")
CAMPAIGNS: Final = 300
SPAN_MS: Final = 300_000
Record = tuple[str, str, bytes]
"""Topic, key and JSON."""


def events(count: int, seed: int, start: int) -> Iterator[Record]:
    """Give (topic, user id, JSON) for `count` events spread over five minutes from `start`."""
    chance = random.Random(seed)
    codes = [region.adcode for region in PROVINCES]
    for number in range(count):
        kind = chance.random()
        user = f"u{chance.randrange(10**8):09d}"
        body: dict[str, object] = {
            "event_id": f"{chance.getrandbits(64):016x}",
            "at": start + number * SPAN_MS // count,
            "region": codes[int(chance.random() ** 1.5 * len(codes))],
            "campaign_id": f"cmp-{int(chance.random() ** 2 * CAMPAIGNS):04d}",
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
        else:
            topic = TOPICS[2]
            amount = chance.randrange(500, 9_000) * 1_000_000
            body |= {
                "order_id": f"o{number:012d}",
                "line": 1,
                "status": "placed",
                "placed_at": body["at"],
                "quantity": 1,
                "unit_price_micros": amount,
                "amount_micros": amount,
                "subsidy_micros": 500_000_000 if chance.random() < 0.7 else 0,
                "gift": False,
                "category": "phone",
            }
        yield topic, user, json.dumps(body, separators=(",", ":")).encode()


def fill(bootstrap: str, records: Sequence[Record]) -> dict[str, int]:
    """Produce events, lz4, large batches, as fast as the broker takes them; give how many went to each topic."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "linger.ms": 50,
            "batch.num.messages": 5_000,
            "batch.size": 900_000,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 2_000_000,
        }
    )
    sent = dict.fromkeys(TOPICS, 0)
    failed: list[object] = []
    for topic, user, value in records:
        producer.produce(topic, value, key=user, on_delivery=lambda error, _: failed.append(error) if error else None)
        sent[topic] += 1
        if not sent[topic] % 1_000:
            producer.poll(0)
    left = producer.flush(120)
    if left or failed:
        raise RuntimeError(f"{left} events not sent, {len(failed)} failed: {failed[:1]}")
    return sent
