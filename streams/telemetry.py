"""Every Prometheus metric of the worker process, declared once; the registry is handed in.

Seconds and ratios, never milliseconds or percent. Labels come from closed sets:
topics and partitions of the settings, reasons and outcomes of the code.
Business gauges are the read side's and live in `streams.gauges`.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

NAMESPACE: Final = "subsidywatch_worker"
OUTCOMES: Final = ("applied", "looked_back", "fenced", "gap", "dropped")
"""What becomes of a slice; `looked_back` was counted before and is read again for its ids."""
VISIBLE_BUCKETS: Final = (0.05, 0.1, 0.25, 0.3, 0.5, 1.0, 2.0, 5.0)
SLICE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """The worker's metrics; each attribute is one metric, its help says what it counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declare all metrics in `registry`."""

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, namespace=NAMESPACE, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, namespace=NAMESPACE, registry=registry)

        def seconds(name: str, text: str, *labels: str, buckets: tuple[float, ...] = SLICE_BUCKETS) -> Histogram:
            return Histogram(name, text, labels, namespace=NAMESPACE, registry=registry, buckets=buckets)

        self.records = counter("records", "Records read from Kafka and settled.", "topic")
        self.slices = counter("slices", f"Slices by what became of them: {', '.join(OUTCOMES)}.", "outcome")
        self.slice_seconds = seconds("slice_duration_seconds", "Time to settle one slice, retries included.", "topic")
        self.visible_seconds = seconds(
            "append_to_visible_seconds",
            "From the broker's append of a slice's oldest record batch to its totals in the store.",
            "topic",
            buckets=VISIBLE_BUCKETS,
        )
        self.unacked = gauge("unacknowledged_records", "Records handed out and not settled; a kilobyte counts as one.")
        self.paused = gauge("paused", "1 while nothing more is taken in because too much is not settled, else 0.")
        self.retries = counter("retries", "Calls repeated because a service was away.", "service")
        self.lag = gauge("lag_records", "End of the log minus first offset not applied.", "topic", "partition")
        self.position = gauge("next_offset", "First offset not applied.", "topic", "partition")
        self.assigned = gauge("assigned_partitions", "Partitions this worker reads.")
        self.assignments = counter("assignments", "Times partitions were claimed and read from the store's offset.")
        self.lost = counter("lost_records", "Offsets the log dropped before they were read.", "topic")
        self.fenced = counter("fenced", "Slices refused because another worker owns the partition.")
        self.commits = counter("commits", "Offset commits by outcome: accepted or refused.", "outcome")
        self.decide_seconds = seconds("decide_duration_seconds", "Time of one run of the decide line.")
        self.decisions = counter("decisions", "Transitions and shifts decided.")
        self.decide_failures = counter("decide_failures", "Runs of the decide line put off because a service was away.")
        self.ready = gauge("ready", "1 when nothing keeps data from flowing, else 0.")
        for outcome in OUTCOMES:
            self.slices.labels(outcome)
        for outcome in ("accepted", "refused"):
            self.commits.labels(outcome)
