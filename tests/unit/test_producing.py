"""When records leave for Kafka."""

import asyncio
from typing import cast

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.producing import BATCH_BYTES, Producing

QUIET, BUSY = "subsidy.announcements.v1", "ads.clicks.v1"


class Broker:
    """Takes every batch at once and notes its topic and how many records it holds."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []

    async def partitions_for(self, topic: str) -> set[int]:
        """Every topic has one partition."""
        return {0}

    def create_batch(self) -> BatchBuilder:
        """Make an empty batch as the client does."""
        return BatchBuilder(BATCH_BYTES, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> "asyncio.Future[None]":
        """Acknowledge it at once."""
        self.taken.append((topic, batch.record_count()))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


async def test_a_record_of_a_quiet_topic_leaves_with_the_first_full_batch() -> None:
    """It would otherwise reach the log after hours of a busy topic's records that were sent later."""
    broker = Broker()
    out = Producing(cast("AIOKafkaProducer", broker), "broker:9092")

    await out.send(QUIET, b"k", b"{}")
    while not broker.taken:
        await out.send(BUSY, b"k", bytes(10_000))
    left_early = list(broker.taken)
    await out.flush()

    assert [(QUIET, 1), (BUSY, out.records - 2)] == left_early
    assert [(BUSY, 1)] == broker.taken[len(left_early) :]
