"""Medians of the runs as a table on the terminal, `bench.json`, and a small plot."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from engines import JARS, PEERS_PYTHON, Engine
from measure import Run


@dataclass(frozen=True)
class Row:
    """One engine's medians at one job, as `bench.json` has it."""

    job: str
    engine: str
    version: str
    events: int
    cpu_us_per_event: float | None
    events_per_s: int | None
    runs: int
    note: str


def line(run: Run) -> str:
    """Give one run in words."""
    if not run.events:
        return f"{run.engine:<26}{run.note}"
    probes = f"probe {run.probe[0]:.3f} {run.probe[1]:.3f}"
    if len(run.marks) < 4:
        return f"{run.engine:<26}{run.events:>10,} events  {run.note}  {probes}"
    return (
        f"{run.engine:<26}{run.events:>10,} events {run.cpu_us:>9.2f} us drain {run.steady_us:>8.2f} us steady"
        f" {run.rate:>10,.0f}/s  {run.total_cpu:>5.1f} s whole  {run.peak_mb:>5.0f} MB  {probes}  {run.note}"
    )


def row(job: str, engine: Engine, runs: Sequence[Run]) -> Row:
    """Give the medians of an engine's runs; wrong ones are named and do not count."""
    good = [run for run in runs if not run.note]
    notes = sorted({run.note for run in runs if run.note})
    if not good:
        return Row(job, engine.name, _version(engine), runs[0].events, None, None, 0, "; ".join(notes))
    steady = statistics.median(run.steady_us for run in good)
    whole = statistics.median(run.total_cpu for run in good) - statistics.median(run.cpu_us for run in good) * (
        good[0].events / 1e6
    )
    notes.append(f"steady {steady:.2f} us, start-up {whole:.1f} s CPU, {max(run.peak_mb for run in good):.0f} MB")
    return Row(
        job,
        engine.name,
        _version(engine),
        good[0].events,
        round(statistics.median(run.cpu_us for run in good), 3),
        round(statistics.median(run.rate for run in good)),
        len(good),
        "; ".join(notes),
    )


def _version(engine: Engine) -> str:
    """Give the version of the package, from its jar or from its own environment."""
    jars = sorted((JARS / "lib").glob(f"{engine.package}-[0-9]*.jar"))
    if jars:
        return jars[0].stem.removeprefix(f"{engine.package}-")
    if engine.argv[0] == str(PEERS_PYTHON):
        found = sorted(PEERS_PYTHON.parents[1].glob(f"lib/python3*/site-packages/{engine.package}-*.dist-info"))
        return found[0].stem.removeprefix(f"{engine.package}-") if found else ""
    return version(engine.package)


def table(rows: Sequence[Row]) -> None:
    """Print the rows of one job, cheapest first."""
    for row in sorted(rows, key=lambda row: row.cpu_us_per_event or float("inf")):
        cost = "-" if row.cpu_us_per_event is None else f"{row.cpu_us_per_event:.2f}"
        rate = "-" if row.events_per_s is None else f"{row.events_per_s:,}"
        print(f"median {row.job} {row.engine:<26}{cost:>9} us CPU{rate:>12} events/s  {row.note}")


def keep(name: str, rows: Sequence[Mapping[str, object]], folder: Path) -> None:
    """Write `bench-NAME.json`."""
    folder.mkdir(exist_ok=True)
    (folder / f"bench-{name}.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def write(rows: Sequence[Row], folder: Path) -> None:
    """Write `bench.json`."""
    folder.mkdir(exist_ok=True)
    (folder / "bench.json").write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
