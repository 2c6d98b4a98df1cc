"""Reads refused records back from the dead-letter topics, without a consumer group and without moving anything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from kafka import KafkaConsumer
from kafka import TopicPartition as Place
from kafka.errors import KafkaError

from models.errors import InputFileError, ServiceUnavailable, SettingsError
from streams.kafka_reach import DIALECT, require_listener
from streams.settings import KafkaSettings
from streams.topics import DEAD_SUFFIX, DEAD_TOPICS

CONNECT_MS: Final = 5_000
SILENCE_MS: Final = 5_000
"""A broker that gives nothing for this long although it says there is more counts as away."""


class DeadPlace(NamedTuple):
    """Where a refused record lies: dead-letter topic, partition, offset."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused record as it lies on its topic; `headers` are text, `value` the original bytes."""

    place: DeadPlace
    headers: dict[str, str]
    value: bytes | None

    def summary(self) -> dict[str, str | int]:
        """Give what a list shows."""
        origin = "/".join(self.headers.get(name, "?") for name in ("topic", "partition", "offset"))
        return {
            "place": "/".join(str(part) for part in self.place),
            "reason": self.headers.get("reason", "?"),
            "detail": self.headers.get("detail", ""),
            "original": origin,
            "bytes": len(self.value or b""),
        }


def parse_place(text: str) -> DeadPlace:
    """Read `topic/partition/offset`.

    Raises:
        SettingsError: it is something else, or the topic is none of the dead-letter topics.
    """
    topic, *rest = text.split("/")
    if topic not in DEAD_TOPICS or len(rest) != 2 or not all(part.isdecimal() for part in rest):
        raise SettingsError(
            f"{text!r} is not a place such as {DEAD_TOPICS[0]}/0/12; `subsidywatch dlq list` prints them"
        )
    return DeadPlace(topic, int(rest[0]), int(rest[1]))


def read_newest(kafka: KafkaSettings, topics: Sequence[str], limit: int) -> list[Letter]:
    """Give the newest refused records of these input topics, at most `limit` a partition, oldest first in each.

    Raises:
        ServiceUnavailable: Kafka is away.
    """
    with _open(kafka) as consumer:
        names = [topic + DEAD_SUFFIX for topic in topics]
        places = [Place(name, number) for name in names for number in sorted(consumer.partitions_for_topic(name) or ())]
        if not places:
            return []
        low, high = consumer.beginning_offsets(places), consumer.end_offsets(places)
        spans = {place: (max(low[place], high[place] - limit), high[place]) for place in places}
        return [letter for place in places for letter in _read(consumer, place, *spans[place])]


def read_one(kafka: KafkaSettings, wanted: DeadPlace) -> Letter:
    """Give one refused record.

    Raises:
        ServiceUnavailable: Kafka is away.
        InputFileError: there is no such record.
    """
    with _open(kafka) as consumer:
        place = Place(wanted.topic, wanted.partition)
        if wanted.partition in (consumer.partitions_for_topic(wanted.topic) or ()):
            low, high = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
            if low <= wanted.offset < high:
                for letter in _read(consumer, place, wanted.offset, wanted.offset + 1):
                    return letter
    raise InputFileError(f"there is no refused record at {'/'.join(str(part) for part in wanted)}")


@contextmanager
def _open(kafka: KafkaSettings) -> Iterator[KafkaConsumer]:
    consumer, servers = None, require_listener(kafka.bootstrap)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=servers,
            api_version=DIALECT,
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=CONNECT_MS,
        )
        yield consumer
    except (KafkaError, OSError) as error:
        raise ServiceUnavailable(f"Kafka cannot be reached at {kafka.bootstrap}: {type(error).__name__}") from None
    finally:
        if consumer is not None:
            consumer.close(autocommit=False)


def _read(consumer: KafkaConsumer, place: Place, start: int, end: int) -> Iterator[Letter]:
    if start >= end:
        return
    consumer.assign([place])
    consumer.seek(place, start)
    while consumer.position(place) < end:
        batch = consumer.poll(timeout_ms=SILENCE_MS).get(place)
        if not batch:
            raise ServiceUnavailable(f"Kafka gave nothing of {place.topic} for {SILENCE_MS // 1000} s; try again")
        for record in batch:
            if record.offset < end:
                headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
                yield Letter(DeadPlace(place.topic, place.partition, record.offset), headers, record.value)
