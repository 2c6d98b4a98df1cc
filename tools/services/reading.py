"""A reader on the project's transport with a store that only remembers: the rig of the transport's tests."""

# ruff: noqa: S101  the rig of tests asserts as tests do

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Position
from faust.types import StreamT

from models.errors import ServiceUnavailable
from services.broker import Broker
from services.waiting import wait_for_async
from streams.cutting import from_offset
from streams.ports import RecordSlice, TopicPartition
from streams.transport.batch_consumer import BatchConsumer
from streams.transport.batch_transport import SCHEME, BatchApp
from streams.transport.wiring import Wiring

LIMIT = 300
"""Records of a slice at most."""


class Store:
    """A store and an observer that remember; shared by the readers of a test, as Redis is."""

    def __init__(self) -> None:
        self.next: dict[TopicPartition, int] = {}
        self.epochs: dict[TopicPartition, int] = {}
        self.refusals = 0
        self.told: list[tuple[str, object]] = []
        self.troubles: dict[str, str] = {}

    def said(self, what: str) -> list[object]:
        """What was reported of this kind."""
        return [value for name, value in self.told if name == what]


class Owner:
    """One worker's side of it: claims, and who may write."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.mine: dict[TopicPartition, int] = {}

    async def claim(self, tp: TopicPartition) -> int | None:
        """Take the partition from whoever had it."""
        if self.store.refusals:
            self.store.refusals -= 1
            raise ServiceUnavailable("the store is away")
        self.mine[tp] = self.store.epochs[tp] = self.store.epochs.get(tp, 0) + 1
        return self.store.next.get(tp)

    def revoke(self, tp: TopicPartition) -> None:
        """Forget it."""
        self.mine.pop(tp, None)

    def note_lost(self, tp: TopicPartition, until: int) -> None:
        """Accept the loss."""
        self.store.told.append(("note_lost", (tp, until)))

    def assigned(self, held: Mapping[TopicPartition, int]) -> None:
        """Remember."""
        self.store.told.append(("assigned", dict(held)))

    def revoked(self, tps: Sequence[TopicPartition]) -> None:
        """Remember."""
        self.store.told.append(("revoked", list(tps)))

    def trouble(self, where: str, sentence: str) -> None:
        """Remember."""
        self.store.troubles[where] = sentence
        self.store.told.append(("trouble", where))

    def recovered(self, where: str) -> None:
        """Forget."""
        self.store.troubles.pop(where, None)

    def lost(self, tp: TopicPartition, first: int, until: int) -> None:
        """Remember."""
        self.store.told.append(("lost", (tp, first, until)))

    def highwater(self, tp: TopicPartition, offset: int) -> None:
        """Nothing to do."""

    def committed(self, offsets: Mapping[TopicPartition, int], accepted: bool) -> None:
        """Remember."""
        self.store.told.append(("committed", (dict(offsets), accepted)))

    def pressure(self, unacked: int, paused: bool) -> None:
        """Nothing to do."""

    def fatal(self, error: BaseException) -> None:
        """Remember."""
        self.store.told.append(("fatal", error))


class Reader:
    """One worker: what was new of its slices, where it read again, and a gate that keeps a slice unacknowledged."""

    def __init__(self, app: BatchApp, owner: Owner) -> None:
        self.app = app
        self.owner = owner
        self.slices: list[RecordSlice] = []
        self.looked_back: list[int] = []
        self.refused = 0
        self.hold: Callable[[RecordSlice], bool] = lambda part: False

    async def feed(self, stream: StreamT[RecordSlice]) -> None:
        """Apply a slice if this worker owns it and it continues; then acknowledge."""
        async for event in stream.noack().events():  # type: ignore[attr-defined]
            part: RecordSlice = event.value
            if self.hold(part):
                continue
            store, tp = self.owner.store, part.tp
            if self.owner.mine.get(tp) != store.epochs[tp]:
                self.refused += 1
                continue
            known = store.next.get(tp, part.first)
            assert known >= part.first
            if known > part.first:
                self.looked_back.append(part.first)
            fresh = from_offset(part, known)
            if fresh is not None:
                store.next[tp] = part.next_offset
                self.slices.append(fresh)
            event.ack()

    @property
    def consumer(self) -> BatchConsumer:
        """The consumer under test."""
        consumer = self.app.consumer
        assert isinstance(consumer, BatchConsumer)
        return consumer


@asynccontextmanager
async def reading(
    broker: Broker,
    group: str,
    topics: Sequence[str],
    store: Store,
    *,
    batched: bool = True,
    max_unacked: int = 10_000,
    lead: int = 0,
) -> AsyncIterator[Reader]:
    """Run one worker on topics until the block ends."""
    owner = Owner(store)
    app = BatchApp(
        group,
        Wiring(
            owner=owner,
            observer=owner,
            batched=frozenset(topics if batched else ()),
            slice_size=LIMIT,
            max_unacked=max_unacked,
            fetch_max_wait_ms=50,
            lead=lambda tp: lead,
        ),
        broker=f"{SCHEME}://{broker.bootstrap}",
        broker_session_timeout=6.0,
        broker_heartbeat_interval=0.5,
        broker_request_timeout=10.0,
        broker_commit_interval=0.2,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        autodiscover=False,
    )
    reader = Reader(app, owner)
    for topic in topics:
        channel = app.topic(topic, key_serializer="raw", value_serializer="raw")
        app.agent(channel, name=f"test.{topic}", concurrency=1)(reader.feed)
    app.finalize()
    await app.start()
    try:
        yield reader
    finally:
        await asyncio.wait_for(app.stop(), 20)


def produce(broker: Broker, topic: str, values: Sequence[bytes], **config: object) -> None:
    """Put values on partition 0 and wait until they are there."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 5, "batch.num.messages": 100, **config})
    for value in values:
        producer.produce(topic, value, key=b"k" + value, partition=0)
    assert producer.flush(20) == 0


def committed(broker: Broker, group: str, topic: str) -> int:
    """What Kafka holds for the group's partition 0; negative when nothing."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": group})
    try:
        return int(consumer.committed([Position(topic, 0)], timeout=10)[0].offset)
    finally:
        consumer.close()


def content(slices: Sequence[RecordSlice]) -> dict[int, bytes | None]:
    """Offset to value of everything in slices; the slices must tile."""
    assert all(before.next_offset == after.first for before, after in pairwise(slices))
    out: dict[int, bytes | None] = {}
    for part in slices:
        offsets = range(part.first, part.next_offset) if part.offsets is None else part.offsets
        out.update(zip(offsets, part.values, strict=True))
    return out


async def until(condition: Callable[[], object], what: str, timeout: float = 20) -> None:  # noqa: ASYNC109 - a poll with a message
    """Wait for a condition of this loop."""

    async def ask() -> object:
        return condition()

    await wait_for_async(ask, timeout, what)
