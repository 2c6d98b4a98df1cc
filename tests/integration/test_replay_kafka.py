"""Replay and simulate into real Kafka: every record once, keyed, with the producer's clock; faults as sentences."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from models.errors import ServiceUnavailable, SettingsError
from models.scenario.catalogue import open_scenario
from models.units import EpochMs
from services import Broker, free_port
from streams.feeding import Timed, feed
from streams.files.recorded import Recording
from streams.producing import Producing, open_producing, partition_of
from streams.replaying import to_kafka
from streams.settings import KafkaSettings
from streams.simulating import timed, to_files

pytestmark = pytest.mark.integration

CLICKS, ORDERS = "ads.clicks.v1", "shop.orders.v1"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of its own, with the input topics."""
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    for topic in (CLICKS, ORDERS, "ads.impressions.v1", "subsidy.announcements.v1", "ads.campaigns.v1"):
        broker.create_topic(topic, 4)
    yield broker
    broker.stop()


async def read(bootstrap: str, topic: str) -> list[tuple[int, int, bytes, bytes]]:
    """Give partition, record time, key and value of everything in a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(places)
        left = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        out: list[tuple[int, int, bytes, bytes]] = []
        while left:
            for place, records in (await consumer.getmany(timeout_ms=1_000)).items():
                out.extend((place.partition, record.timestamp, record.key, record.value) for record in records)
                if records[-1].offset + 1 >= left[place]:
                    del left[place]
        return out
    finally:
        await consumer.stop()


def test_replay_puts_every_payload_where_its_key_belongs(broker: Broker, tmp_path: Path) -> None:
    """Payloads arrive byte for byte; the partition follows from the user; record time is now, not event time."""
    to_files(open_scenario("wave-31", 3, 0.02, 20.0), tmp_path / "wave", zipped=True, seconds=None)
    began = time.time_ns() // 1_000_000
    now = EpochMs(began)

    async def run() -> tuple[Counter[str], list[tuple[int, int, bytes, bytes]]]:
        with Recording([tmp_path / "wave"], None, now) as recording:
            sent = await to_kafka(recording, recording, KafkaSettings(bootstrap=broker.bootstrap), speed=None)
        return sent, await read(broker.bootstrap, ORDERS)

    sent, found = asyncio.run(run())
    with Recording([tmp_path / "wave"], None, now) as recording:
        expected = Counter(record.value for record in recording if record.topic == ORDERS)

    assert expected == Counter(value for *_, value in found)
    assert sent[ORDERS] == len(found)
    for partition, stamp, key, value in found:
        assert json.loads(value)["user_id"].encode() == key
        assert partition_of(key, 4) == partition
        assert stamp >= began


def test_simulated_records_keep_their_order_per_partition(broker: Broker) -> None:
    """Records of one key arrive in the order in which they were emitted."""
    emitted: dict[str, list[str]] = {}
    for record in open_scenario("wave-31", 4, 0.02, 20.0).records:
        if record.topic == CLICKS:
            emitted.setdefault(record.key, []).append(str(record.body["event_id"]))

    async def run() -> list[tuple[int, int, bytes, bytes]]:
        async with open_producing(KafkaSettings(bootstrap=broker.bootstrap)) as out:
            records = timed(open_scenario("wave-31", 4, 0.02, 20.0).records)
            await feed(records, out, speed=None, seconds=None, show=lambda at: None)
        return await read(broker.bootstrap, CLICKS)

    found: dict[str, list[str]] = {}
    for *_, key, value in asyncio.run(run()):
        name = json.loads(value)["event_id"]
        if name.startswith("4."):
            found.setdefault(key.decode(), []).append(name)

    assert emitted == found


def test_paced_feed_ends_in_time(broker: Broker) -> None:
    """At 60x, half a second of wall time sends half a minute of events; they are on the broker when it ends."""

    async def run() -> Counter[str]:
        async with open_producing(KafkaSettings(bootstrap=broker.bootstrap)) as out:
            records = timed(open_scenario("wave-31", 5, 0.02, 20.0).records)
            return await feed(records, out, speed=60.0, seconds=0.5, show=lambda at: None)

    began = time.monotonic()
    sent = asyncio.run(run())

    assert 33 == sent["ads.campaigns.v1"]
    assert 0 < sent["ads.impressions.v1"] < 2_000
    assert time.monotonic() - began < 10


async def send_one(bootstrap: str, topic: str, value: bytes = b"{}") -> None:
    """Send one record."""

    async def use(out: Producing) -> None:
        await feed([Timed(EpochMs(0), topic, b"k", value)], out, speed=None, seconds=None, show=lambda at: None)

    async with open_producing(KafkaSettings(bootstrap=bootstrap, request_timeout_s=3)) as out:
        await use(out)


def test_missing_topic_says_how_to_create_it(broker: Broker, unique_name: Callable[[str], str]) -> None:
    """A topic that does not exist is wrong use, with the command that helps."""
    with pytest.raises(SettingsError, match="topics create"):
        asyncio.run(send_one(broker.bootstrap, unique_name("nowhere")))


def test_kafka_away_is_one_sentence() -> None:
    """Without a broker the tool says where it looked."""
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        asyncio.run(send_one(f"127.0.0.1:{free_port()}", CLICKS))


def test_record_that_the_broker_refuses_is_an_error(broker: Broker) -> None:
    """A record too long for the broker is not lost in silence."""
    with pytest.raises(ServiceUnavailable, match="did not take all records"):
        asyncio.run(send_one(broker.bootstrap, CLICKS, Random(1).randbytes(3_000_000)))
