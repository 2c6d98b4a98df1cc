"""Peer: Bytewax, unordered input in batches of thousands, counts per batch by hand, as its authors advise for speed."""

from datetime import timedelta

import job
import marks
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import cluster_main

BATCH = 2_000

results = job.Results(job.connect())
meter = marks.Meter(results.flush)


class _Nothing(StatelessSinkPartition[int]):  # type: ignore[misc]  # not installed where types are checked
    def write_batch(self, items: list[int]) -> None:
        """Everything is in Redis by now."""


class _Sink(DynamicSink[int]):  # type: ignore[misc]  # likewise
    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Nothing:
        """Give the one worker its sink."""
        return _Nothing()


def count(messages: list[KafkaSourceMessage]) -> list[int]:
    """Count a batch."""
    results.add([message.value or b"" for message in messages])
    meter.step(len(messages))
    return []


flow = Dataflow("views")
source: KafkaSource = KafkaSource(
    [marks.BOOTSTRAP],
    [marks.TOPIC],
    tail=False,
    batch_size=BATCH,
    add_config={
        "fetch.queue.backoff.ms": "5",
        "queued.min.messages": "200000",
        "queued.max.messages.kbytes": "131072",
        "fetch.message.max.bytes": str(4 << 20),
    },
)
op.output("out", op.flat_map_batch("count", op.input("in", flow, source), count), _Sink())
meter.begin()
cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=1))
