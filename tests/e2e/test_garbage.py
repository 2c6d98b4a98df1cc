"""Ten thousand records that are no events, among good ones, on real Kafka: refused one by one, nothing else suffers."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer
from confluent_kafka import TopicPartition as Position

from garbage import HOT, Bad, Maker
from models.units import EpochMs
from models.windows import Scope, cover, span_of
from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ZONE = ZoneInfo("Asia/Shanghai")
GOOD = 100_000
BAD = 10_000
MOST_ROUNDS = 4
MOST_DELAY = 2.0
VOID = ("fenced", "gap", "dropped")
LARGEST_BATCH = 1_048_588
"""What a broker takes by default, in bytes."""


class Letter(NamedTuple):
    """A refused record as it lies on its dead-letter topic, without its details."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str


class Stack:
    """Real services with one worker on them, and everything that was produced so far."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder / "kafka")
        self.redis = RedisServer(folder / "redis")
        for topic in TOPICS:
            self.broker.create_topic(topic.name, topic.partitions(4), topic.configs())
        env = {"SUBSIDYWATCH_KAFKA__BOOTSTRAP": self.broker.bootstrap, "SUBSIDYWATCH_REDIS__URL": self.redis.url}
        self.worker = Worker("worker", folder, env)
        self.maker = Maker(1, time.time_ns() // 1_000_000)
        self.letters: set[Letter] = set()
        self.produced = 0
        self._producer = Producer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "compression.type": "lz4",
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
                "message.max.bytes": 2 * LARGEST_BATCH,
            }
        )

    def produce(self, good: int, bad: list[Bad]) -> None:
        """Put good events on the log with bad ones spread among them, and wait until they are there."""
        every = good // max(1, len(bad))
        for number in range(good):
            topic, key, value = self.maker.good()
            self._producer.produce(topic, value, key=key)
            if number % every == 0 and number // every < len(bad):
                self.spoil(bad[number // every])
            self._producer.poll(0)
        self.flush()
        self.produced += good

    def spoil(self, bad: Bad) -> None:
        """Put one bad record on the log, and note where it will lie."""

        def lies(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            self.letters.add(Letter(bad.topic, partition, offset, bad.key, bad.value, bad.reason))

        self._producer.produce(bad.topic, bad.value, key=bad.key, on_delivery=lies)
        self.produced += 1

    def flush(self) -> None:
        """Wait until everything is on the log."""
        assert self._producer.flush(60) == 0

    def drain(self) -> None:
        """Wait until the worker has settled everything that was produced."""
        wait_for(
            lambda: self.worker.daemon.running() and self.read()[0] == self.produced, 90, "everything to be settled"
        )

    def read(self) -> tuple[int, dict[tuple[str, str, str], int], dict[str, int]]:
        """Give records settled, all sums that are not zero, and the tallies."""

        async def ask() -> tuple[int, dict[tuple[str, str, str], int], dict[str, int]]:
            store = await RedisStore.connect(RedisSettings(url=self.redis.url), ZONE)
            try:
                progress = await store.progress()
                settled = sum(step.next_offset for step in progress.values())
                if settled < self.produced:
                    return settled, {}, {}
                head = max((step.head for step in progress.values() if step.head is not None), default=EpochMs(0))
                cells = {
                    (scope.value, member, counter): amount
                    for scope in Scope
                    for member, totals in (
                        await store.totals(scope, list(cover(span_of("all", head, ZONE), scope, head, ZONE)))
                    ).items()
                    for counter, amount in totals.nonzero().items()
                    if counter not in ("eligible_orders", "subsidised_orders")
                }
                return settled, cells, dict(await store.tallies())
            finally:
                await store.close()

        return asyncio.run(ask())

    def refused(self) -> Counter[Letter]:
        """Give what lies on the dead-letter topics, with how often."""
        consumer = Consumer(
            {"bootstrap.servers": self.broker.bootstrap, "group.id": "reader", "fetch.max.bytes": 2**26}
        )
        found: Counter[Letter] = Counter()
        try:
            for topic in HOT:
                place = Position(f"{topic}.dead", 0, 0)
                end = consumer.get_watermark_offsets(place, timeout=10)[1]
                consumer.assign([place])
                while consumer.position([place])[0].offset < end:
                    for message in consumer.consume(10_000, timeout=10):
                        found[_letter(message)] += 1
        finally:
            consumer.close()
        return found


def _letter(message: Message) -> Letter:
    assert message.error() is None, message.error()
    raw: dict[str, bytes] = dict(message.headers() or [])  # type: ignore[arg-type]  # typed as if names alone came too
    headers = {name: value.decode() for name, value in raw.items()}
    assert {"detail", "timestamp", "version"} <= headers.keys()
    assert "truncated" not in headers
    topic = headers["topic"]
    assert f"{topic}.dead" == message.topic()
    place = int(headers["partition"]), int(headers["offset"])
    return Letter(topic, *place, message.key(), message.value(), headers["reason"])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services and a worker of this module's own."""
    made = Stack(tmp_path_factory.mktemp("garbage"))
    yield made
    made.worker.daemon.stop()
    made.redis.stop()
    made.broker.stop()


