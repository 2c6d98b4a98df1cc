"""Real services with one worker on them, fed with events whose sums are known: the ground of the fault tests."""

# ruff: noqa: S101  the ground of tests asserts as tests do

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from confluent_kafka import KafkaError, Message, Producer

from garbage import Bad, Maker
from models.units import EpochMs
from models.windows import Scope, cover, span_of
from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS

ZONE = ZoneInfo("Asia/Shanghai")
LARGEST_BATCH = 1_048_588
"""What a broker takes by default, in bytes."""
NOT_COUNTED_HERE = ("eligible_orders", "subsidised_orders")


class Letter(NamedTuple):
    """A refused record as it lies on its dead-letter topic, without its details."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str


class Counted(NamedTuple):
    """What the store holds.

    Attributes:
        settled: records, of all topics.
        cells: (scope, member, counter) to a sum; sums of 0 are left out.
        tallies: name to count.
    """

    settled: int
    cells: dict[tuple[str, str, str], int]
    tallies: dict[str, int]


class Stack:
    """A broker, a Redis, and what was produced so far; workers and tools on them.

    Attributes:
        env: settings of everything that runs on this stack.
        maker: makes the good events, and knows their sums.
        letters: the bad records, as they must come to lie on the dead-letter topics.
        produced: records on the log.
    """

    def __init__(self, folder: Path, partitions: int = 4, **settings: str) -> None:
        """Start the services and create the topics.

        Args:
            folder: data and logs.
            partitions: of each topic that is keyed by user.
            settings: more settings, without the prefix; `REDIS__URL` names another Redis than the stack's own.
        """
        self._folder = folder
        self.broker = Broker(folder / "kafka")
        self.redis = RedisServer(folder / "redis")
        for topic in TOPICS:
            self.broker.create_topic(topic.name, topic.partitions(partitions), topic.configs())
        named = {"KAFKA__BOOTSTRAP": self.broker.bootstrap, "REDIS__URL": self.redis.url, **settings}
        store = {name.removeprefix("REDIS__").lower(): text for name, text in named.items() if name[:7] == "REDIS__"}
        self._store = RedisSettings.model_validate(store)
        self.env = {f"SUBSIDYWATCH_{name}": value for name, value in named.items()}
        self.maker = Maker(1, time.time_ns() // 1_000_000)
        self.letters: set[Letter] = set()
        self.produced = 0
        self._workers: list[Worker] = []

    def start_worker(self) -> Worker:
        """Start a worker; it ends with the stack."""
        self._workers.append(Worker(f"worker-{len(self._workers)}", self._folder, self.env))
        return self._workers[-1]

    def stop_worker(self, worker: Worker) -> int:
        """End a worker politely; gives its exit code."""
        self._workers.remove(worker)
        return worker.daemon.stop()

    def run(self, *words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a verb as a user does; more settings by their whole names."""
        argv = [sys.executable, "-P", "-m", "streams", *map(str, words)]
        env = {**os.environ, **self.env, "NO_COLOR": "1", **settings}
        return subprocess.run(argv, env=env, capture_output=True, text=True, encoding="utf-8", timeout=90, check=False)

    def produce(self, good: int, bad: Sequence[Bad] = ()) -> None:
        """Put good events on the log with bad ones spread among them, and wait until they are there."""
        producer = Producer(
            {
                "bootstrap.servers": self.broker.bootstrap,
                "compression.type": "lz4",
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
                "message.max.bytes": 2 * LARGEST_BATCH,
                "log_level": 0,
            }
        )
        every = good // max(1, len(bad))
        for number in range(good):
            topic, key, value = self.maker.good()
            producer.produce(topic, value, key=key)
            if number % every == 0 and number // every < len(bad):
                self._spoil(producer, bad[number // every])
            producer.poll(0)
        assert producer.flush(60) == 0
        self.produced += good + len(bad)

    def _spoil(self, producer: Producer, bad: Bad) -> None:
        """Put one bad record on the log, and note where it lies."""

        def lies(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            self.letters.add(Letter(bad.topic, partition, offset, bad.key, bad.value, bad.reason))

        producer.produce(bad.topic, bad.value, key=bad.key, on_delivery=lies)

    def drain(self) -> None:
        """Wait until everything that was produced is settled, with every worker alive."""
        wait_for(lambda: self._alive() and self.read().settled == self.produced, 90, "everything to be settled")

    def read(self) -> Counted:
        """Give what the store holds; sums are read once everything is settled."""
        return asyncio.run(self._read())

    def stop(self) -> None:
        """End everything."""
        for worker in self._workers:
            worker.daemon.kill()
        self.redis.stop()
        self.broker.stop()

    def _alive(self) -> bool:
        return all(worker.daemon.running() for worker in self._workers)

    async def _read(self) -> Counted:
        store = await RedisStore.connect(self._store, ZONE)
        try:
            progress = await store.progress()
            settled = sum(step.next_offset for step in progress.values())
            if settled < self.produced:
                return Counted(settled, {}, {})
            head = max((step.head for step in progress.values() if step.head is not None), default=EpochMs(0))
            cells: dict[tuple[str, str, str], int] = {}
            for scope in Scope:
                buckets = list(cover(span_of("all", head, ZONE), scope, head, ZONE))
                for member, totals in (await store.totals(scope, buckets)).items():
                    counters = totals.nonzero().items()
                    cells |= {(scope.value, member, name): n for name, n in counters if name not in NOT_COUNTED_HERE}
            return Counted(settled, cells, dict(await store.tallies()))
        finally:
            await store.close()
