"""Clicks and orders in every relative order give the same totals: those of the batch oracle."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence

import pytest

from held import ZONE, hold
from models.scenario.world import START
from models.units import DAY_MS, HOUR_MS, EpochMs
from oracle import Terms, count
from streams.pipeline import Pipeline
from streams.ports import DeadLetter, RecordSlice, TopicPartition
from streams.settings import Settings
from streams.store.memory_store import MemoryStore

CLICKS, ORDERS, CAMPAIGNS = "ads.clicks.v1", "shop.orders.v1", "ads.campaigns.v1"
REGIONS, USERS, SKUS = ("110000", "440000"), ("a", "b", "c"), ("p1", "p2", "p3")
DAYS = 15
Body = dict[str, object]
Log = dict[tuple[str, int], list[bytes]]


class NoSink:
    """A way out that nothing may take but decisions."""

    async def publish(self, entries: object) -> None:
        """Take decisions."""

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Refuse: all records here are good."""
        assert not letters


def moment(chance: random.Random) -> int:
    """Draw a time; few instants, so that ties and both ends of the window come up."""
    day, hour = chance.randrange(DAYS), chance.choice((0, 0, 3, 17))
    return START + day * DAY_MS + hour * HOUR_MS + chance.choice((0, 0, 0, 1))


def clicks(chance: random.Random, count: int) -> Iterator[Body]:
    """Draw clicks in any order, some of them twice."""
    for number in range(count):
        body: Body = {"event_id": f"c{number:03}", "at": moment(chance), "region": chance.choice(REGIONS)}
        body |= {"campaign_id": f"k{chance.randrange(3)}", "user_id": chance.choice(USERS), "spend_micros": 7}
        if chance.random() < 0.7:
            body |= {"sku": chance.choice(SKUS), "category": chance.choice(("phone", "tv"))}
        yield from [body] * chance.choice((1, 1, 2))


def orders(chance: random.Random, count: int) -> list[Body]:
    """Draw lives of order lines in order of time but for a day's lateness, some records twice."""
    out: list[tuple[int, int, Body]] = []
    for number in range(count):
        placed_at, amount = moment(chance), chance.choice((5, 10**10, 3 * 10**10))
        base: Body = {"order_id": f"o{number // 2}", "line": number % 2, "placed_at": placed_at, "quantity": 1}
        base |= {"region": chance.choice(REGIONS), "sku": chance.choice(SKUS), "amount_micros": amount, "brand": "mi"}
        base |= {"category": "phone", "gift": chance.random() < 0.1, "subsidy_micros": chance.choice((None, 0, 4))}
        base |= {"user_id": chance.choice((*USERS, None))}
        if chance.random() < 0.2:
            base |= {"campaign_id": f"k{chance.randrange(3)}", "halo": chance.random() < 0.5}
        late = chance.randrange(DAY_MS)
        for status in ("placed", *chance.choice(((), ("cancelled",), ("paid",), ("paid", "refunded", "refunded")))):
            at = placed_at + (0 if status == "placed" else chance.randrange(DAY_MS))
            body = {**base, "event_id": f"e{len(out)}", "at": at, "status": status}
            body |= {"paid_micros": amount, "refund_micros": amount // 2 + 1} if status in ("paid", "refunded") else {}
            for copy in range(chance.choice((1, 1, 2))):
                out.append((placed_at + late + copy, len(out), body))
    return [body for _, _, body in sorted(out, key=lambda entry: entry[:2])]


def logs_of(seed: int) -> Log:
    """Draw a log of one partition of clicks and orders, and the campaigns."""
    chance = random.Random(seed)
    made = list(clicks(chance, 40))
    chance.shuffle(made)
    settings = [{"campaign_id": f"k{n}", "skus": list(SKUS[:n])} for n in range(3)]
    fixed = {"at": START, "event_id": "k", "region": "unknown", "name": "k", "plan_type": "regular", "version": 1}
    fixed |= {"channel": "search", "daily_budget_micros": 1, "regions": None, "category": "phone"}
    parts = {CAMPAIGNS: [{**fixed, "region_addressable": False, **one} for one in settings]}
    parts |= {CLICKS: made, ORDERS: orders(chance, 40)}
    return {(topic, 0): [json.dumps(body).encode() for body in bodies] for topic, bodies in parts.items()}


def turns(chance: random.Random, left: dict[str, int], bias: float) -> Iterator[tuple[str, int]]:
    """Cut clicks and orders into slices and interleave them; 0 reads all clicks first, 1 all orders."""
    while left[CLICKS] or left[ORDERS]:
        topic = ORDERS if chance.random() < bias else CLICKS
        topic = topic if left[topic] else ORDERS if topic == CLICKS else CLICKS
        size = min(left[topic], chance.randint(1, 25))
        left[topic] -= size
        yield topic, size


async def read(logs: Log, settings: Settings, chance: random.Random, bias: float) -> MemoryStore:
    """Bring the logs into a store, the campaigns first."""
    store = MemoryStore(ZONE)
    pipeline = Pipeline(store, NoSink(), settings, lambda: EpochMs(START))
    done = {topic: 0 for topic, _ in logs}
    for topic in done:
        await pipeline.claim(TopicPartition(topic, 0))
    sizes = {topic: len(logs[topic, 0]) for topic in (CLICKS, ORDERS)}
    for topic, size in [(CAMPAIGNS, len(logs[CAMPAIGNS, 0])), *turns(chance, sizes, bias)]:
        first, end = done[topic], done[topic] + size
        done[topic] = end
        values: list[bytes | None] = list(logs[topic, 0][first:end])
        now = START + 40 * DAY_MS
        await pipeline.ingest(RecordSlice(TopicPartition(topic, 0), first, end, now, 0, values, None))
    return store


@pytest.mark.parametrize("halo", ["shop", "brand_category", "none"])
@pytest.mark.parametrize("bias", [0.0, 0.5, 1.0], ids=["clicks-first", "mixed", "orders-first"])
def test_totals_are_those_of_the_oracle_however_the_topics_run(bias: float, halo: str) -> None:
    """Every kept cell, for clicks in any order, orders late by a day, ties, repeats, and slices of any size."""
    settings = Settings.model_validate({"attribution": {"halo": halo, "brand": "mi", "window_days": 1}})
    for seed in range(4):
        logs = logs_of(seed)
        expected = count(logs, Terms(halo=halo, brand="mi", window_days=1))
        store = asyncio.run(read(logs, settings, random.Random(seed), bias))
        held = asyncio.run(hold(store, expected))

        assert [] == held.wrong[:10], f"seed {seed}"
        assert held.counters > 500
