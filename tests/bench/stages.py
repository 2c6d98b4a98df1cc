"""Where the worker's CPU goes: decode, fold and store of the benchmark's records, stage by stage, best of five.

`make bench` prints it after the peers. Slices are as the transport cuts them
from a backlog; the fetch is what the whole process costs beyond these stages.
"""

import asyncio
import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any, Final

from feed import TOPICS, events

from models import codec
from models.codec import Decoded
from models.events import KINDS, Kind
from models.fold import Folded, Folder
from models.orders import Eligibility
from models.units import DurationMs, EpochMs
from models.visits import Known, VisitTexts
from services import RedisServer
from streams.app import SLICE_RECORDS
from streams.arenas import kept_arenas
from streams.bootstrap import GC_THRESHOLD
from streams.ports import BatchWrite, TopicPartition
from streams.settings import RedisSettings, load
from streams.store.redis_store import RedisStore

START: Final = EpochMs(1_750_000_000_000)
RUNS: Final = 5
STAGES: Final = ("decode", "fold", "store")


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
                store = await RedisStore.connect(RedisSettings(url=redis.url), load().zone)
                for topic in TOPICS:
                    for stage, seconds in (await _run(store, topic, values[topic])).items():
                        cost = seconds / len(values[topic]) * 1e6
                        best[topic][stage] = min(cost, best[topic].get(stage, cost))
                await store.close()
        finally:
            redis.stop()
    return best


async def _run(store: RedisStore, topic: str, values: Sequence[bytes]) -> dict[str, float]:
    tp, head, spent = TopicPartition(topic, 0), None, dict.fromkeys(STAGES, 0.0)
    epoch = (await store.claim(tp)).epoch
    for first in range(0, len(values), SLICE_RECORDS):
        part = values[first : first + SLICE_RECORDS]
        began = process_time()
        decoded: Decoded[Any] = codec.decode(KINDS[topic], part)
        read = process_time()
        folded = await _fold(store, tp, decoded, head)
        summed = process_time()
        write = BatchWrite(
            tp=tp,
            epoch=epoch,
            first=first,
            next_offset=first + len(part),
            head=folded.head,
            now=START,
            deltas=folded.deltas,
            vectors=folded.vectors,
            evidence=folded.evidence,
            lines=folded.lines,
            tallies=folded.tallies,
        )
        await store.apply(write)
        for stage, seconds in zip(STAGES, (read - began, summed - read, process_time() - summed), strict=True):
            spent[stage] += seconds
        head = folded.head
    return spent


async def _fold(
    store: RedisStore,
    tp: TopicPartition,
    decoded: Decoded[Any],
    head: EpochMs | None,
) -> Folded:
    settings = load()
    eligible = settings.rules.eligibility
    folder = Folder(settings.zone, DurationMs(300_000), Eligibility(eligible.category, eligible.price_cap_micros))
    kind, time = KINDS[tp.topic], EpochMs(START + 600_000)
    if kind is not Kind.ORDERS:
        return folder.fold_ads(kind, decoded, head, time)
    ids = folder.line_ids(decoded.events)
    lines = dict(zip(ids, await store.lines(tp, ids), strict=True))
    asked = folder.visit_ids(decoded.events), folder.more_visit_ids(decoded.events, lines)
    visits: VisitTexts = {day: {} for days in asked for day in days}
    return folder.fold_orders(decoded, Known(lines=lines, visits=visits), head, time)


def report(count: int) -> None:
    """Print the table."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)  # as the worker does
    with kept_arenas():
        rows = asyncio.run(measure(count))
    print(f"stage, us CPU per record{'':<2}" + "".join(f"{stage:>9}" for stage in STAGES) + f"{'sum':>9}")
    for topic, stages in rows.items():
        print(f"{topic:<26}" + "".join(f"{stages[stage]:>9.2f}" for stage in STAGES) + f"{sum(stages.values()):>9.2f}")


if __name__ == "__main__":
    report(400_000)
