"""Every sink publishes in order and buries with the original bytes; both return only when it is safe."""

import importlib.metadata
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position

from models.errors import ServiceUnavailable
from services import Broker, free_port
from streams.ports import DeadLetter, OutboxEntry, Redriven, Sink
from streams.settings import KafkaSettings
from streams.sinks.kafka_sink import KafkaSink
from streams.sinks.list_sink import ListSink


@dataclass
class Bench:
    """A sink under test, its topic, and how to read back what went out: entries, then letters."""

    sink: Sink
    topic: str
    published: Callable[[], Sequence[tuple[str, str]]]
    buried: Callable[[], Sequence[tuple[bytes | None, bytes | None, str]]]


def log_of(broker: Broker, topic: str) -> list[Any]:
    """Everything on partition 0 of a topic."""
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "reader"})
    try:
        partition = Position(topic, 0, 0)
        consumer.assign([partition])
        _, end = consumer.get_watermark_offsets(partition, timeout=10)
        out: list[Any] = []
        while len(out) < end:
            out += [message for message in consumer.consume(end - len(out), 5.0) if message.error() is None]
        return out
    finally:
        consumer.close()


@pytest.fixture(params=["list", pytest.param("kafka", marks=pytest.mark.integration)])
async def bench(request: pytest.FixtureRequest, unique_name: Callable[[str], str]) -> AsyncIterator[Bench]:
    """Each sink in turn."""
    topic = unique_name("sink")
    if request.param == "list":
        kept = ListSink()
        yield Bench(
            kept,
            topic,
            lambda: [(entry.key, entry.body) for entry in kept.published],
            lambda: [(letter.key, letter.value, letter.reason) for letter in kept.buried],
        )
        return
    broker: Broker = request.getfixturevalue("kafka")
    for name in (topic, topic + ".dead"):
        broker.create_topic(name, 1)
    sink = KafkaSink(KafkaSettings(bootstrap=broker.bootstrap))
    await sink.start()
    yield Bench(
        sink,
        topic,
        lambda: [(m.key().decode(), m.value().decode()) for m in log_of(broker, topic)],
        lambda: [(m.key(), m.value(), dict(m.headers())["reason"].decode()) for m in log_of(broker, topic + ".dead")],
    )
    await sink.stop()


async def test_entries_come_out_in_order(bench: Bench) -> None:
    """Many entries, several calls: all there, in order."""
    entries = [OutboxEntry(f"id{n}", bench.topic, f"key{n % 3}", f'{{"n":{n}}}') for n in range(300)]
    await bench.sink.publish(entries[:200])
    await bench.sink.publish(entries[200:])
    await bench.sink.publish([])

    assert [(entry.key, entry.body) for entry in entries] == list(bench.published())


async def test_letters_keep_their_bytes(bench: Bench) -> None:
    """Any bytes, no key, no value: what was refused can be put back exactly."""
    values: list[tuple[bytes | None, bytes | None]] = [(b"k", b"\xff\x00garbage"), (None, b""), (b"", None)]
    letters = [DeadLetter(bench.topic, 2, 7, 1_000, key, value, "not_json", "wörd") for key, value in values]
    await bench.sink.bury(letters)

    assert [(key, value, "not_json") for key, value in values] == list(bench.buried())


@pytest.mark.integration
async def test_headers_say_what_and_where_from(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """Decisions carry CloudEvents headers, dead letters their position, reason and our version."""
    topic = unique_name("headers")
    for name in (topic, topic + ".dead"):
        kafka.create_topic(name, 1)
    sink = KafkaSink(KafkaSettings(bootstrap=kafka.bootstrap))
    await sink.publish([OutboxEntry("id1", topic, "440000", '{"decided_at":1750000000123}')])
    await sink.publish([OutboxEntry("id2", topic, "440000", "[]")])
    await sink.bury([DeadLetter(topic, 3, 41, None, b"k", b"v", "too_old", "older", Redriven(2, "t/3/9", "t/3/1"))])
    await sink.stop()
    first, second = (dict(message.headers()) for message in log_of(kafka, topic))
    (letter,) = (dict(message.headers()) for message in log_of(kafka, topic + ".dead"))
    common = {
        "ce_specversion": b"1.0",
        "ce_source": b"subsidywatch",
        "ce_type": topic.encode(),
        "ce_subject": b"440000",
        "content-type": b"application/json",
    }

    assert common | {"ce_id": b"id1", "ce_time": b"2025-06-15T15:06:40.123Z"} == first
    assert common | {"ce_id": b"id2"} == second
    assert {
        "reason": b"too_old",
        "detail": b"older",
        "redriven": b"2",
        "redriven-first": b"t/3/1",
        "topic": topic.encode(),
        "partition": b"3",
        "offset": b"41",
        "timestamp": b"",
        "version": importlib.metadata.version("subsidywatch").encode(),
    } == letter


@pytest.mark.integration
async def test_a_letter_too_large_for_the_broker_is_cut_and_says_so(
    kafka: Broker, unique_name: Callable[[str], str]
) -> None:
    """A record the broker would not take again is buried by its head and its position; the others stay whole."""
    topic = unique_name("large")
    kafka.create_topic(topic + ".dead", 1)
    sink = KafkaSink(KafkaSettings(bootstrap=kafka.bootstrap))
    noise = random.Random(1).randbytes(1_048_400)  # too large with the headers of a dead letter only
    values = [b"small", noise, b"x" * 2_000_000, b"after"]
    await sink.bury([DeadLetter(topic, 0, n, 0, b"k", value, "too_large", "") for n, value in enumerate(values)])
    await sink.stop()
    found = {int(dict(message.headers())["offset"]): message for message in log_of(kafka, topic + ".dead")}

    assert [b"small", noise[:1_024], b"x" * 2_000_000, b"after"] == [found[n].value() for n in range(4)]
    assert [None, b"1048400", None, None] == [dict(found[n].headers()).get("truncated") for n in range(4)]


@pytest.mark.parametrize("call", ["start", "publish", "bury"])
async def test_kafka_away_is_said_in_time(call: str) -> None:
    """Without a broker every call ends with our error, soon."""
    address = f"127.0.0.1:{free_port()}"
    sink = KafkaSink(KafkaSettings(bootstrap=address, request_timeout_s=1))
    calls: dict[str, Callable[[], Awaitable[None]]] = {
        "start": sink.start,
        "publish": lambda: sink.publish([OutboxEntry("id", "t", "k", "{}")]),
        "bury": lambda: sink.bury([DeadLetter("t", 0, 0, None, None, b"", "not_json", "")]),
    }
    with pytest.raises(ServiceUnavailable, match=address):
        await calls[call]()
    await sink.stop()


@pytest.mark.integration
async def test_a_missing_topic_is_unavailable(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """Records for a topic that does not exist are refused in bounded time, not buffered for ever."""
    sink = KafkaSink(KafkaSettings(bootstrap=kafka.bootstrap, request_timeout_s=1))
    with pytest.raises(ServiceUnavailable):
        await sink.publish([OutboxEntry("id", unique_name("missing"), "k", "{}")])
    await sink.stop()
