"""Peer: a hand-written loop on aiokafka's `getmany`."""

import asyncio

import aiokafka
import job
import marks


async def main() -> None:
    """Read all partitions from the start."""
    results = job.Results(job.connect())
    meter = marks.Meter(results.flush)
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=marks.BOOTSTRAP,
        enable_auto_commit=False,
        fetch_max_bytes=16 << 20,
        max_partition_fetch_bytes=4 << 20,
    )
    await consumer.start()
    partitions = [aiokafka.TopicPartition(marks.TOPIC, number) for number in range(marks.PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    meter.begin()
    while True:
        for records in (await consumer.getmany(timeout_ms=500, max_records=20_000)).values():
            results.add([record.value for record in records])
            meter.step(len(records))


asyncio.run(main())
