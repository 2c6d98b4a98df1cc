"""Where reading begins and what is committed, on a real broker: the store's word counts, Kafka's is a hint."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import pytest
from confluent_kafka import Producer
from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient
from faust.types import TP

from services import Broker
from services.reading import LIMIT, Store, committed, content, produce, reading, until
from streams.ports import RecordSlice, TopicPartition

pytestmark = pytest.mark.integration


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


@pytest.mark.parametrize(("gone", "expected"), [(0, 320), (380, 380)], ids=["whole", "overtaken-by-retention"])
async def test_records_before_the_fence_are_read_again(
    kafka: Broker, unique_name: Callable[[str], str], gone: int, expected: int
) -> None:
    """Reading begins before the store's offset as far as the log goes; nothing there is committed, lost or shown."""
    topic, group, store = kafka.create_topic(unique_name("lead"), 1), unique_name("group"), Store()
    tp = TopicPartition(topic, 0)
    produce(kafka, topic, [b"%d" % number for number in range(1_000)])
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for future in admin.delete_records([Position(topic, 0, gone)]).values():
        future.result(20)
    store.next[tp] = 420
    async with reading(kafka, group, [topic], store, lead=100) as reader:
        await until(lambda: store.next.get(tp) == 1_000, "all records")
        await until(lambda: committed(kafka, group, topic) == 1_000, "the commit")
        slices, looked_back = reader.slices, reader.looked_back
    commits = [cast("tuple[dict[TopicPartition, int], bool]", told)[0][tp] for told in store.said("committed")]

    assert ([expected], 420) == (looked_back, slices[0].first)
    assert {number: b"%d" % number for number in range(420, 1_000)} == content(slices)
    assert min(commits) >= 420
    assert ([], [{tp: 420}]) == (store.said("lost"), store.said("assigned"))


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

            def keep(part: RecordSlice) -> bool:
                reader.slices.append(part)
                return True

            reader.hold = keep
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
        for _ in range(20):
            reader.consumer._make_room()
            await until(lambda: not reader.consumer._room.is_set(), "the reader to look for room and find none")
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


async def test_an_offset_the_log_lacks_is_decided_again(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A reader whose position the log does not have asks the store where to go on; nothing is skipped."""
    topic, store = kafka.create_topic(unique_name("range"), 1), Store()
    tp = TopicPartition(topic, 0)
    produce(kafka, topic, [b"%d" % number for number in range(300)])
    async with reading(kafka, unique_name("group"), [topic], store) as reader:
        await until(lambda: store.next.get(tp) == 300, "the first records")
        await reader.consumer.seek_wait({TP(*tp): 5_000})
        await until(lambda: len(store.said("assigned")) == 2, "another claim")
        produce(kafka, topic, [b"%d" % number for number in range(300, 400)])
        await until(lambda: store.next.get(tp) == 400, "the rest")
        slices = reader.slices

    assert {number: b"%d" % number for number in range(400)} == content(slices)
    assert [] == store.said("lost")


async def test_records_that_do_not_continue_are_fetched_again(kafka: Broker, unique_name: Callable[[str], str]) -> None:
    """A client that jumps ahead by itself is taken back: slices tile whatever it does."""
    topic, store = kafka.create_topic(unique_name("jump"), 1), Store()
    tp = TopicPartition(topic, 0)
    produce(kafka, topic, [b"%d" % number for number in range(100)])
    async with reading(kafka, unique_name("group"), [topic], store) as reader:
        await until(lambda: store.next.get(tp) == 100, "the first records")
        produce(kafka, topic, [b"%d" % number for number in range(100, 120)])
        await until(lambda: store.next.get(tp) == 120, "some more")
        await reader.consumer.seek_wait({TP(*tp): 60})
        produce(kafka, topic, [b"%d" % number for number in range(120, 200)])
        await until(lambda: store.next.get(tp) == 200, "the rest")
        slices = reader.slices

    assert {number: b"%d" % number for number in range(200)} == content(slices)
