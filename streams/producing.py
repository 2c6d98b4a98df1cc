"""Records to Kafka in large batches: for `simulate`, `replay` and tests.

Partition is the murmur2 hash of the key, as every Kafka client's default is, so
a user's records of all three topics meet on partitions of the same number.
Record times are the producer's clock; event time is in the payload.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from models.errors import ServiceUnavailable, SettingsError
from streams.settings import KafkaSettings

BATCH_BYTES: Final = 262_144
"""Bytes of one record batch before compression."""


def partition_of(key: bytes, partitions: int) -> int:
    """Give the partition of a key among `partitions`."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class Producing:
    """Collects records per partition and sends them batch by batch; made by `open_producing`."""

    def __init__(self, producer: AIOKafkaProducer, bootstrap: str) -> None:
        """Take a producer that is started."""
        self._producer = producer
        self._bootstrap = bootstrap
        self._open: dict[tuple[str, int], BatchBuilder] = {}
        self._sent: list[object] = []
        self._partitions: dict[str, int] = {}
        self.records = 0

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Add a record; it leaves with the others when any batch is full, or on `flush`.

        Raises:
            SettingsError: the topic does not exist.
            ServiceUnavailable: the broker did not take an earlier batch.
        """
        count = self._partitions.get(topic) or await self._count_partitions(topic)
        place = (topic, partition_of(key, count))
        if not self._append(place, key, value):
            await self._dispatch_open()
            if not self._append(place, key, value):
                raise SettingsError(f"a record of {len(value)} bytes is too long for a batch of {BATCH_BYTES}")
        self.records += 1

    async def flush(self) -> None:
        """Return once the broker has acknowledged everything.

        Raises:
            ServiceUnavailable: it did not.
        """
        await self._dispatch_open()
        try:
            for future in self._sent:
                await future  # type: ignore[misc]  # aiokafka does not say what its futures are
        except KafkaError as error:
            raise self._away(error) from None
        finally:
            self._sent.clear()

    def _append(self, place: tuple[str, int], key: bytes, value: bytes) -> bool:
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        return batch.append(key=key, value=value, timestamp=None) is not None

    async def _dispatch_open(self) -> None:
        # All at once: an announcement must not wait until its own quiet topic has filled a batch, hours later.
        for place, batch in list(self._open.items()):
            if batch.record_count():
                await self._dispatch(place, batch)
        self._open.clear()

    async def _dispatch(self, place: tuple[str, int], batch: BatchBuilder) -> None:
        batch.close()
        try:
            self._sent.append(await self._producer.send_batch(batch, place[0], partition=place[1]))
        except KafkaError as error:
            raise self._away(error) from None
        del self._open[place]
        if len(self._sent) > 1_000:
            self._sent = [future for future in self._sent if not _is_good(future)]

    async def _count_partitions(self, topic: str) -> int:
        try:
            found = await self._producer.partitions_for(topic)
        except KafkaError as error:
            raise SettingsError(
                f"the topic {topic} cannot be written ({type(error).__name__}); `subsidywatch topics create` creates it"
            ) from None
        self._partitions[topic] = len(found)
        return len(found)

    def _away(self, error: KafkaError) -> ServiceUnavailable:
        return ServiceUnavailable(f"Kafka at {self._bootstrap} did not take all records: {error}")


def _is_good(future: object) -> bool:
    """Tell whether a batch is acknowledged; one that failed is kept for `flush` to raise."""
    done, cancelled, failure = (getattr(future, name) for name in ("done", "cancelled", "exception"))
    return bool(done() and not cancelled() and failure() is None)


@asynccontextmanager
async def open_producing(kafka: KafkaSettings) -> AsyncIterator[Producing]:
    """Connect for as long as the block runs; leaving it without an error flushes.

    Raises:
        ServiceUnavailable: no broker answers.
    """
    # A tool says in its own sentence what went wrong; the client's lines would stand beside it.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=BATCH_BYTES,
        linger_ms=5,
        request_timeout_ms=int(kafka.request_timeout_s * 1000),
    )
    try:
        try:
            await producer.start()
        except KafkaError as error:
            raise ServiceUnavailable(
                f"Kafka at {kafka.bootstrap} cannot be reached ({type(error).__name__}); is it running, "
                "and is SUBSIDYWATCH_KAFKA__BOOTSTRAP right?"
            ) from None
        out = Producing(producer, kafka.bootstrap)
        yield out
        await out.flush()
    finally:
        await producer.stop()
