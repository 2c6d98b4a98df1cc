"""Services and topics of one benchmark: real Kafka and Redis, topics filled once, the truth kept."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import feed
import redis
import ysb
from confluent_kafka import Producer

from models.units import EpochMs
from models.windows import Bucket, Level, Scope
from services import Broker, RedisServer
from streams.settings import RedisSettings, load
from streams.store.redis_store import RedisStore

PARTITIONS: Final = 4
STARTS: Final = 3
_PRODUCER: Final = {
    "compression.type": "lz4",
    "linger.ms": 50,
    "batch.num.messages": 5_000,
    "batch.size": 900_000,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 1_000_000,
}


def producer(bootstrap: str) -> Producer:
    """Give a producer of large lz4 batches."""
    return Producer({"bootstrap.servers": bootstrap, **_PRODUCER})


def settle(sender: Producer, failed: list[object]) -> None:
    """Wait until the broker has everything.

    Raises:
        RuntimeError: it does not.
    """
    left = sender.flush(120)
    if left or failed:
        raise RuntimeError(f"{left} events not sent, {len(failed)} failed: {failed[:1]}")


class Stand:
    """Kafka, Redis and what has been put into them."""

    def __init__(self, broker: Broker, server: RedisServer) -> None:
        self.broker = broker
        self.server = server
        self.truths: dict[str, feed.Truth] = {}
        self._answers: dict[str, ysb.Answer] = {}
        self._views: dict[str, int] = {}

    def topic(self, job: str, count: int, *, keyed: bool) -> str:
        """Give the topic with this many events of the job, filling it the first time; keyed by ad id or not at all."""
        name = f"ysb.{job.lower()}.{count}{'.keyed' if keyed else ''}"
        if name not in self._answers:
            self.broker.create_topic(name, PARTITIONS)
            self._answers[name] = self._fill(name, job, count, keyed)
        return name

    def views(self, topic: str) -> int:
        """Give how many of a topic's events are views."""
        return self._views[topic]

    def _fill(self, name: str, job: str, count: int, keyed: bool) -> ysb.Answer:
        sender, failed = producer(self.broker.bootstrap), list[object]()
        views: Counter[tuple[str, int]] = Counter()
        number_of = {ad: number % PARTITIONS for number, ad in enumerate(ysb.ads())}
        for number, (ad, value) in enumerate(ysb.events(job, count, views)):
            sender.produce(
                name,
                value,
                key=ad if keyed else None,
                partition=number_of[ad] if keyed else number % PARTITIONS,
                on_delivery=lambda error, _: failed.append(error) if error else None,
            )
            if not number % 1_000:
                sender.poll(0)
        settle(sender, failed)
        self._views[name] = views.total()
        return ysb.answer_of(job, views)

    def reset(self) -> None:
        """Empty Redis and put the campaigns of the ads there."""
        self.server.flush()
        with redis.Redis.from_url(self.server.url) as client:
            pairs = ysb.ads()
            client.mset(pairs)
            client.sadd("ads", *pairs)
            client.set("first", ysb.START - ysb.JITTER_MS - ysb.LATE_MS)

    def complaint(self, job: str, topic: str, *, ours: bool) -> str:
        """Hold what Redis has against the truth of the topic; nothing when every cell is right."""
        if ours and job == "J1":
            return ysb.complaint(self._answers[topic], asyncio.run(self._buckets()))
        return ysb.complaint(self._answers[topic], self._results())

    def _results(self) -> ysb.Answer:
        with redis.Redis.from_url(self.server.url, decode_responses=True) as client:
            campaigns = sorted(set(ysb.ads().values()))
            rows = [client.hgetall(f"result:{campaign}") for campaign in campaigns]
        return {
            campaign: {int(start): int(views) for start, views in row.items()}
            for campaign, row in zip(campaigns, rows, strict=True)
        }

    async def _buckets(self) -> ysb.Answer:
        """Read our ten-second sums through the store, one bucket at a time."""
        store = await RedisStore.connect(RedisSettings(url=self.server.url), load().zone)
        actual: ysb.Answer = {}
        try:
            low = ysb.START - ysb.MINUTE_MS * 2
            low -= low % ysb.WINDOW_MS
            for start in range(low, ysb.START + ysb.SPAN_MS["J1"] + ysb.MINUTE_MS, ysb.WINDOW_MS):
                bucket = Bucket(Level.MINUTE, EpochMs(start))
                for campaign, totals in (await store.totals(Scope.CAMPAIGN, [bucket])).items():
                    actual.setdefault(campaign, {})[start] = totals.impressions
        finally:
            await store.close()
        return actual


def _broker(folder: Path) -> Broker:
    """Start Kafka; somebody else may have taken its free port meanwhile."""
    for number in range(STARTS - 1):
        try:
            return Broker(folder / f"kafka{number}")
        except RuntimeError as error:
            print(f"Kafka did not start, tried again: {str(error)[-80:]}")
    return Broker(folder / "kafka")


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """Start Kafka and Redis for as long as the block runs."""
    broker = Broker(folder / "kafka", lasting=True)
    try:
        server = RedisServer(folder / "redis")
        try:
            yield Stand(broker, server)
        finally:
            server.stop()
    finally:
        broker.stop()
