"""A pipeline on a store in memory that owns a partition of clicks and one of orders."""

import json
from collections.abc import Sequence
from typing import Any

from models.totals import Totals
from models.units import EpochMs
from models.windows import Scope, cover, span_of
from streams.pipeline import Pipeline
from streams.ports import RecordSlice, TopicPartition
from streams.settings import Settings, load
from streams.sinks.list_sink import ListSink
from streams.store.memory_store import MemoryStore

NOW = EpochMs(1_750_000_100_000)
AT = 1_750_000_000_000
CLICKS = TopicPartition("ads.clicks.v1", 0)
ORDERS = TopicPartition("shop.orders.v1", 0)


def click(number: int, **fields: object) -> bytes:
    """A valid click in Guangdong that cost 10 micros, or what `fields` make of it."""
    body = {
        "event_id": f"e{number}",
        "at": AT + number,
        "region": "440000",
        "campaign_id": "c1",
        "user_id": "u1",
        "spend_micros": 10,
    }
    return json.dumps(body | fields).encode()


def order(number: int, status: str = "placed", **fields: object) -> bytes:
    """A record of order line `o1/1`, or of another that `fields` name."""
    body = {
        "event_id": f"o{number}",
        "at": AT + number,
        "placed_at": AT,
        "region": "440000",
        "order_id": "o1",
        "line": 1,
        "status": status,
        "quantity": 1,
        "amount_micros": 1_000_000,
        "gift": False,
    }
    return json.dumps(body | fields).encode()


def part(tp: TopicPartition, first: int, values: Sequence[bytes | None], **fields: Any) -> RecordSlice:
    """A contiguous slice."""
    base = RecordSlice(tp, first, first + len(values), AT + 60_000, 1, values, None)
    return base._replace(**fields)


class World:
    """A pipeline that owns one partition of clicks and one of orders."""

    def __init__(self, settings: Settings, store: MemoryStore) -> None:
        self.store = store
        self.sink = ListSink()
        self.pipeline = Pipeline(store, self.sink, settings, lambda: NOW)

    async def claim(self) -> None:
        """Own both partitions."""
        for tp in (CLICKS, ORDERS):
            await self.pipeline.claim(tp)

    async def totals(self) -> Totals:
        """Totals of Guangdong over everything kept."""
        zone = load().zone
        buckets = cover(span_of("all", EpochMs(AT), zone), Scope.REGION, EpochMs(AT), zone)
        return (await self.store.totals(Scope.REGION, buckets)).get("440000", Totals())

    async def next_offset(self, tp: TopicPartition) -> int:
        """Where the store stands."""
        return (await self.store.progress())[tp].next_offset
