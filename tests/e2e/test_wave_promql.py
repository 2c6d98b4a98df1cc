"""A stretch of wave-31 through real Kafka, a worker and serve: Prometheus computes what `table` prints."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from counted_stack import Stack
from models.regions import PROVINCES
from models.scenario.catalogue import open_scenario
from models.scenario.ledger import Ledger
from models.totals import Totals
from services import Daemon, Prometheus, free_port, wait_for
from services.daemon import accepts
from services.worker import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SEED, DAYS, RATE = 7, 0.1, 5.0
WINDOWS = ("1h", "24h", "today", "all")

Rows = dict[str, dict[str, Any]]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Services of this test's own."""
    made = Stack(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def worker(stack: Stack) -> Worker:
    """A worker that is ready."""
    made = stack.start_worker()
    made.wait_ready()
    return made


@pytest.fixture
def serve(stack: Stack, tmp_path: Path) -> Iterator[int]:
    """Port of a serve process."""
    port = free_port()
    daemon = Daemon("serve", [sys.executable, "-P", "-m", "streams", "serve", "--port", str(port)], tmp_path, stack.env)
    wait_for(lambda: daemon.running() and accepts(port), 30, "serve to answer")
    yield port
    daemon.stop()


@pytest.fixture
def prometheus(worker: Worker, serve: int, tmp_path: Path) -> Iterator[Prometheus]:
    """A server that scrapes both processes every second."""
    made = Prometheus(tmp_path / "prometheus", {"worker": f"127.0.0.1:{worker.port}", "serve": f"127.0.0.1:{serve}"})
    yield made
    made.stop()


def test_promql_computes_what_the_table_prints(
    stack: Stack, worker: Worker, serve: int, prometheus: Prometheus, promtool: Path
) -> None:
    """Spend, clicks and both ROIs of every region and window are equal, and equal to the simulator's own sums."""
    flags = ("--seed", str(SEED), "--days", str(DAYS), "--rate", str(RATE), "--speed", "max")
    done = stack.run("simulate", "--scenario", "wave-31", "--to", "kafka", *flags)
    assert 0 == done.returncode, done.stderr
    stack.produced = sum(int(line.split()[1].replace(",", "")) for line in done.stdout.splitlines())
    stack.drain()
    tables = {window: rows_of(stack, window) for window in WINDOWS}
    assert len(PROVINCES) == len(tables["all"])

    wait_for(
        lambda: tables_by_promql(prometheus) == expected_of(tables), 30, "Prometheus to have scraped the last figures"
    )
    for name, port in (("worker", worker.port), ("serve", serve)):
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            checked = subprocess.run(
                [promtool, "check", "metrics"], input=answer.read(), capture_output=True, check=False
            )
        assert (name, 0, b"") == (name, checked.returncode, checked.stdout + checked.stderr)
    totals = {"records_total": stack.produced, "lag_records": 0}
    wait_for(
        lambda: worker_sums(prometheus, totals) == totals, 30, "Prometheus to have scraped the worker's last figures"
    )
    told = next(iter(tables["all"].values()))["totals"].keys()
    assert ledger(told) == {region: counters(row["totals"]) for region, row in tables["all"].items()}


def worker_sums(prometheus: Prometheus, names: Iterable[str]) -> dict[str, float]:
    """Give the worker's metrics summed over all series; one that was not scraped is absent."""
    found = {name: prometheus.query(f"sum(subsidywatch_worker_{name})") for name in names}
    return {name: series[0][1] for name, series in found.items() if series}


def rows_of(stack: Stack, window: str) -> Rows:
    """Give the rows of `table --json` by region."""
    done = stack.run("table", "--window", window, "--json")
    assert 0 == done.returncode, done.stderr
    return {row["region"]: row for row in json.loads(done.stdout)["rows"]}


def expected_of(tables: dict[str, Rows]) -> dict[str, dict[str, object]]:
    """Give what PromQL must compute: per window and figure, by region."""
    return {
        window: {
            "spend": {region: row["totals"]["spend_micros"] for region, row in rows.items()},
            "clicks": {region: row["totals"]["clicks"] for region, row in rows.items()},
            "direct ROI": {region: row["ratios"]["roi_direct"] for region, row in rows.items()},
            "total ROI": {region: row["ratios"]["roi_total"] for region, row in rows.items()},
        }
        for window, rows in tables.items()
    }


def tables_by_promql(prometheus: Prometheus) -> dict[str, dict[str, object]]:
    """Compute the same by PromQL from what was scraped."""

    def by_region(expression: str) -> dict[str, float]:
        return {labels["region"]: value for labels, value in prometheus.query(expression)}

    def ratio(over: str, window: str) -> dict[str, str]:
        spend = f'subsidywatch_region_spend_micros{{window="{window}"}}'
        found = by_region(f'subsidywatch_region_{over}{{window="{window}"}} / {spend}')
        return {region: f"{value:.6f}" for region, value in found.items()}

    return {
        window: {
            "spend": by_region(f'subsidywatch_region_spend_micros{{window="{window}"}}'),
            "clicks": by_region(f'subsidywatch_region_clicks{{window="{window}"}}'),
            "direct ROI": ratio("direct_gmv_micros", window),
            "total ROI": ratio("total_gmv_micros", window),
        }
        for window in WINDOWS
    }


def ledger(told: Collection[str]) -> dict[str, dict[str, int]]:
    """Give the simulator's own sums per region, of the counters that the table tells one by one."""
    sums = Ledger()
    for record in open_scenario("wave-31", SEED, DAYS, RATE).records:
        sums.add(record)
    return {
        region: {name: value for name, value in totals.nonzero().items() if name in told}
        for region, totals in sums.totals("region").items()
    }


def counters(totals: dict[str, int]) -> dict[str, int]:
    """Give the counters that are not zero."""
    kept = {name: value for name, value in totals.items() if name != "gmv_net_micros"}
    return Totals.of(kept).nonzero()
