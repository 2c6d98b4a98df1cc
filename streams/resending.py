"""The broker's side of `redriving`: sends records to where they were, and finds them there. On kafka-python."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as Place
from kafka.errors import KafkaError

from models.errors import ServiceUnavailable
from streams.dead_reading import Letter, open_reader, read_span
from streams.kafka_reach import DIALECT, require_listener
from streams.ports import TopicPartition
from streams.producing import partition_of
from streams.redriving import Resent
from streams.settings import KafkaSettings

CONNECT_MS: Final = 5_000
LARGEST_BYTES: Final = 2_097_152
"""As the dead-letter topics take them; the broker of the original topic has the last word."""


class Resender:
    """Implements `redriving.Sender`; made by `open_resender`.

    Attributes:
        consumer: reads the dead-letter topics as well.
    """

    def __init__(self, consumer: KafkaConsumer, producer: KafkaProducer, timeout_s: float) -> None:
        """Take clients that are connected."""
        self.consumer = consumer
        self._producer = producer
        self._timeout_s = timeout_s
        self._widths: dict[str, int] = {}
        self._ends: dict[TopicPartition, int] = {}

    def target(self, letter: Letter) -> TopicPartition:
        """As `Sender.target`.

        Raises:
            ServiceUnavailable: the topic does not exist.
        """
        origin = letter.origin
        assert origin is not None  # noqa: S101  such letters are never chosen
        width = self._width(origin.topic)
        own = origin.partition < width
        return TopicPartition(origin.topic, origin.partition if own else partition_of(letter.key or b"", width))

    def _width(self, topic: str) -> int:
        if topic not in self._widths:
            found = self.consumer.partitions_for_topic(topic)
            if not found:
                raise ServiceUnavailable(f"Kafka has no topic {topic}: run `subsidywatch topics create`")
            self._widths[topic] = len(found)
        return self._widths[topic]

    def end(self, tp: TopicPartition) -> int:
        """As `Sender.end`: where the partition ended when this run first looked."""
        if tp not in self._ends:
            place = Place(*tp)
            self._ends[tp] = self.consumer.end_offsets([place])[place]
        return self._ends[tp]

    def send(self, records: Sequence[Resent]) -> list[int]:
        """As `Sender.send`."""
        sent = [
            self._producer.send(
                record.tp.topic,
                value=record.value,
                key=record.key,
                headers=record.headers,
                partition=record.tp.partition,
            )
            for record in records
        ]
        return [future.get(self._timeout_s).offset for future in sent]

    def find(self, tp: TopicPartition, since: int, keys: Sequence[str]) -> dict[str, int]:
        """As `Sender.find`."""
        place, wanted = Place(*tp), set(keys)
        low, high = self.consumer.beginning_offsets([place])[place], self.consumer.end_offsets([place])[place]
        found = {}
        for record in read_span(self.consumer, place, max(low, since), high):
            key = record.headers.get("redriven-from")
            if key in wanted:
                found[key] = record.place.offset
        return found


@contextmanager
def open_resender(kafka: KafkaSettings) -> Iterator[Resender]:
    """Connect for as long as the block runs.

    Raises:
        ServiceUnavailable: Kafka is away, or did not take a record.
    """
    producer = None
    with open_reader(kafka) as consumer:
        try:
            producer = KafkaProducer(
                bootstrap_servers=require_listener(kafka.bootstrap),
                api_version=DIALECT,
                bootstrap_timeout_ms=CONNECT_MS,
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=5,
                max_request_size=LARGEST_BYTES,
            )
            yield Resender(consumer, producer, kafka.request_timeout_s)
        except KafkaError as error:
            raise ServiceUnavailable(
                f"Kafka at {kafka.bootstrap} did not take all records: {error}; run again, nothing is sent twice"
            ) from None
        finally:
            if producer is not None:
                producer.close(timeout=CONNECT_MS / 1000)
