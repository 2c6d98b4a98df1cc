"""How far the worker is behind the log, and whether the embedded broker has dropped records it still needed."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Place

from streams.demo.plan import PARTITIONS
from streams.ports import Progress, TopicPartition
from streams.topics import INPUTS

ANSWER_S: Final = 5.0


class Edges(NamedTuple):
    """A partition's log: first offset that is still there, and the offset after the last."""

    low: int
    high: int


class BrokerWatch:
    """Asks the broker for the edges of every input partition. Blocking: call it in a thread."""

    def __init__(self, bootstrap: str) -> None:
        """Connect on first use."""
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "demo-watch", "log_level": 0})

    def edges(self) -> dict[TopicPartition, Edges]:
        """Give the edges of all partitions that the worker reads."""
        out = {}
        for spec in INPUTS:
            for partition in range(spec.partitions(PARTITIONS)):
                low, high = self._consumer.get_watermark_offsets(Place(spec.name, partition), timeout=ANSWER_S)
                out[TopicPartition(spec.name, partition)] = Edges(low, high)
        return out

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


def behind(edges: Mapping[TopicPartition, Edges], progress: Mapping[TopicPartition, Progress]) -> int:
    """Count records in the log that are not applied yet."""
    return sum(max(0, edge.high - _next(progress, place)) for place, edge in edges.items())


def dropped(edges: Mapping[TopicPartition, Edges], progress: Mapping[TopicPartition, Progress]) -> int:
    """Count records that the broker dropped before they were applied: they are lost, and totals cannot be exact."""
    return sum(max(0, edge.low - _next(progress, place)) for place, edge in edges.items())


def counted(progress: Mapping[TopicPartition, Progress], topics: Iterable[str]) -> int:
    """Count records of these topics that were applied."""
    wanted = set(topics)
    return sum(step.next_offset for place, step in progress.items() if place.topic in wanted)


def _next(progress: Mapping[TopicPartition, Progress], place: TopicPartition) -> int:
    step = progress.get(place)
    return step.next_offset if step else 0
