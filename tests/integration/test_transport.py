"""What is read from a real broker: every record once, in slices that tile the log."""

import asyncio
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Position

from services import Broker, wait_for
from services.reading import LIMIT, Store, committed, content, produce, reading, until
from streams.ports import TopicPartition

pytestmark = pytest.mark.integration

FIRST_AT = 1_750_000_000_000


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
        # A segment is as old as its records: a second between them begins a new one with every batch.
        at = FIRST_AT + 1_000 * number
        producer.produce(topic, b"%d" % number, key=b"%d" % (number % 3), partition=0, timestamp=at)
        if number % 10 == 9:
            assert producer.flush(20) == 0

    def compacted() -> bool:
        consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "peek", "auto.offset.reset": "earliest"})
        consumer.assign([Position(topic, 0, 0)])
        offsets = [message.offset() for message in consumer.consume(60, 2.0) if message.error() is None]
        consumer.close()
        return (offsets[0] or 0) > 10

    await asyncio.to_thread(wait_for, compacted, 60, "compaction")
    async with reading(kafka, unique_name("group"), [topic], store) as reader:
        await until(lambda: store.next.get(TopicPartition(topic, 0)) == 60, "the end of the log")
        slices = reader.slices
    found = content(slices)

    assert all(value == b"%d" % offset for offset, value in found.items())
    assert {57, 58, 59} <= set(found) < set(range(60))
    assert slices[0].first == 0
