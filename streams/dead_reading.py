"""Reads refused records back from the dead-letter topics, without a consumer group and without moving anything."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

from kafka import KafkaConsumer
from kafka import TopicPartition as Place
from kafka.errors import KafkaError

from models.errors import InputFileError, ServiceUnavailable, SettingsError
from models.units import EpochMs
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

    def __str__(self) -> str:
        """Give it as `parse_place` reads it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused record as it lies on its topic.

    Attributes:
        headers: as text.
        value: the original bytes; None for a tombstone.
        key: the original key; None where there was none.
        timestamp: when it was refused, in ms.
    """

    place: DeadPlace
    headers: dict[str, str]
    value: bytes | None
    key: bytes | None = None
    timestamp: int = 0

    @property
    def origin(self) -> DeadPlace | None:
        """Where the record lay when it was refused; None when its headers do not name an input topic."""
        topic, partition, offset = (self.headers.get(name, "") for name in ("topic", "partition", "offset"))
        if topic + DEAD_SUFFIX not in DEAD_TOPICS or not (partition.isdecimal() and offset.isdecimal()):
            return None
        return DeadPlace(topic, int(partition), int(offset))

    @property
    def rounds(self) -> int:
        """How often the record had been put back before it was refused this time."""
        text = self.headers.get("redriven", "")
        return int(text) if text.isdecimal() else 0

    def summary(self) -> dict[str, str | int]:
        """Give what a list shows."""
        origin = "/".join(self.headers.get(name, "?") for name in ("topic", "partition", "offset"))
        return {
            "place": str(self.place),
            "reason": self.headers.get("reason", "?"),
            "detail": self.headers.get("detail", ""),
            "original": origin,
            "bytes": len(self.value or b""),
            "rounds": self.rounds,
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
    with open_reader(kafka) as consumer:
        names = [topic + DEAD_SUFFIX for topic in topics]
        return [
            letter
            for place, (low, high) in _spans(consumer, names).items()
            for letter in read_span(consumer, place, max(low, high - limit), high)
        ]


def read_from(
    consumer: KafkaConsumer, topics: Sequence[str], start: int = 0, stop: int | None = None
) -> Iterator[Letter]:
    """Give the refused records of these input topics one by one, oldest first in each.

    Args:
        consumer: made by `open_reader`.
        topics: input topics.
        start: first offset on the dead-letter topic, inclusive.
        stop: last offset, exclusive; None for all that is there now.
    """
    for place, (low, high) in _spans(consumer, [topic + DEAD_SUFFIX for topic in topics]).items():
        yield from read_span(consumer, place, max(low, start), high if stop is None else min(high, stop))


def _spans(consumer: KafkaConsumer, names: Sequence[str]) -> dict[Place, tuple[int, int]]:
    places = [Place(name, number) for name in names for number in sorted(consumer.partitions_for_topic(name) or ())]
    if not places:
        return {}
    low, high = consumer.beginning_offsets(places), consumer.end_offsets(places)
    return {place: (low[place], high[place]) for place in places}


def read_one(kafka: KafkaSettings, wanted: DeadPlace) -> Letter:
    """Give one refused record.

    Raises:
        ServiceUnavailable: Kafka is away.
        InputFileError: there is no such record.
    """
    with open_reader(kafka) as consumer:
        for letter in read_span(consumer, *span_of(consumer, wanted)):
            return letter
    raise InputFileError(f"there is no refused record at {wanted}")


def span_of(consumer: KafkaConsumer, wanted: DeadPlace) -> tuple[Place, int, int]:
    """Give the span of one record for `read_span`.

    Raises:
        InputFileError: there is no such record.
    """
    place = Place(wanted.topic, wanted.partition)
    if wanted.partition in (consumer.partitions_for_topic(wanted.topic) or ()):
        low, high = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
        if low <= wanted.offset < high:
            return place, wanted.offset, wanted.offset + 1
    raise InputFileError(f"there is no refused record at {wanted}")


@contextmanager
def open_reader(kafka: KafkaSettings) -> Iterator[KafkaConsumer]:
    """Connect for as long as the block runs.

    Raises:
        ServiceUnavailable: Kafka is away, at the start or within the block.
    """
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


def read_span(consumer: KafkaConsumer, place: Place, start: int, end: int) -> Iterator[Letter]:
    """Give the records of a partition in `[start, end)`.

    Raises:
        ServiceUnavailable: the broker says there is more and gives nothing.
    """
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
                headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
                at = DeadPlace(place.topic, place.partition, record.offset)
                yield Letter(at, headers, record.value, record.key, record.timestamp)


def newest_time(consumer: KafkaConsumer, topics: Sequence[str]) -> EpochMs | None:
    """Give the newest time among the last records of all partitions of these topics, in ms; None without records."""
    ends = {place: high for place, (low, high) in _spans(consumer, topics).items() if low < high}
    return max(
        (
            EpochMs(letter.timestamp)
            for place, high in ends.items()
            for letter in read_span(consumer, place, high - 1, high)
        ),
        default=None,
    )