def _timed(stack: Stack, bad: int) -> tuple[float, float]:
    """Let the worker meet a backlog of good events, with bad ones among them; give its wall and CPU seconds.

    It is stopped for less than a session while the backlog is made, so that both rounds are the same work.
    """
    garbage = list(stack.maker.garbage(bad))
    process = psutil.Process(stack.worker.daemon.pid)
    stack.worker.daemon.signal(signal.SIGSTOP)
    stack.produce(GOOD, garbage)
    used, began = process.cpu_times(), time.monotonic()
    stack.worker.daemon.signal(signal.SIGCONT)
    stack.drain()
    wall, now = time.monotonic() - began, process.cpu_times()
    return wall, now.user + now.system - used.user - used.system


def _slowdown(stack: Stack) -> float:
    """Give the delay of good events with garbage among them over the delay without; best of some rounds."""
    plain, spoilt = [], []
    for _ in range(MOST_ROUNDS):
        plain.append(_timed(stack, 0))
        spoilt.append(_timed(stack, BAD))
        wall, cpu = (min(both[which] for both in spoilt) / min(both[which] for both in plain) for which in (0, 1))
        print(  # noqa: T201 - the figures of this run
            f"\n{GOOD} good events: {plain[-1][0]:.2f} s, CPU {plain[-1][1]:.2f} s; with {BAD} bad among them: "
            f"{spoilt[-1][0]:.2f} s, CPU {spoilt[-1][1]:.2f} s; best so far: {wall:.2f} times, CPU {cpu:.2f} times"
        )
        if wall < MOST_DELAY:
            break
    return wall


def test_garbage_is_refused_and_good_events_hardly_wait(stack: Stack) -> None:
    """Every bad record is on its dead-letter topic once, with reason, place, key and bytes; good ones are exact."""
    stack.worker.wait_ready()
    stack.produce(5_000, [])  # the newest time is known before something too old comes
    stack.drain()
    slowdown = _slowdown(stack)
    settled, cells, tallies = stack.read()
    void = {what: stack.worker.metric("subsidywatch_worker_slices_total", outcome=what) for what in VOID}

    assert slowdown < MOST_DELAY
    assert (stack.produced, dict(stack.maker.cells)) == (settled, cells)
    assert Counter(stack.letters) == stack.refused()
    assert Counter(letter.reason for letter in stack.letters) == _by_reason(tallies)
    assert stack.worker.daemon.running()
    assert dict.fromkeys(VOID, 0.0) == void
    assert "Traceback" not in stack.worker.daemon.log.read_text()


def _by_reason(tallies: dict[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, count in tallies.items():
        if name.startswith("rejected:"):
            found[name.rpartition(":")[2]] += count
    return found
