"""Shifts in, answers out: the port of the adjuster's client and its Kafka end, on kafka-python."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, Self

import structlog
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from models.decisions import RESULTS_TOPIC, SHIFTS_TOPIC
from models.errors import ServiceUnavailable
from streams.kafka_reach import DIALECT, require_listener

log = structlog.get_logger()

START_TIMEOUT_MS: Final = 10_000
CLOSE_TIMEOUT_MS: Final = 3_000


class Delivery(NamedTuple):
    """One record of the shifts topic."""

    partition: int
    offset: int
    value: bytes | None


class ShiftFeed(Protocol):
    """Where shifts come from and answers go."""

    def poll(self, timeout_s: float) -> Sequence[Delivery]:
        """Give the next records in order; empty after `timeout_s` without any, or while the broker is away."""

    def answer(self, key: str, body: str, timeout_s: float) -> None:
        """Publish an answer and return once it is acknowledged.

        Raises:
            ServiceUnavailable: it was not within `timeout_s`.
        """

    def commit(self, delivery: Delivery) -> None:
        """Note that a record is done. A note that is lost brings the record again, which is harmless."""

    def close(self) -> None:
        """Leave the group within a few seconds."""


class KafkaFeed:
    """The real topics, in a consumer group of its own."""

    def __init__(self, bootstrap: str, consumer: KafkaConsumer, producer: KafkaProducer) -> None:
        """Use `connect` instead."""
        self._bootstrap = bootstrap
        self._consumer = consumer
        self._producer = producer

    @classmethod
    def connect(cls, bootstrap: str, group: str, session_timeout_s: float = 10.0) -> Self:
        """Connect to Kafka and subscribe to the shifts topic.

        Args:
            bootstrap: comma-separated host:port of the brokers.
            group: consumer group of this adjuster alone.
            session_timeout_s: a killed adjuster's place in the group is free again after this; at least 6.

        Raises:
            ServiceUnavailable: no broker answers, or it has no shifts topic.
        """
        common = {
            "bootstrap_servers": require_listener(bootstrap),
            "api_version": DIALECT,
            "allow_auto_create_topics": False,
            "request_timeout_ms": START_TIMEOUT_MS,
            "bootstrap_timeout_ms": START_TIMEOUT_MS,
            "reconnect_backoff_max_ms": 2_000,
        }
        try:
            consumer = KafkaConsumer(
                **common,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=int(session_timeout_s * 1000),
                heartbeat_interval_ms=2_000,
            )
            # Idempotence would buy nothing: a second copy of an answer is harmless.
            producer = KafkaProducer(**common, acks="all", enable_idempotence=False, max_block_ms=START_TIMEOUT_MS)
            known = consumer.topics()
        except (KafkaError, OSError, ValueError) as error:
            raise ServiceUnavailable(f"Kafka cannot be reached at {bootstrap}: {type(error).__name__}") from None
        missing = [topic for topic in (SHIFTS_TOPIC, RESULTS_TOPIC) if topic not in known]
        if missing:
            raise ServiceUnavailable(
                f"Kafka at {bootstrap} has no topic {missing[0]}: run `subsidywatch topics create`"
            )
        consumer.subscribe([SHIFTS_TOPIC])
        return cls(bootstrap, consumer, producer)

    def poll(self, timeout_s: float) -> Sequence[Delivery]:
        """See `ShiftFeed`."""
        batches = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        return [
            Delivery(record.partition, record.offset, record.value) for batch in batches.values() for record in batch
        ]

    def answer(self, key: str, body: str, timeout_s: float) -> None:
        """See `ShiftFeed`."""
        try:
            self._producer.send(RESULTS_TOPIC, key=key.encode(), value=body.encode()).get(timeout=timeout_s)
        except KafkaError as error:
            raise ServiceUnavailable(
                f"Kafka at {self._bootstrap} did not acknowledge an answer within {timeout_s:.0f} s:"
                f" {type(error).__name__}"
            ) from None

    def commit(self, delivery: Delivery) -> None:
        """See `ShiftFeed`."""
        place = TopicPartition(SHIFTS_TOPIC, delivery.partition)
        try:
            self._consumer.commit({place: OffsetAndMetadata(delivery.offset + 1, "", -1)}, timeout_ms=START_TIMEOUT_MS)
        except KafkaError as error:
            log.warning("adjuster_commit_failed", offset=delivery.offset, error=type(error).__name__)

    def close(self) -> None:
        """See `ShiftFeed`."""
        self._consumer.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)
        self._producer.close(timeout=CLOSE_TIMEOUT_MS / 1000)
