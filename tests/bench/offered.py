"""Load at a given rate on a running worker: how long until a record is visible, and how it fares for long."""

import re
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import feed
import product
import psutil
import stand

from services import free_port, wait_for
from streams.topics import TOPICS as TABLE

LATENCY_S: Final = 30.0
CAMPAIGNS: Final = 1_000_000
TICK_S: Final = 0.02
SETTLE_S: Final = 5.0
"""Before the first figure counts."""
_SAMPLE: Final = re.compile(r"^(\w+)(?:\{(.*?)\})? (\S+)$", re.MULTILINE)
VISIBLE: Final = "subsidywatch_worker_append_to_visible_seconds_bucket"


@dataclass
class Offered:
    """A worker that reads what is offered to it."""

    place: stand.Stand
    port: int
    process: psutil.Process

    def metrics(self) -> list[tuple[str, str, float]]:
        """Give (name, labels, value) of every series."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return [(name, labels, float(value)) for name, labels, value in _SAMPLE.findall(text)]

    def ready(self) -> bool:
        """Tell whether data flows."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def visible(self) -> dict[float, float]:
        """Give the histogram of all topics: upper bound to records' slices at most that old."""
        buckets: defaultdict[float, float] = defaultdict(float)
        for name, labels, value in self.metrics():
            if name == VISIBLE:
                buckets[float(dict(re.findall(r'(\w+)="(.*?)"', labels))["le"])] += value
        return buckets

    def lag(self) -> float:
        """Give the records not yet applied, as the worker says."""
        return sum(value for name, _, value in self.metrics() if name == "subsidywatch_worker_lag_records")

    def offer(self, records: Iterator[feed.Record], rate: float, seconds: float) -> Iterator[float]:
        """Send records at `rate` a second for `seconds`; yields once in a while, with the seconds gone."""
        sender = stand.producer(self.place.broker.bootstrap)
        began, sent = time.monotonic(), 0
        while (gone := time.monotonic() - began) < seconds:
            due = int(gone * rate)
            for _ in range(due - sent):
                topic, user, value = next(records)
                sender.produce(topic, value, key=user)
            sent = max(sent, due)
            sender.poll(0)
            yield gone
            time.sleep(TICK_S)
        stand.settle(sender, [])


@contextmanager
def _worker(name: str) -> Iterator[Offered]:
    """Start services of its own with empty topics, and a worker on them that is ready."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, stand.stand(Path(folder)) as place:
        for topic in TABLE:
            place.broker.create_topic(topic.name, topic.partitions(stand.PARTITIONS))
        port = free_port()
        worker = product.start(place, Path(folder), name, tuned={"SUBSIDYWATCH_WORKER__METRICS_PORT": str(port)})
        try:
            offered = Offered(place, port, psutil.Process(worker.pid))
            wait_for(offered.ready, 60, "the worker to be ready", 0.2)
            yield offered
        finally:
            product.stop(worker)


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Give the time below which `share` of what came between two looks lies, by line within its bucket, s."""
    grown = [(bound, after[bound] - before.get(bound, 0.0)) for bound in sorted(after)]
    wanted, low, below = share * grown[-1][1], 0.0, 0.0
    for bound, count in grown:
        if count >= wanted and count > below:
            if bound == float("inf"):
                return float("inf")
            return low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


def latency(drained: float) -> list[dict[str, object]]:
    """Offer half and 80 % of the drained rate, one after the other; print and give what became of it."""
    rows: list[dict[str, object]] = []
    for share in (0.5, 0.8):
        rate = drained * share
        records = list(feed.events(int(rate * (LATENCY_S + SETTLE_S) * 1.05), 7, product.START))
        with _worker(f"latency.{share}") as offered:
            before: dict[float, float] = {}
            for gone in offered.offer(iter(records), rate, LATENCY_S + SETTLE_S):
                if gone > SETTLE_S and not before:
                    before = offered.visible()
            lag, after = offered.lag(), offered.visible()
        p50, p99 = quantile(before, after, 0.5), quantile(before, after, 0.99)
        print(f"latency at {share:.0%}: {rate:,.0f}/s, visible p50 {p50:.3f} s, p99 {p99:.3f} s, {lag:,.0f} behind")
        rows.append({"share": share, "rate": round(rate), "p50_s": round(p50, 3), "p99_s": round(p99, 3), "lag": lag})
    return rows


def soak(rate: float, minutes: float) -> list[dict[str, object]]:
    """Offer `rate` of a million campaigns and users for long; print and give memory, series and lag by minute."""
    rows: list[dict[str, object]] = []
    with _worker("soak") as offered:
        for gone in offered.offer(feed.endless(product.START, rate, CAMPAIGNS), rate, minutes * 60):
            if gone >= len(rows) * 60:
                series = len(offered.metrics())
                row = {"minute": len(rows), "rss_mb": round(offered.process.memory_info().rss / 2**20)}
                rows.append({**row, "series": series, "lag": offered.lag()})
                print("soak", rows[-1], flush=True)
    return rows
