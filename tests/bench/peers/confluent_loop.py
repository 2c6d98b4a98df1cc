"""Peer: a hand-written loop on confluent-kafka, set as its threads and issues advise."""

import confluent_kafka
import job
import marks

results = job.Results(job.connect())
meter = marks.Meter(results.flush)
consumer = confluent_kafka.Consumer(
    {
        "bootstrap.servers": marks.BOOTSTRAP,
        "group.id": marks.GROUP,
        "enable.auto.commit": True,
        "auto.commit.interval.ms": 1_000,
        "fetch.queue.backoff.ms": 5,
        "queued.min.messages": 200_000,
        "queued.max.messages.kbytes": 131_072,
        "fetch.message.max.bytes": 4 << 20,
        "check.crcs": True,
    }
)
consumer.assign([confluent_kafka.TopicPartition(marks.TOPIC, number, 0) for number in range(marks.PARTITIONS)])
meter.begin()
while True:
    messages = consumer.consume(10_000, 0.5)
    results.add([message.value() or b"" for message in messages])
    meter.step(len(messages))
