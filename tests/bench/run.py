"""`make bench`: what an event costs, ours and ten other engines on one real Kafka in one run, counts checked.

```
J1   Yahoo Streaming Benchmark: views per campaign and 10 s, into Redis
J2   the same, views per campaign in the last hour, every minute
J3   the whole product: validation, duplicates, attribution, three scopes at three levels
```

The engine has core 0 for itself; broker, Redis and this driver share core 1.
Runs are interleaved and the median counts; a run whose answer is wrong is
disqualified and says so. Rows go to the terminal and to `.run/bench.json`.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import measure
import offered
import page
import plot
import product
import report
import scale
import stages
from engines import ENGINES, OURS, PEERS, ROOT, Engine
from report import Row
from stand import Stand, stand

EVENTS: Final = 4_000_000
STAGE_EVENTS: Final = 400_000
SCALE_EVENTS: Final = 1_000_000


def main() -> None:
    """Run the chosen engines in turn, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="interleaved runs of each engine")
    parser.add_argument("--events", type=int, default=EVENTS, help="events that a fast engine reads in one run")
    parser.add_argument("--jobs", default="J1,J2,J3", help="which jobs")
    parser.add_argument("--engines", default="", help="which engines, by any part of their names; all when empty")
    parser.add_argument("--latency", action="store_true", help="also offer half and 80 %% of J3's rate")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="also offer half of it for long")
    parser.add_argument("--scale", action="store_true", help="also 1, 2 and 4 partitions, 1 and 2 workers")
    parser.add_argument("--docs", action="store_true", help="also write the figures into docs/performance.md")
    options = parser.parse_args()
    wanted = [word.strip().lower() for word in options.engines.split(",") if word.strip()]
    chosen = [engine for engine in ENGINES if not wanted or any(word in engine.name.lower() for word in wanted)]
    jobs = [job.strip().upper() for job in options.jobs.split(",")]
    os.sched_setaffinity(0, {measure.OTHER_CORE})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the services are ended
    rows: list[Row] = []
    spent, seen = "", list[dict[str, object]]()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, stand(Path(folder)) as place:
        for job in jobs:
            rows += _job(place, job, chosen, options, Path(folder))
            report.write(rows, ROOT / ".run")
    if "J3" in jobs:
        spent = stages.table(STAGE_EVENTS)
        print(spent)
    rate = next((row.events_per_s for row in rows if (row.job, row.engine) == ("J3", OURS)), None)
    if rate and options.latency:
        seen = offered.latency(rate)
        report.keep("latency", seen, ROOT / ".run")
    (ROOT / ".run/bench.svg").write_text(plot.plot(rows, page.TITLES), encoding="utf-8")
    if options.docs:
        (ROOT / "docs/images/bench.svg").write_text(plot.plot(rows, page.TITLES), encoding="utf-8")
        page.write(ROOT / "docs/performance.md", rows, seen, spent)
    if options.scale:
        grown = scale.scale(min(options.events, SCALE_EVENTS))
        report.keep("scale", grown, ROOT / ".run")
        if options.docs:
            page.write_scale(ROOT / "docs/scale.md", grown)
    if rate and options.soak:
        report.keep("soak", offered.soak(rate / 2, options.soak), ROOT / ".run")


def _job(place: Stand, job: str, chosen: Sequence[Engine], options: argparse.Namespace, folder: Path) -> list[Row]:
    """Run a job on every engine that does it, in turn; give its rows."""
    engines = [engine for engine in chosen if job in engine.jobs]
    done: dict[str, list[measure.Run]] = {engine.name: [] for engine in engines}
    for number in range(options.runs):
        for engine in engines:
            run = _once(place, job, engine, options.events, number, folder)
            print(f"  {job} {number + 1}  {report.line(run)}", flush=True)
            done[engine.name].append(run)
    rows = [report.row(job, engine, done[engine.name]) for engine in engines]
    report.table(rows)
    return rows


def _once(place: Stand, job: str, engine: Engine, events: int, number: int, folder: Path) -> measure.Run:
    """Fill the topics if need be, empty Redis, run, check."""
    missing = engine.missing()
    if missing:
        return measure.Run.not_run(engine.name, missing)
    count = engine.events(job, events)
    group = f"{job}.{engine.name.replace(' ', '-').replace(',', '')}.{number}"
    work = folder / group
    work.mkdir()
    if job == "J3":
        prefix = "" if engine.ours else "few."
        truth = product.filled(place, count, prefix)
        if engine.ours:
            return product.drain(place, truth, work, group)
        topic, views, check = prefix, 0, _unchecked
    else:
        topic = place.topic(job, count, keyed=engine.keyed)
        check = lambda: place.complaint(job, topic, ours=engine.ours)  # noqa: E731
        views = place.views(topic)
    place.reset()
    env = {
        "BENCH_BOOTSTRAP": place.broker.bootstrap,
        "BENCH_REDIS": place.server.url,
        "BENCH_TOPIC": topic,
        "BENCH_EVENTS": str(count),
        "BENCH_VIEWS": str(views),
        "BENCH_JOB": job,
        "BENCH_GROUP": group,
        "BENCH_FOLDER": str(work),
        "PYTHONPATH": str(PEERS),
    }
    return measure.run(engine.name, engine.argv, env, work, count, check)


def _unchecked() -> str:
    """Sums in memory that nobody reads: the process ends when it has counted all."""
    return ""


if __name__ == "__main__":
    main()
