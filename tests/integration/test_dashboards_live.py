"""Every query of the dashboards gives what our own totals say, on a real Prometheus that scrapes real expositions."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import services
from models.roi import Labels, roi
from models.scenario.ledger import Ledger
from models.scenario.world import START, World
from models.totals import Totals
from models.units import MINUTE_MS, EpochMs
from streams.backtesting import Backtest
from streams.files.findings import Findings
from streams.files.recorded import Recorded
from streams.gauges import ServeMetrics
from streams.settings import Settings
from streams.telemetry import Telemetry
from streams.topics import INPUTS
from streams.web.snapshots import Snapshots

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
MAY_BE_EMPTY = {
    "sum(max by (kind) (subsidywatch_late_records",
    "sum(max by (kind) (subsidywatch_duplicates_records",
    "max by (what) (subsidywatch_forgotten_visits",
    "sum(max by (what) (subsidywatch_late_attributions",
    "sum by (least) (max by (kind, least) (subsidywatch_late_by_records",
}
"""Nothing in an orderly hour is late, repeated or forgotten."""


class Scraped(NamedTuple):
    """A Prometheus that sees both processes, and the truth."""

    prometheus: services.Prometheus
    ledger: Ledger
    serve_text: bytes


def an_hour(folder: Path) -> tuple[Backtest, Ledger]:
    """Count an hour of wave-31 with some garbage in it; give the store's run and the market's own sums."""
    ledger, world, settings = Ledger(), World(7, rate=10), Settings()
    emitted = world.opening()
    for minute in range(60):
        emitted.extend(world.step(EpochMs(START + minute * MINUTE_MS)))
    records = []
    for number, record in enumerate(emitted):
        ledger.add(record)
        text = json.dumps(record.body)
        records.append(Recorded(record.arrival, record.topic, text.encode(), "wave", number, text))
        if number % 100 == 0:
            records.append(Recorded(record.arrival, "ads.clicks.v1", b"{", "wave", number, "{"))
    with Findings(folder) as findings:
        made = Backtest(settings, findings, tick_s=5)
        asyncio.run(made.run(records, lambda: None))
    return made, ledger


def exposition(made: Backtest) -> bytes:
    """What `serve` exposes of that store."""
    settings = Settings()
    snapshots = Snapshots(settings, lambda: EpochMs(START + 60 * MINUTE_MS))
    snapshots.attach(made.store)
    return asyncio.run(ServeMetrics(settings, snapshots).render(1))


def working(telemetry: Telemetry) -> None:
    """Let a worker's metrics move, as between two scrapes."""
    for topic in (spec.name for spec in INPUTS):
        telemetry.records.labels(topic).inc(100)
        telemetry.slice_seconds.labels(topic).observe(0.02)
        telemetry.visible_seconds.labels(topic).observe(0.1)
        telemetry.lag.labels(topic, "0").set(3)
        telemetry.lost.labels(topic).inc()
    for service in ("kafka", "redis"):
        telemetry.retries.labels(service).inc()
    telemetry.slices.labels("applied").inc()
    telemetry.commits.labels("accepted").inc()
    telemetry.decide_seconds.observe(0.01)
    telemetry.ready.set(1)


def serving(texts: dict[str, bytes]) -> ThreadingHTTPServer:
    """Serve `/serve` as it is, and `/worker` moving on at each scrape."""
    registry = CollectorRegistry()
    telemetry = Telemetry(registry)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            working(telemetry)
            body = texts.get(self.path) or generate_latest(registry)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """Prometheus scraping a read side that holds an hour of wave-31, and a busy worker."""
    made, ledger = an_hour(tmp_path_factory.mktemp("findings"))
    text = exposition(made)
    server = serving({"/serve": text})
    address = f"127.0.0.1:{server.server_address[1]}"
    rules = [ROOT / "deploy/prometheus/recording.yml", ROOT / "deploy/prometheus/alerts.yml"]
    jobs = {"serve": f"{address}/serve", "worker": f"{address}/worker"}
    prometheus = services.Prometheus(tmp_path_factory.mktemp("prometheus"), jobs, rules)
    yield Scraped(prometheus, ledger, text)
    prometheus.stop()
    server.shutdown()
    server.server_close()


def query(scraped: Scraped, expression: str) -> dict[frozenset[str], float]:
    """Label values and value of each series, once there is one."""
    for variable, value in {"$__rate_interval": "5s", "$job": ".+", "$instance": ".+", "$window": "all"}.items():
        expression = expression.replace(variable, value)
    rows = services.wait_for(lambda: scraped.prometheus.query(expression), timeout=30, what=expression)
    return {frozenset(labels.values()): value for labels, value in rows}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_no_panel_is_empty(path: Path, scraped: Scraped) -> None:
    """Every query of every panel has an answer, and every number is one."""
    panels = json.loads(path.read_text(encoding="utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]

    values = [query(scraped, text).values() for text in expressions if not text.startswith(tuple(MAY_BE_EMPTY))]

    assert [] == [value for found in values for value in found if value != value]


@pytest.mark.parametrize("counter", ["spend_micros", "clicks", "impressions", "direct_orders", "direct_gmv_micros"])
def test_sums_by_region_are_the_markets_own(counter: str, scraped: Scraped) -> None:
    """What PromQL reads is what was emitted, to the last micro."""
    expected = {frozenset({region}): getattr(sums, counter) for region, sums in scraped.ledger.totals("region").items()}

    assert expected == query(scraped, f'max by (region) (subsidywatch_region_{counter}{{window="all"}})')


def test_roi_by_promql_is_the_kpi(scraped: Scraped) -> None:
    """Dividing sums in PromQL gives the ratio that the table shows."""
    whole = Totals.sum(scraped.ledger.totals("region").values())
    expected = roi(whole, Labels(scope="direct"))
    assert expected is not None

    panels = json.loads((ROOT / "deploy/grafana/dashboards/regions.json").read_text(encoding="utf-8"))["panels"]
    text = next(panel["targets"][0]["expr"] for panel in panels if panel["title"] == "Direct ROI")

    assert [pytest.approx(float(expected), rel=1e-12)] == list(query(scraped, text).values())


def test_lost_records_alert_is_pending_or_firing(scraped: Scraped) -> None:
    """The rules are loaded and run on the same metrics: lost records are seen."""
    assert query(scraped, 'ALERTS{alertname="RecordsLost"}')


def test_promtool_is_content_with_what_we_expose(scraped: Scraped, promtool: Path) -> None:
    """Names, units and help texts follow the conventions."""
    registry = CollectorRegistry()
    working(Telemetry(registry))
    for text in (scraped.serve_text, generate_latest(registry)):
        own = b"".join(line for line in text.splitlines(keepends=True) if re.search(rb"\bsubsidywatch_", line))
        done = subprocess.run([promtool, "check", "metrics"], input=own, capture_output=True, check=False)

        assert (0, b"") == (done.returncode, done.stderr)
