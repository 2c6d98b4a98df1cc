"""Where the worker's CPU goes: decode, join, fold and store of J3's records, stage by stage, best of a few.

`make bench` prints it after J3. The slices are as the transport cuts them from
a backlog and go through the real pipeline; what the whole worker costs beyond
these stages is the fetch and Faust's loop.
"""

import asyncio
import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Final

from feed import TOPICS, events

from models import codec
from models.events import KINDS
from models.units import EpochMs
from services import RedisServer
from streams.app import SLICE_RECORDS
from streams.bootstrap import GC_THRESHOLD
from streams.pipeline import Pipeline
from streams.ports import Applied, BatchWrite, Joined, RecordSlice, TopicPartition
from streams.settings import RedisSettings, load
from streams.sinks.list_sink import ListSink
from streams.store.redis_store import RedisStore

START: Final = EpochMs(1_750_000_000_000)
RUNS: Final = 3
STAGES: Final = ("decode", "join", "fold", "store")


class TimedStore(RedisStore):
    """The store, with the CPU of its two calls added up."""

    join_s = 0.0
    apply_s = 0.0

    async def join(self, *args: object, **kwargs: object) -> Joined:
        """As the store's."""
        began = process_time()
        try:
            return await super().join(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they come
        finally:
            self.join_s += process_time() - began

    async def apply(self, write: BatchWrite) -> Applied:
        """As the store's."""
        began = process_time()
        try:
            return await super().apply(write)
        finally:
            self.apply_s += process_time() - began


async def measure(count: int) -> dict[str, dict[str, float]]:
    """Give per topic and stage the CPU microseconds per record."""
    values: dict[str, list[bytes]] = {topic: [] for topic in TOPICS}
    for topic, _, value in events(count, 1, START):
        values[topic].append(value)
    best: dict[str, dict[str, float]] = {topic: {} for topic in TOPICS}
    with tempfile.TemporaryDirectory() as folder:
        redis = RedisServer(Path(folder) / "redis")
        try:
            for _ in range(RUNS):
                redis.flush()
                store = await TimedStore.connect(RedisSettings(url=redis.url), load().zone)
                pipeline = Pipeline(store, ListSink(), load(), lambda: START)
                for topic in TOPICS:
                    for stage, seconds in (await _run(pipeline, store, topic, values[topic])).items():
                        cost = seconds / len(values[topic]) * 1e6
                        best[topic][stage] = min(cost, best[topic].get(stage, cost))
                await store.close()
        finally:
            redis.stop()
    return best


async def _run(pipeline: Pipeline, store: TimedStore, topic: str, values: Sequence[bytes]) -> dict[str, float]:
    """Take one partition's records through the pipeline; decoding is timed apart, by itself."""
    tp, decode_s = TopicPartition(topic, 0), 0.0
    store.join_s = store.apply_s = whole_s = 0.0
    await pipeline.claim(tp)
    for first in range(0, len(values), SLICE_RECORDS):
        part = values[first : first + SLICE_RECORDS]
        began = process_time()
        codec.decode(KINDS[topic], part)
        decoded = process_time()
        await pipeline.ingest(
            RecordSlice(
                tp=tp,
                first=first,
                next_offset=first + len(part),
                timestamp=START + 600_000,
                generation=1,
                values=part,
                offsets=None,
            )
        )
        whole_s += process_time() - decoded
        decode_s += decoded - began
    spent = decode_s, store.join_s, whole_s - decode_s - store.join_s - store.apply_s, store.apply_s
    return dict(zip(STAGES, spent, strict=True))


def table(count: int) -> str:
    """Give the table in words."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)  # as the worker does
    rows = asyncio.run(measure(count))
    lines = [f"stage, us CPU per record{'':<2}" + "".join(f"{stage:>9}" for stage in STAGES) + f"{'sum':>9}"]
    for topic, stages in rows.items():
        costs = "".join(f"{stages[stage]:>9.2f}" for stage in STAGES)
        lines.append(f"{topic:<26}{costs}{sum(stages.values()):>9.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(400_000))
