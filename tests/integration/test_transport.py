"""The transport on a real broker: every record once, in slices that tile, from where the store stands."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient
from faust.types import StreamT

from models.errors import ServiceUnavailable
from services import Broker, wait_for, wait_for_async
from streams.ports import RecordSlice, TopicPartition
from streams.transport.batch_consumer import BatchConsumer
from streams.transport.batch_transport import SCHEME, BatchApp
from streams.transport.wiring import Wiring

pytestmark = pytest.mark.integration

LIMIT = 300


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

    def fatal(self, error: BaseException) -> None:
        """Remember."""
        self.store.told.append(("fatal", error))


class Reader:
    """One worker: slices it got, and a gate that keeps a slice from being acknowledged."""

    def __init__(self, app: BatchApp, owner: Owner) -> None:
        self.app = app
        self.owner = owner
        self.slices: list[RecordSlice] = []
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
            assert store.next.get(tp, part.first) == part.first
            store.next[tp] = part.next_offset
            self.slices.append(part)
            event.ack()

    @property
    def consumer(self) -> BatchConsumer:
        """The consumer under test."""
        consumer = self.app.consumer
        assert isinstance(consumer, BatchConsumer)
        return consumer


@asynccontextmanager
async def reading(
    broker: Broker, group: str, topics: Sequence[str], store: Store, *, batched: bool = True, max_unacked: int = 10_000
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


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_every_record_once_whatever_the_codec(
    kafka: Broker, unique_name: Callable[[str], str], codec: str
) -> None:
    """Slices tile the log, carry every value and key in order, stay under the limit, and are committed to the end."""
    topic, group, store = kafka.create_topic(unique_name("codec"), 1), unique_name("group"), Store()
    values = [b"%d" % number for number in range(2_500)]
    produce(kafka, topic, values, **{"compression.type": codec})
    tp = TopicPartition(topic, 0)
    async with reading(kafka, group, [topic], store) as reader:
        await until(lambda: store.next.get(tp) == len(values), "all records")
        slices = reader.slices

    assert dict(enumerate(values)) == content(slices)
    assert [b"k" + value for value in values] == [key for part in slices for key in part.keys or ()]
    assert max(len(part.values) for part in slices) <= LIMIT
    assert all(part.offsets is None and part.timestamp > 0 for part in slices)
    assert len(values) == committed(kafka, group, topic)


async def test_control_topics_come_record_by_record(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A topic that is not batched gives slices of one record."""
    topic, store = kafka.create_topic(unique_name("control"), 1), Store()
    produce(kafka, topic, [b"a", b"b", b"c"])
    async with reading(kafka, unique_name("group"), [topic], store, batched=False) as reader:
        await until(lambda: len(reader.slices) == 3, "three slices")
        slices = reader.slices

    assert [(0, [b"a"]), (1, [b"b"]), (2, [b"c"])] == [(part.first, list(part.values)) for part in slices]


async def test_aborted_transactions_are_left_out(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """Committed records come, aborted ones do not, and the position passes both and the markers."""
    topic, store = kafka.create_topic(unique_name("tx"), 1), Store()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": topic})
    producer.init_transactions(20)
    for round_number, commit in enumerate([True, False, True]):
        producer.begin_transaction()
        for number in range(10):
            producer.produce(topic, b"%d" % (100 * round_number + number), partition=0)
        producer.flush(20)
        if commit:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)
    async with reading(kafka, unique_name("group"), [topic], store) as reader:
        await until(lambda: store.next.get(TopicPartition(topic, 0)) == 33, "the end of the log")
        slices = reader.slices
    expected = {n: b"%d" % n for n in range(10)} | {22 + n: b"%d" % (200 + n) for n in range(10)}

    assert expected == content(slices)


async def test_compaction_leaves_holes_and_no_gap(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """Records that compaction removed are missing inside slices, never between them; the rest keep their offsets."""
    config = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "delete.retention.ms": "100",
        "max.compaction.lag.ms": "100",
    }
    topic, store = kafka.create_topic(unique_name("compact"), 1, config), Store()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 1})
    for number in range(60):
        producer.produce(topic, b"%d" % number, key=b"%d" % (number % 3), partition=0)
        if number % 10 == 9:
            assert producer.flush(20) == 0
            await asyncio.sleep(0.15)  # a new segment begins only when time has passed

    def compacted() -> bool:
        consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "peek", "auto.offset.reset": "earliest"})
        consumer.assign([Position(topic, 0, 0)])
        offsets = [message.offset() for message in consumer.consume(60, 2.0) if message.error() is None]
        consumer.close()
        return offsets[0] > 10

    await asyncio.to_thread(wait_for, compacted, 60, "compaction")
    async with reading(kafka, unique_name("group"), [topic], store) as reader:
        await until(lambda: store.next.get(TopicPartition(topic, 0)) == 60, "the end of the log")
        slices = reader.slices
    found = content(slices)

    assert all(value == b"%d" % offset for offset, value in found.items())
    assert {57, 58, 59} <= set(found) < set(range(60))
    assert slices[0].first == 0


