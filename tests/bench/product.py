"""J3: a whole `subsidywatch worker` drains topics that were filled before, and every counter is held to the truth."""

import asyncio
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import feed
import measure
import psutil
import redis
import stand
from engines import ROOT
from measure import Mark, Run

from models.units import EpochMs
from models.windows import Bucket, Level, Scope, day_of
from services import free_port
from streams.settings import RedisSettings, load
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS as TABLE

START: Final = EpochMs(1_750_000_000_000)
PROGRAM: Final = str(ROOT / ".venv/bin/subsidywatch")
LOOK_S: Final = 0.02


def fill(place: stand.Stand, events: int, prefix: str = "", partitions: int = stand.PARTITIONS) -> feed.Truth:
    """Make the topics and fill the three of the day; give the truth.

    Args:
        place: the services.
        events: how many, all topics together.
        prefix: laid before the topics' names.
        partitions: of each topic.
    """
    for topic in TABLE:
        place.broker.create_topic(prefix + topic.name, topic.partitions(partitions))
    sender, failed, truth = stand.producer(place.broker.bootstrap), list[object](), feed.Truth()
    for number, (name, user, value) in enumerate(feed.events(events, 1, START, truth)):
        sender.produce(
            prefix + name, value, key=user, on_delivery=lambda error, _: failed.append(error) if error else None
        )
        if not number % 1_000:
            sender.poll(0)
    stand.settle(sender, failed)
    return truth


def filled(place: stand.Stand, events: int, prefix: str) -> feed.Truth:
    """Fill the topics the first time; give the truth."""
    if prefix not in place.truths:
        place.truths[prefix] = fill(place, events, prefix)
    return place.truths[prefix]


@dataclass(frozen=True)
class Sample:
    """How far a worker had come, and what it had cost by then."""

    records: int
    mark: Mark


def drain(place: stand.Stand, truth: feed.Truth, folder: Path, group: str, workers: int = 1) -> Run:
    """Start workers on the filled topics, wait until every offset is in Redis, check, stop them; CPU is their sum."""
    before = measure.probe()
    place.server.flush()
    started = [start(place, folder, group, number) for number in range(workers)]
    try:
        processes = [psutil.Process(worker.pid) for worker in started]
        samples, note = asyncio.run(_watch(place, processes, sum(truth.records.values())))
        peak = max(_peak_mb(worker.pid) for worker in started)
        total = _mark(processes).cpu
    finally:
        for worker in started:
            stop(worker)
    note = note or asyncio.run(_complaint(place, truth))
    events = sum(truth.records.values())
    marks = {
        name: _at(samples, share * events)
        for name, share in (("first", 0.0), ("half", 0.5), ("ninety", 0.9), ("last", 1.0))
    }
    return Run("subsidywatch", events, marks, total, peak, (before, measure.probe()), note)


def start(
    place: stand.Stand, folder: Path, group: str, number: int = 0, tuned: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a worker on the engine's core."""
    env = os.environ | {
        "SUBSIDYWATCH_KAFKA__BOOTSTRAP": place.broker.bootstrap,
        "SUBSIDYWATCH_KAFKA__GROUP": group,
        "SUBSIDYWATCH_REDIS__URL": place.server.url,
        "SUBSIDYWATCH_WORKER__METRICS_PORT": str(free_port()),
        "SUBSIDYWATCH_WORKER__LOG_LEVEL": "warning",
        **(tuned or {}),
    }
    with (folder / f"{group}.{number}.log").open("wb") as log:
        command = ["taskset", "-c", measure.ENGINE_CORE, PROGRAM, "worker"]
        return subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def stop(worker: subprocess.Popen[bytes]) -> None:
    """End a worker, by force if it does not listen."""
    worker.terminate()
    try:
        worker.wait(30)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


async def _watch(place: stand.Stand, processes: list[psutil.Process], events: int) -> tuple[list[Sample], str]:
    """Look how far it has come until it has everything."""
    with redis.Redis.from_url(place.server.url) as client:
        deadline = time.monotonic() + measure.DEADLINE_S
        while not client.dbsize():
            if time.monotonic() > deadline or not all(process.is_running() for process in processes):
                return [], "never claimed a partition"
            await asyncio.sleep(LOOK_S / 4)
    samples = [Sample(0, _mark(processes))]
    store = await RedisStore.connect(RedisSettings(url=place.server.url), load().zone)
    try:
        while samples[-1].records < events:
            await asyncio.sleep(LOOK_S)
            if time.monotonic() > deadline:
                return samples, f"hung at {samples[-1].records:,} records"
            progress = await store.progress()
            records = sum(step.next_offset for tp, step in progress.items() if tp.topic in feed.TOPICS)
            samples.append(Sample(records, _mark(processes)))
    finally:
        await store.close()
    return samples, ""


def _mark(processes: list[psutil.Process]) -> Mark:
    """Give clock and CPU of the processes and their children."""
    tree = [one for process in processes for one in (process, *process.children(recursive=True))]
    return Mark(time.perf_counter(), sum(times.user + times.system for times in (one.cpu_times() for one in tree)))


def _at(samples: list[Sample], records: float) -> Mark:
    """Give the mark of the first look that saw so many records."""
    return next((sample.mark for sample in samples if sample.records >= records), Mark(0.0, 0.0))


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


async def _complaint(place: stand.Stand, truth: feed.Truth) -> str:
    """Say which counters are not true; nothing when all are."""
    store = await RedisStore.connect(RedisSettings(url=place.server.url), load().zone)
    try:
        day = [Bucket(Level.DAY, day_of(START, load().zone))]
        campaigns, regions = await store.totals(Scope.CAMPAIGN, day), await store.totals(Scope.REGION, day)
    finally:
        await store.close()
    actual = {
        "ads": {name: [row.impressions, row.clicks, row.spend_micros] for name, row in campaigns.items()},
        "credited": {name: [row.total_orders, row.total_gmv_micros] for name, row in campaigns.items()},
        "placed": {name: [row.orders_placed, row.gmv_placed_micros] for name, row in regions.items()},
    }
    wrong = [
        f"{what}: {sum(rows.get(name) != amounts for name, amounts in expected.items())} of {len(expected)}"
        for what, expected in (("ads", truth.ads), ("credited", truth.credited), ("placed", truth.placed))
        for rows in (actual[what],)
        if any(rows.get(name) != amounts for name, amounts in expected.items())
    ]
    return f"WRONG COUNT: {'; '.join(wrong)} members differ: disqualified" if wrong else ""
