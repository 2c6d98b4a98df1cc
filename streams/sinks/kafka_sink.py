"""Publishes decisions and dead letters to Kafka, acknowledged by all in-sync replicas before it returns."""

import asyncio
import datetime
import importlib.metadata
import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder

from models.errors import ServiceUnavailable
from streams.ports import DeadLetter, OutboxEntry
from streams.producing import BATCH_BYTES, partition_of
from streams.settings import KafkaSettings
from streams.topics import DEAD_SUFFIX

SOURCE: Final = "subsidywatch"
SPEC_VERSION: Final = "1.0"
KEPT_OF_TOO_LARGE: Final = 1_024
"""Bytes of a refused record that is too large for the broker together with its headers."""
MAX_IN_FLIGHT: Final = 2_000
"""Records handed to the producer before their acknowledgements are awaited."""


class _Record(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class _Batch:
    """Records of one partition that leave together."""

    def __init__(self, place: tuple[str, int], builder: BatchBuilder) -> None:
        self.place = place
        self.builder = builder
        self.records: list[_Record] = []

    def take(self, record: _Record) -> bool:
        """Add a record; False when the batch is full."""
        if self.builder.append(timestamp=None, key=record.key, value=record.value, headers=record.headers) is None:
            return False
        self.records.append(record)
        return True


class KafkaSink:
    """Implements `streams.ports.Sink` on an idempotent producer.

    Call `start` before the first record and `stop` after the last. A record
    may be on a topic twice after a failure; ids and positions in the headers
    tell readers so.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        """Remember where Kafka is; nothing connects yet."""
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._version = importlib.metadata.version("subsidywatch").encode()

    async def start(self) -> None:
        """Connect.

        Raises:
            ServiceUnavailable: Kafka does not answer.
        """
        async with self._starting:
            if self._producer is None:
                self._producer = await self._connected()

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.bootstrap,
            client_id="subsidywatch-sink",
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(self._settings.request_timeout_s * 1000),
        )
        try:
            await producer.start()
        except (TimeoutError, KafkaError, OSError) as error:
            await producer.stop()
            raise self._away(error) from error
        return producer

    async def stop(self) -> None:
        """Send what is buffered and disconnect; bounded by the request timeout."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), self._settings.request_timeout_s)
            except (TimeoutError, KafkaError):
                return

    async def publish(self, entries: Sequence[OutboxEntry]) -> None:
        """Publish decided records in order, with CloudEvents headers (binary mode).

        Raises:
            ServiceUnavailable: not all were acknowledged; publish again, ids make it harmless.
        """
        await self._send([_event(entry) for entry in entries])

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Put refused records on `<topic>.dead`: original key and bytes, the rest in headers.

        Raises:
            ServiceUnavailable: not all were acknowledged; bury again.
        """
        await self._send([self._dead(letter) for letter in letters])

    def _dead(self, letter: DeadLetter) -> _Record:
        headers = [
            ("reason", letter.reason.encode()),
            ("detail", letter.detail.encode("utf-8", "replace")),
            ("topic", letter.topic.encode()),
            ("partition", b"%d" % letter.partition),
            ("offset", b"%d" % letter.offset),
            ("timestamp", b"" if letter.timestamp is None else b"%d" % letter.timestamp),
            ("version", self._version),
        ]
        if letter.past is not None:
            headers += [("redriven", b"%d" % letter.past.round), ("redriven-first", letter.past.first.encode())]
        return _Record(letter.topic + DEAD_SUFFIX, letter.key, letter.value, headers)

    async def _send(self, records: Sequence[_Record]) -> None:
        for low in range(0, len(records), MAX_IN_FLIGHT):
            try:
                await asyncio.wait_for(self._send_some(records[low : low + MAX_IN_FLIGHT]), self._patience())
            except (TimeoutError, KafkaError, OSError) as error:
                # Some errors leave a producer stuck for good (out-of-order sequence): the next try has a new one.
                await self.stop()
                raise self._away(error) from error

    async def _send_some(self, records: Sequence[_Record]) -> None:
        failed = await self._attempt(records)
        if any(isinstance(error, MessageSizeTooLargeError) for _, error in failed):
            await self.stop()  # the broker saw a sequence number less than this producer counted
            failed = await self._attempt(
                [_cut(record) if isinstance(error, MessageSizeTooLargeError) else record for record, error in failed]
            )
        for _, error in failed:
            raise error

    async def _attempt(self, records: Sequence[_Record]) -> list[tuple[_Record, BaseException]]:
        """Send once, as batches that are laid out here; give what was not acknowledged, and why.

        The producer's own way costs ten times as much a record, and takes none without key and value.
        """
        await self.start()
        producer = self._producer
        if producer is None:
            raise ServiceUnavailable("the sink was stopped while records were on their way")
        batches: list[_Batch] = []
        latest: dict[tuple[str, int], _Batch] = {}
        widths = {topic: len(await producer.partitions_for(topic)) for topic in {record.topic for record in records}}
        for record in records:
            place = (record.topic, partition_of(record.key or b"", widths[record.topic]))
            batch = latest.get(place)
            if batch is None or not batch.take(record):
                batch = latest[place] = _Batch(place, producer.create_batch())
                batches.append(batch)
                batch.take(record)  # the first one is always taken
        sent = []
        for batch in batches:
            batch.builder.close()
            sent.append(await producer.send_batch(batch.builder, batch.place[0], partition=batch.place[1]))
        results = await asyncio.gather(*sent, return_exceptions=True)
        return [
            (record, result)
            for batch, result in zip(batches, results, strict=True)
            if isinstance(result, BaseException)
            for record in batch.records
        ]

    def _patience(self) -> float:
        return 2 * self._settings.request_timeout_s

    def _away(self, error: BaseException) -> ServiceUnavailable:
        reason = str(error) or type(error).__name__
        return ServiceUnavailable(f"Kafka at {self._settings.bootstrap} did not take records: {reason}")


def _cut(record: _Record) -> _Record:
    """Keep the head of a record that the broker does not take whole; its position says where the original is."""
    value = record.value or b""
    headers = [*record.headers, ("truncated", b"%d" % len(value))]
    return record._replace(key=None, value=value[:KEPT_OF_TOO_LARGE], headers=headers)


def _event(entry: OutboxEntry) -> _Record:
    """Lay out a decided record; type is the topic, subject the key, time its event time if it names one."""
    headers = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", entry.entry_id.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", entry.topic.encode()),
        ("ce_subject", entry.key.encode()),
        ("content-type", b"application/json"),
    ]
    at = _time_of(entry.body)
    if at is not None:
        headers.append(("ce_time", at))
    return _Record(entry.topic, entry.key.encode(), entry.body.encode(), headers)


def _time_of(body: str) -> bytes | None:
    """Give the record's own time as RFC 3339, or None; never the clock's, or a repeat would differ."""
    fields = json.loads(body)
    at = fields.get("decided_at") or fields.get("emitted_at") or fields.get("at") if isinstance(fields, dict) else None
    if not isinstance(at, int):
        return None
    moment = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
