"""Two workers under load are killed, stopped and woken: every cell of the totals stays exact."""

import asyncio
import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from confluent_kafka import Producer

from models.totals import Totals
from models.units import EpochMs
from models.windows import Scope, cover, span_of
from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ZONE = ZoneInfo("Asia/Shanghai")
START = EpochMs(1_750_000_000_000)
CLICKS = "ads.clicks.v1"
PER_SECOND = 2_500
BACKLOG = 160_000
REGIONS = ("110000", "310000", "440000", "510000")


class Load:
    """Produces seeded clicks at a steady rate until told to stop, and remembers what it sent, cell by cell."""

    def __init__(self, bootstrap: str, seed: int) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "compression.type": "lz4",
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._chance = random.Random(seed)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.clicks: Counter[tuple[Scope, str]] = Counter()
        self.spend: Counter[tuple[Scope, str]] = Counter()
        self.sent = 0
        self._extra = 0
        self._thread.start()

    def burst(self, count: int) -> None:
        """Send `count` records at once, and wait until the broker has them."""
        self._extra += count
        goal = self.sent + count
        wait_for(lambda: self.sent >= goal and len(self._producer) < PER_SECOND, 30, "the burst to be sent")

    def stop(self) -> None:
        """Send no more, and wait until the broker has everything."""
        self._done.set()
        self._thread.join(30)
        assert self._producer.flush(30) == 0

    def _run(self) -> None:
        began = time.monotonic()
        while not self._done.wait(0.02):
            for _ in range(int((time.monotonic() - began) * PER_SECOND) + self._extra - self.sent):
                self._send()
            self._producer.poll(0)

    def _send(self) -> None:
        number, chance = self.sent, self._chance
        region, campaign = chance.choice(REGIONS), f"c{chance.randrange(20)}"
        spend, user = chance.randrange(1, 5_000_000), f"u{chance.randrange(10_000)}"
        at = START + number // 10
        body = json.dumps(
            {
                "event_id": f"e{number}",
                "at": at,
                "region": region,
                "campaign_id": campaign,
                "user_id": user,
                "spend_micros": spend,
            }
        )
        self._producer.produce(CLICKS, body, key=user)
        for cell in (
            (Scope.REGION, region),
            (Scope.CAMPAIGN, campaign),
            (Scope.REGION_CAMPAIGN, f"{region}:{campaign}"),
        ):
            self.clicks[cell] += 1
            self.spend[cell] += spend
        self.sent += 1


async def _read(url: str) -> tuple[int, dict[tuple[Scope, str], Totals]]:
    """Records applied, and the totals of every cell."""
    store = await RedisStore.connect(RedisSettings(url=url), ZONE)
    try:
        progress = await store.progress()
        applied = sum(step.next_offset for tp, step in progress.items() if tp.topic == CLICKS)
        head = max((step.head for step in progress.values() if step.head is not None), default=START)
        cells: dict[tuple[Scope, str], Totals] = {}
        for scope in Scope:
            buckets = list(cover(span_of("all", head, ZONE), scope, head, ZONE))
            cells |= {(scope, member): totals for member, totals in (await store.totals(scope, buckets)).items()}
        return applied, cells
    finally:
        await store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Broker, RedisServer]]:
    """A broker and a Redis of their own, empty: every offset and every cell belongs to this test."""
    broker = Broker(tmp_path / "kafka")
    redis = RedisServer(tmp_path / "redis")
    for topic in TOPICS:
        broker.create_topic(topic.name, topic.partitions(4))
    yield broker, redis
    redis.stop()
    broker.stop()


def _applied(redis: RedisServer) -> int:
    return asyncio.run(_read(redis.url))[0]


def _has_applied(redis: RedisServer, goal: int) -> bool:
    return _applied(redis) >= goal


def test_totals_are_exact_after_kills_and_a_zombie(world: tuple[Broker, RedisServer], tmp_path: Path) -> None:
    """Each of two workers is killed twice at random points and one sleeps 15 s: all cells equal the oracle.

    One seed and few kills, for time: what clicks and orders come to together
    after kills is held in `test_exact_days`, and `make chaos` kills at random
    points twenty times.
    """
    kill_and_wake(*world, 1, 4, tmp_path)


def kill_and_wake(broker: Broker, redis: RedisServer, seed: int, kills: int, tmp_path: Path) -> None:
    """Kill two workers in turn while clicks flow, let one sleep and wake, and compare every cell.

    Args:
        broker: with its topics, empty.
        redis: empty.
        seed: names the load and the points of the kills.
        kills: how many, of both workers together.
        tmp_path: where logs go.
    """
    env = {
        "SUBSIDYWATCH_KAFKA__BOOTSTRAP": broker.bootstrap,
        "SUBSIDYWATCH_KAFKA__SESSION_TIMEOUT_S": "6",
        "SUBSIDYWATCH_KAFKA__HEARTBEAT_S": "1",
        "SUBSIDYWATCH_REDIS__URL": redis.url,
        "SUBSIDYWATCH_REDIS__TIMEOUT_S": "60",  # outlasts the sleep: the worker wakes in the middle of its work
    }
    chance = random.Random(seed)
    load = Load(broker.bootstrap, seed)
    workers = [Worker(f"worker-{number}", tmp_path, env) for number in (1, 2)]
    try:
        for worker in workers:
            worker.wait_ready()
        for victim in (number % 2 for number in range(kills)):
            goal = _applied(redis) + chance.randrange(500, 6_000)
            wait_for(partial(_has_applied, redis, goal), 60, f"{goal} records to be applied")
            workers[victim].daemon.kill()
            workers[victim].start()
        for worker in workers:
            worker.wait_ready()
        _sleep_and_wake(workers[0], load, redis)
        load.stop()
        wait_for(lambda: _applied(redis) == load.sent, 90, "every record to be applied")
        _, cells = asyncio.run(_read(redis.url))
    finally:
        for worker in workers:
            worker.daemon.stop()
        load.stop()

    assert dict(load.clicks) == {cell: totals.clicks for cell, totals in cells.items()}
    assert dict(load.spend) == {cell: totals.spend_micros for cell, totals in cells.items()}


def _sleep_and_wake(zombie: Worker, load: Load, redis: RedisServer) -> None:
    """Stop a worker that holds slices it could not write yet, past its session; wake it: the fence refuses them.

    Redis pauses while the backlog is made, so the worker falls asleep with slices in its hands, after the first.
    """
    wait_for(lambda: zombie.metric("subsidywatch_worker_assigned_partitions") > 0, 60, "the worker to own partitions")
    redis.daemon.signal(signal.SIGSTOP)
    load.burst(BACKLOG)
    counted = zombie.metric("subsidywatch_worker_records_total")
    redis.daemon.signal(signal.SIGCONT)
    wait_for(lambda: zombie.metric("subsidywatch_worker_records_total") > counted, 30, "the first slice", 0.01)
    zombie.daemon.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    wait_for(lambda: time.monotonic() - stopped >= 15, 20, "15 s to pass")
    before = _applied(redis)
    zombie.daemon.signal(signal.SIGCONT)
    wait_for(lambda: zombie.metric("subsidywatch_worker_fenced_total") > 0, 30, "the fence to refuse the woken worker")
    wait_for(lambda: zombie.metric("subsidywatch_worker_assigned_partitions") > 0, 60, "the woken worker to rejoin")
    wait_for(lambda: _applied(redis) > before, 30, "records to be applied again")
