"""wave-31 as a bad network would deliver it: out of order, twice, and late by hours; seeded."""

import json
import random
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from zlib import crc32

from models.scenario.emitted import CLICKS, IMPRESSIONS, ORDERS, Emitted
from models.scenario.world import START, World
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs

HOT: Final = (IMPRESSIONS, CLICKS, ORDERS)
PARTITIONS: Final = 4


class Sent(NamedTuple):
    """A record on its way to a partition."""

    topic: str
    partition: int
    key: bytes
    value: bytes


class Disturbance(NamedTuple):
    """How the hot topics are disturbed; other topics stay as they are.

    Attributes:
        duplicate: share of records that are sent twice.
        shuffle_ms: each copy arrives up to this much later.
        late: share of copies that are late by an hour up to `latest_ms`.
    """

    duplicate: float = 0.3
    shuffle_ms: int = 5 * MINUTE_MS
    late: float = 0.02
    latest_ms: int = 6 * HOUR_MS


def market(seed: int, days: float, rate: float, impressions_per_click: float) -> Iterator[Emitted]:
    """Give wave-31 from its start."""
    world = World(seed, days=max(1, round(days)), rate=rate, impressions_per_click=impressions_per_click)
    yield from world.opening()
    for minute in range(START, int(START + days * DAY_MS), MINUTE_MS):
        yield from world.step(EpochMs(minute))


def disturbed(records: Iterable[Emitted], seed: int, how: Disturbance) -> list[Sent]:
    """Give everything in its new order of arrival; all records of a user go to one partition number."""
    chance = random.Random(seed)
    out: list[tuple[int, int, Sent]] = []
    for record in records:
        is_hot = record.topic in HOT
        key, value = record.key.encode(), json.dumps(record.body, separators=(",", ":")).encode()
        sent = Sent(record.topic, crc32(key) % PARTITIONS if is_hot else 0, key, value)
        for _ in range(1 + (is_hot and chance.random() < how.duplicate)):
            out.append((record.arrival + (_delay(chance, how) if is_hot else 0), len(out), sent))
    out.sort()
    return [sent for _, _, sent in out]


def _delay(chance: random.Random, how: Disturbance) -> int:
    delay = int(chance.random() * how.shuffle_ms)
    if chance.random() < how.late:
        delay += HOUR_MS + int(chance.random() * (how.latest_ms - HOUR_MS))
    return delay
