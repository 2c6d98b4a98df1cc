"""Real services fed with any records, and held to the batch oracle cell by cell: the ground of the exactness tests."""

# ruff: noqa: S101  the ground of tests asserts as tests do

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from disturbed import PARTITIONS, Sent
from held import ZONE, Held, hold
from oracle import Cells
from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import INPUTS, TOPICS


class Sending:
    """Sends records in their order at a steady pace from a thread.

    Attributes:
        sent: records handed over so far.
    """

    def __init__(self, bootstrap: str, records: Sequence[Sent], per_second: float) -> None:
        """Begin at once."""
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "compression.type": "lz4",
                "enable.idempotence": True,
                "linger.ms": 20,
                "queue.buffering.max.messages": 2_000_000,
                "log_level": 0,
            }
        )
        self._records, self._per_second = records, per_second
        self._hurry, self._thread = threading.Event(), threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self._thread.start()

    def finish(self) -> None:
        """Send the rest without pause, and wait until the broker has everything."""
        self._hurry.set()
        self._thread.join(60)
        assert self._producer.flush(60) == 0
        assert self.sent == len(self._records)

    def _run(self) -> None:
        began = time.monotonic()
        while self.sent < len(self._records):
            pause = self._hurry.wait(0.02)
            goal = len(self._records) if pause else int((time.monotonic() - began) * self._per_second)
            for record in self._records[self.sent : goal]:
                self._producer.produce(record.topic, record.value, record.key, record.partition)
                self.sent += 1
                self._producer.poll(0)


class Ground:
    """A broker and a Redis of their own, empty, and workers on them.

    Attributes:
        env: settings of the workers.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        """Start the services and create the topics; more settings without the prefix."""
        self._folder = folder
        self.broker, self.redis = Broker(folder / "kafka"), RedisServer(folder / "redis")
        for topic in TOPICS:
            self.broker.create_topic(topic.name, topic.partitions(PARTITIONS), topic.configs())
        named = {"KAFKA__BOOTSTRAP": self.broker.bootstrap, "REDIS__URL": self.redis.url, **settings}
        self.env = {f"SUBSIDYWATCH_{name}": value for name, value in named.items()}
        self.workers: list[Worker] = []

    def start_worker(self) -> Worker:
        """Start a worker; it ends with the ground."""
        self.workers.append(Worker(f"worker-{len(self.workers)}", self._folder, self.env))
        return self.workers[-1]

    def stop(self) -> None:
        """End everything."""
        for worker in self.workers:
            worker.daemon.stop()
        self.redis.stop()
        self.broker.stop()

    def applied(self) -> int:
        """Count records that the store has taken, of all topics."""
        return asyncio.run(self._applied())

    def wait_applied(self, goal: int, timeout: float = 120) -> None:
        """Wait until the store has taken so many records."""
        wait_for(lambda: self.applied() >= goal, timeout, f"{goal} records to be applied")

    def logs(self) -> dict[tuple[str, int], list[bytes]]:
        """Read back what lies on every input partition, in the order of offsets."""
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "oracle", "log_level": 0})
        try:
            return {
                (spec.name, number): list(_values(consumer, spec.name, number))
                for spec in INPUTS
                for number in range(spec.partitions(PARTITIONS))
            }
        finally:
            consumer.close()

    def hold(self, expected: Cells) -> Held:
        """Compare every cell that is still kept with what the oracle counted."""
        return asyncio.run(self._hold(expected))

    async def _applied(self) -> int:
        store = await RedisStore.connect(RedisSettings(url=self.redis.url), ZONE)
        try:
            return sum(step.next_offset for step in (await store.progress()).values())
        finally:
            await store.close()

    async def _hold(self, expected: Cells) -> Held:
        store = await RedisStore.connect(RedisSettings(url=self.redis.url), ZONE)
        try:
            return await hold(store, expected)
        finally:
            await store.close()


def _values(consumer: Consumer, topic: str, number: int) -> Iterator[bytes]:
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
    assert low == 0
    consumer.assign([TopicPartition(topic, number, 0)])
    left = high
    while left:
        for message in consumer.consume(min(left, 10_000), timeout=10):
            assert message.error() is None, message.error()
            yield message.value() or b""
            left -= 1
