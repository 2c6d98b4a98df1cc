"""How often the decide line runs, and which partition is read first, changes nothing of what it decides."""

import json

import pytest

from cases.ingesting import CLICKS, NOW, ORDERS, World, click, order, part
from cases.watching import GUANGDONG, START, said
from models.errors import ServiceUnavailable
from models.units import MINUTE_MS, SECOND_MS, EpochMs
from rules.state import DecideState
from streams.pipeline import Pipeline
from streams.ports import Applied, BatchWrite, TopicPartition
from streams.settings import load
from streams.sinks.list_sink import ListSink
from streams.store.memory_store import MemoryStore

ANNOUNCEMENTS = TopicPartition("subsidy.announcements.v1", 0)
HEARD_WITH_AN_ORDER = 10 * MINUTE_MS
OTHER = TopicPartition(ORDERS.topic, 1)
IDLE_MS = int(load().ingest.idle_s * 1000)
AFTER_OPENING = 90 * MINUTE_MS


@pytest.mark.parametrize("after_each", [False, True], ids=["once over all", "after each record"])
async def test_daily_hours_open_on_time_however_the_line_runs(after_each: bool) -> None:
    """Hours that were heard in a second with an order, and changed nothing then, still open at their minute."""
    world = World(load(), MemoryStore(load().zone))
    await world.claim()
    await world.pipeline.claim(ANNOUNCEMENTS)
    words = [said("off"), said("quota_hours", HEARD_WITH_AN_ORDER, daily_hours="08:30-22:00")]
    await world.pipeline.ingest(part(ANNOUNCEMENTS, 0, [word.model_dump_json().encode() for word in words]))
    times = [START + after for after in (0, HEARD_WITH_AN_ORDER - SECOND_MS, AFTER_OPENING)]

    for offset, at in enumerate(times):
        record = order(offset, at=at, placed_at=at, order_id=f"o{offset}", subsidy_micros=0)
        await world.pipeline.ingest(part(CLICKS, offset, [click(offset, at=at)], timestamp=at))
        await world.pipeline.ingest(part(ORDERS, offset, [record], timestamp=at))
        if after_each or at == times[-1]:
            await world.pipeline.decide(NOW)

    made = [json.loads(body) for body in await world.store.read_log("transitions", 10)][::-1]
    assert [(GUANGDONG, "OFF", START), (GUANGDONG, "ON", START + 30 * MINUTE_MS)] == [
        (change["region"], change["to"], change["decided_at"]) for change in made
    ]


class Worker:
    """A pipeline with a clock of its own, on a store that may be away."""

    def __init__(self, store: MemoryStore, now: int) -> None:
        self.store = store
        self.now = now
        self.pipeline = Pipeline(store, ListSink(), load(), lambda: EpochMs(self.now))

    async def start(self) -> None:
        """Own both partitions of orders."""
        for tp in (ORDERS, OTHER):
            await self.pipeline.claim(tp)

    async def sell(self, tp: TopicPartition, offset: int, at: int) -> None:
        """Read an order with a subsidy, the last of its partition's log."""
        record = order(offset, at=at, placed_at=at, order_id=f"{tp.partition}-{offset}", subsidy_micros=1)
        await self.pipeline.ingest(part(tp, offset, [record], timestamp=at))

    async def weighed(self, after_ms: int = 0) -> int:
        """Let time pass, decide, and give how many orders of Guangdong were weighed so far."""
        self.now += after_ms
        await self.pipeline.decide(EpochMs(self.now))
        _, body = await self.store.load_state()
        state = DecideState() if body is None else DecideState.from_json(body)
        return sum(orders for _, orders in state.regions[GUANGDONG].recent) if state.regions else 0


async def test_first_orders_of_a_partition_that_is_read_last_are_weighed() -> None:
    """At the first start nothing is decided before every partition was read or had the time to be."""
    worker = Worker(MemoryStore(load().zone), START)
    await worker.start()

    await worker.sell(ORDERS, 0, START + MINUTE_MS)
    assert 0 == await worker.weighed()
    await worker.sell(OTHER, 0, START)
    assert 0 == await worker.weighed()
    assert 2 == await worker.weighed(IDLE_MS + 1)


async def test_empty_partition_holds_nothing_up_for_long() -> None:
    """A partition in which nothing ever was counts as idle after the idle time."""
    worker = Worker(MemoryStore(load().zone), START)
    await worker.start()

    await worker.sell(ORDERS, 0, START)

    assert [0, 1] == [await worker.weighed(IDLE_MS), await worker.weighed(1)]


async def test_backlog_after_a_restart_is_weighed() -> None:
    """Silence while no worker ran does not make a partition idle: its backlog is waited for."""
    store = MemoryStore(load().zone)
    for worker, first in ((Worker(store, START), 0), (Worker(store, START + 10 * MINUTE_MS), 1)):
        await worker.start()
        for tp, at in ((ORDERS, worker.now + SECOND_MS), (OTHER, worker.now - SECOND_MS)):
            await worker.sell(tp, first, at)
            await worker.weighed()

    assert 4 == await worker.weighed(IDLE_MS + 1)


class Away(MemoryStore):
    """Cannot be written while `away`."""

    away = False

    async def apply(self, write: BatchWrite) -> Applied:
        """Apply, unless away."""
        if self.away:
            raise ServiceUnavailable("the store is away")
        return await super().apply(write)

    async def load_state(self) -> tuple[int, str | None]:
        """Read, unless away."""
        if self.away:
            raise ServiceUnavailable("the store is away")
        return await super().load_state()


@pytest.mark.parametrize("decides", [False, True], ids=["reading noticed", "deciding noticed"])
async def test_backlog_after_an_outage_is_weighed(decides: bool) -> None:
    """Silence while the store was away does not make a partition idle, whichever line met the outage."""
    store = Away(load().zone)
    worker = Worker(store, START)
    await worker.start()
    for tp in (ORDERS, OTHER):
        await worker.sell(tp, 0, START)
    worker.now, store.away = START + 10 * MINUTE_MS, True

    with pytest.raises(ServiceUnavailable):
        await (worker.weighed() if decides else worker.sell(ORDERS, 1, worker.now))
    store.away = False
    await worker.sell(ORDERS, 1, worker.now)
    await worker.weighed()
    await worker.sell(OTHER, 1, worker.now - MINUTE_MS)

    assert 4 == await worker.weighed(IDLE_MS + 1)


async def test_announcements_are_not_read_for_ever() -> None:
    """Each run reads the kept announcements, so those that are in the state are dropped."""
    worker = Worker(MemoryStore(load().zone), START)
    await worker.start()
    await worker.pipeline.claim(ANNOUNCEMENTS)
    words = [said("on"), said("off", MINUTE_MS)]
    await worker.pipeline.ingest(part(ANNOUNCEMENTS, 0, [word.model_dump_json().encode() for word in words]))

    await worker.sell(ORDERS, 0, START)
    await worker.weighed(IDLE_MS + 1)

    assert [words[1].event_id] == list(await worker.store.facts("announcements"))