async def test_reading_begins_at_the_stores_offset(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """Kafka's committed offset is a hint: the store's wins, whether it is ahead or behind, and after outages."""
    topic, group, store = kafka.create_topic(unique_name("seek"), 1), unique_name("group"), Store()
    tp = TopicPartition(topic, 0)
    produce(kafka, topic, [b"%d" % number for number in range(1_000)])
    async with reading(kafka, group, [topic], store) as reader:
        await until(lambda: store.next.get(tp) == 1_000, "all records")
    store.next[tp], store.refusals = 420, 3
    async with reading(kafka, group, [topic], store) as reader:
        await until(lambda: store.next.get(tp) == 1_000, "the rest again")
        slices = reader.slices

    assert (420, 580) == (slices[0].first, len(content(slices)))
    assert "trouble" in [name for name, _ in store.told]
    assert {} == store.troubles


async def test_only_the_acknowledged_prefix_is_committed(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A slice that is never acknowledged stops the commit, though later ones are."""
    topic, group, store = kafka.create_topic(unique_name("prefix"), 1), unique_name("group"), Store()
    produce(kafka, topic, [b"%d" % number for number in range(1_500)])
    async with reading(kafka, group, [topic], store) as reader:
        held: list[RecordSlice] = []
        acked: list[int] = []
        store_next = store.next

        def hold(part: RecordSlice) -> bool:
            if not held and part.first > 0:
                held.append(part)
                store_next[part.tp] = part.next_offset
                return True
            acked.append(part.next_offset)
            return False

        reader.hold = hold
        await until(lambda: acked and acked[-1] == 1_500, "the last slice")
        await until(lambda: store.said("committed"), "a commit")
        await reader.consumer.commit()

    assert held[0].first == committed(kafka, group, topic) < 1_500


async def test_two_workers_share_and_hand_over(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A second worker takes half, each reads on where the store stands, and when one leaves the other has all."""
    topic, group, store = kafka.create_topic(unique_name("share"), 4), unique_name("group"), Store()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 5})
    sent = 0

    def send(count: int) -> int:
        for number in range(count):
            producer.produce(topic, b"%d" % number, partition=number % 4)
        assert producer.flush(20) == 0
        return sent + count

    sent = send(2_000)
    async with reading(kafka, group, [topic], store) as first:
        await until(lambda: sum(store.next.values()) == sent, "the first half")
        async with reading(kafka, group, [topic], store) as second:
            await until(lambda: len(second.consumer.assignment()) == 2, "two partitions for the second")
            await until(lambda: len(first.consumer.assignment()) == 2, "two partitions for the first")
            sent = send(2_000)
            await until(lambda: sum(store.next.values()) == sent, "the second half")
            taken = {part.tp for part in second.slices}
        sent = send(2_000)
        await until(lambda: sum(store.next.values()) == sent, "the rest")
        slices = first.slices + second.slices

    assert sent == sum(len(part.values) for part in slices)
    assert 2 == len(taken)


async def test_what_retention_took_is_counted(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A log that begins after the store's offset is read from its start, and the loss is said to everyone."""
    topic, store = kafka.create_topic(unique_name("lost"), 1), Store()
    tp = TopicPartition(topic, 0)
    produce(kafka, topic, [b"%d" % number for number in range(500)])
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for future in admin.delete_records([Position(topic, 0, 300)]).values():
        future.result(20)
    store.next[tp] = 100
    with suppress(AssertionError):
        async with reading(kafka, unique_name("group"), [topic], store) as reader:
            reader.hold = lambda part: reader.slices.append(part) is None
            await until(lambda: reader.slices and reader.slices[-1].next_offset == 500, "the rest")

    assert [(tp, 100, 300)] == store.said("lost")
    assert [(tp, 300)] == store.said("note_lost")
    assert set(range(300, 500)) == set(content(reader.slices))


async def test_a_topic_made_anew_is_refused(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A store ahead of the log keeps its partition closed, says so, and leaves other partitions alone."""
    old, fine, store = kafka.create_topic(unique_name("anew"), 1), kafka.create_topic(unique_name("fine"), 1), Store()
    for topic in (old, fine):
        produce(kafka, topic, [b"%d" % number for number in range(50)])
    store.next[TopicPartition(old, 0)] = 9_999
    async with reading(kafka, unique_name("group"), [old, fine], store) as reader:
        await until(lambda: store.next.get(TopicPartition(fine, 0)) == 50, "the other topic")
        read = {part.tp.topic for part in reader.slices}

    assert {fine} == read
    assert "created anew" in store.troubles[f"log {old}/0"]


async def test_what_is_unacknowledged_is_bounded(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A store that does not keep up stops the fetching instead of filling the memory."""
    topic, store = kafka.create_topic(unique_name("bound"), 1), Store()
    produce(kafka, topic, [b"%d" % number for number in range(5_000)])
    async with reading(kafka, unique_name("group"), [topic], store, max_unacked=1_000) as reader:
        reader.hold = lambda part: True
        await until(lambda: reader.consumer.ledger.unacked() >= 1_000, "a full house")
        await asyncio.sleep(0.5)  # more would come now if anything let it
        unacked = reader.consumer.ledger.unacked()

    assert unacked <= 1_000 + LIMIT


async def test_a_broker_that_restarts_is_waited_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A broker killed and started again costs nothing: reading goes on in the same process."""
    broker, store = Broker(tmp_path_factory.mktemp("restart")), Store()
    try:
        topic = broker.create_topic("restart", 1)
        tp = TopicPartition(topic, 0)
        produce(broker, topic, [b"%d" % number for number in range(300)])
        async with reading(broker, "group", [topic], store) as reader:
            await until(lambda: store.next.get(tp) == 300, "the first records")
            broker.kill()
            await asyncio.to_thread(broker.start)
            produce(broker, topic, [b"%d" % number for number in range(300, 600)])
            await until(lambda: store.next.get(tp) == 600, "the records after the restart", 60)
            slices = reader.slices
    finally:
        broker.stop()

    assert 600 == len(content(slices))
    assert [] == store.said("fatal")
