"""`make bench`: what an event costs in our whole ingest line, next to stock Faust, on one real Kafka in one run.

Runs are interleaved and the median counts. Both engines read the same kind of
records from topics of the same shape; ours writes three scopes at three levels
to Redis exactly once, stock Faust sums in memory. A run whose counts are wrong
is disqualified and said so. Rows go to the terminal and to `.run/bench.json`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil
import stages
from feed import TOPICS, Record, events, fill

from models.units import EpochMs
from models.windows import Bucket, Level, Scope, day_of
from services import Broker, RedisServer, free_port, wait_for
from streams.settings import RedisSettings, load
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS as TABLE

ROOT: Final = Path(__file__).parents[2]
START: Final = EpochMs(1_750_000_000_000)
PARTITIONS: Final = 4
DEADLINE_S: Final = 300.0
"""A run that takes longer has hung: it is ended and counts as wrong."""


@dataclass(frozen=True)
class Row:
    """One run of one engine: what the consumer process cost, brokers and Redis not counted."""

    engine: str
    events: int
    cpu_s: float
    wall_s: float
    right: bool


def main() -> None:
    """Run the engines in turn, each on services of its own, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of each engine")
    parser.add_argument("--events", type=int, default=400_000, help="events of one of our runs")
    parser.add_argument("--stock-events", type=int, default=40_000, help="events of one stock run")
    options = parser.parse_args()
    rows: list[Row] = []
    for number in range(options.runs):
        for run, count in ((_ours, options.events), (_stock, options.stock_events)):
            with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as (broker, redis):
                row = run(broker, redis, list(events(count, number, START)), Path(folder))
            print(f"  run {number + 1}  {_line(row)}", flush=True)
            rows.append(row)
    _report(rows)
    stages.report(options.events)


@contextmanager
def _services(folder: Path) -> Iterator[tuple[Broker, RedisServer]]:
    broker = Broker(folder / "kafka")
    try:
        redis = RedisServer(folder / "redis")
        try:
            for topic in TABLE:
                broker.create_topic(topic.name, topic.partitions(PARTITIONS))
            yield broker, redis
        finally:
            redis.stop()
    finally:
        broker.stop()


def _ours(broker: Broker, redis: RedisServer, records: Sequence[Record], folder: Path) -> Row:
    """Start a worker, feed it, and wait until Redis holds every offset."""
    port = free_port()
    env = os.environ | {
        "SUBSIDYWATCH_KAFKA__BOOTSTRAP": broker.bootstrap,
        "SUBSIDYWATCH_REDIS__URL": redis.url,
        "SUBSIDYWATCH_WORKER__METRICS_PORT": str(port),
        "SUBSIDYWATCH_WORKER__LOG_LEVEL": "warning",
    }
    worker = subprocess.Popen([ROOT / ".venv/bin/subsidywatch", "worker"], env=env, cwd=folder)
    try:
        wait_for(lambda: _ready(port), 60, "the worker to be ready")
        process = psutil.Process(worker.pid)
        cpu, began = _cpu(process), perf_counter()
        sent = fill(broker.bootstrap, records)
        applied = wait_for(lambda: _applied(redis, sent), DEADLINE_S, "every offset in Redis", 0.2)
        return Row("subsidywatch", len(records), _cpu(process) - cpu, perf_counter() - began, applied == sent)
    finally:
        worker.terminate()
        worker.wait(20)


def _stock(broker: Broker, redis: RedisServer, records: Sequence[Record], folder: Path) -> Row:
    """Start the stock agents, feed them, and take their own account."""
    command = [sys.executable, str(Path(__file__).with_name("stock_faust.py"))]
    command += [broker.bootstrap, "stock", str(len(records)), str(folder / "faust")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder) as stock:
        assert stock.stdout is not None
        # Faust prints a banner and a spinner on the same stream.
        answers = (json.loads(line[line.index("{") :]) for line in stock.stdout if '{"' in line)
        assert next(answers) == {"ready": True}
        fill(broker.bootstrap, records)
        row = next(answers)
        stock.kill()  # it has said what it counted, and its threads may not end by themselves
    return Row("stock Faust agent", len(records), row["cpu_s"], row["wall_s"], row["events"] == len(records))


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _applied(redis: RedisServer, sent: Mapping[str, int]) -> dict[str, int] | None:
    """Give records counted in Redis per topic once all offsets are there; None before."""
    return asyncio.run(_counted(redis, sent))


async def _counted(redis: RedisServer, sent: Mapping[str, int]) -> dict[str, int] | None:
    store = await RedisStore.connect(RedisSettings(url=redis.url), load().zone)
    try:
        offsets = dict.fromkeys(sent, 0)
        for tp, step in (await store.progress()).items():
            if tp.topic in offsets:
                offsets[tp.topic] += step.next_offset
        if offsets != sent:
            return None
        day = Bucket(Level.DAY, day_of(START, load().zone))
        totals = (await store.totals(Scope.REGION, [day])).values()
        counts = [
            sum(values) for values in zip(*((t.impressions, t.clicks, t.orders_placed) for t in totals), strict=True)
        ]
        return dict(zip(TOPICS, counts, strict=True))
    finally:
        await store.close()


def _line(row: Row) -> str:
    verdict = "" if row.right else "  WRONG COUNT: disqualified"
    return (
        f"{row.engine:<20}{row.events:>10,} events{row.cpu_s / row.events * 1e6:>9.2f} us CPU"
        f"{row.events / row.wall_s:>12,.0f} events/s{verdict}"
    )


def _report(rows: list[Row]) -> None:
    """Print medians and the ratio; write `.run/bench.json` as the interface has it."""
    table = []
    versions = {"subsidywatch": version("subsidywatch"), "stock Faust agent": version("faust-streaming")}
    for engine in dict.fromkeys(row.engine for row in rows):
        runs = [row for row in rows if row.engine == engine]
        cpu = statistics.median(row.cpu_s / row.events * 1e6 for row in runs)
        rate = statistics.median(row.events / row.wall_s for row in runs)
        note = "" if all(row.right for row in runs) else "wrong counts: disqualified"
        table.append(
            {
                "job": "ingest",
                "engine": engine,
                "version": versions[engine],
                "events": runs[0].events,
                "cpu_us_per_event": round(cpu, 3),
                "events_per_s": round(rate),
                "runs": len(runs),
                "note": note,
            }
        )
        print(f"median  {engine:<20}{cpu:>9.2f} us CPU{rate:>12,.0f} events/s  {note}")
    ours, stock = (float(str(row["cpu_us_per_event"])) for row in table)
    print(f"ratio   {stock / ours:.1f}x events per CPU second against a stock Faust agent")
    target = ROOT / ".run" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
