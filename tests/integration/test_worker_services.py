"""A real worker on real Kafka and Redis: services that go away, and what Kafka and Redis say after the end."""

import asyncio
import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Position

from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

CLICKS = "ads.clicks.v1"
Start = Callable[[], Worker]


class World:
    """A broker and a Redis that this test may kill."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder / "kafka")
        self.redis = RedisServer(folder / "redis")
        self.name = ""
        self._sent = 0
        self.broker.create_topics((topic.name, topic.partitions(4), {}) for topic in TOPICS)

    def produce(self, count: int) -> int:
        """Put clicks on the log; gives how many there are now."""
        producer = Producer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "compression.type": "lz4",
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        for number in range(self._sent, self._sent + count):
            click = {
                "event_id": f"e{number}",
                "at": 1_750_000_000_000 + number,
                "region": "440000",
                "campaign_id": "c1",
                "user_id": f"u{number % 100}",
                "spend_micros": 1,
            }
            producer.produce(CLICKS, json.dumps(click), key=f"u{number % 100}")
            producer.poll(0)
        assert producer.flush(30) == 0
        self._sent += count
        return self._sent

    def applied(self) -> dict[int, int]:
        """What Redis has applied: partition of the clicks to next offset."""

        async def ask() -> dict[int, int]:
            store = await RedisStore.connect(
                RedisSettings(url=self.redis.url, prefix=self.name), ZoneInfo("Asia/Shanghai")
            )
            try:
                return {
                    tp.partition: at.next_offset for tp, at in (await store.progress()).items() if tp.topic == CLICKS
                }
            finally:
                await store.close()

        return asyncio.run(ask())

    def committed(self) -> dict[int, int]:
        """What Kafka holds for the group."""
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.name})
        try:
            positions = consumer.committed([Position(CLICKS, number) for number in range(4)], timeout=10)
            return {position.partition: position.offset for position in positions}
        finally:
            consumer.close()


@pytest.fixture(scope="module")
def services_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both services; every test leaves them running."""
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.redis.stop()
    world.broker.stop()


@pytest.fixture
def world(services_of_module: World, unique_name: Callable[[str], str]) -> World:
    """The services, with a consumer group and a prefix in Redis of this test's own: nothing is applied yet."""
    services_of_module.name = unique_name("w")
    return services_of_module


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Start]:
    """Starts workers."""
    workers: list[Worker] = []

    def start_one() -> Worker:
        env = {
            "SUBSIDYWATCH_KAFKA__BOOTSTRAP": world.broker.bootstrap,
            "SUBSIDYWATCH_KAFKA__SESSION_TIMEOUT_S": "6",
            "SUBSIDYWATCH_KAFKA__HEARTBEAT_S": "1",
            "SUBSIDYWATCH_KAFKA__GROUP": world.name,
            "SUBSIDYWATCH_REDIS__URL": world.redis.url,
            "SUBSIDYWATCH_REDIS__PREFIX": world.name,
            "SUBSIDYWATCH_REDIS__TIMEOUT_S": "1",
        }
        workers.append(Worker(f"worker-{len(workers)}", tmp_path, env))
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.daemon.kill()


def test_after_sigterm_under_load_kafka_and_redis_agree(world: World, start: Start) -> None:
    """Exit 0 in time in the middle of a backlog, and the commit is exactly what the store has."""
    world.produce(300_000)
    worker = start()
    wait_for(lambda: sum(world.applied().values()) > 0, 60, "the first slice")
    began = time.monotonic()
    worker.daemon.signal(signal.SIGTERM)
    code = worker.daemon.process.wait(10)
    applied = world.applied()

    assert code == 0
    assert time.monotonic() - began < 10
    assert applied == {number: offset for number, offset in world.committed().items() if offset >= 0}


def test_metrics_pass_promtool(world: World, start: Start, promtool: Path) -> None:
    """Names, units and help of everything the worker exposes are as Prometheus wants them."""
    sent = world.produce(1_000)
    worker = start()
    wait_for(lambda: sum(world.applied().values()) == sent, 60, "all records")
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/metrics", timeout=5) as answer:
        text = answer.read()
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    lag = {
        number: worker.metric("subsidywatch_worker_lag_records", topic=CLICKS, partition=str(number))
        for number in range(4)
    }

    assert (0, b"") == (done.returncode, done.stdout + done.stderr)
    assert dict.fromkeys(range(4), 0.0) == lag


def test_a_store_that_lost_everything_is_filled_again(world: World, start: Start) -> None:
    """An emptied Redis under a running worker is counted full again from the log, not from where the worker was."""
    sent = world.produce(5_000)
    worker = start()
    wait_for(lambda: sum(world.applied().values()) == sent, 60, "everything so far")
    world.redis.flush()
    sent = world.produce(5_000)
    wait_for(lambda: sum(world.applied().values()) == sent, 60, "everything once more")

    assert worker.daemon.running()
