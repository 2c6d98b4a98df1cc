"""What happens in the worker shows in its metrics, its readiness and its end."""

import time
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from streams.health import Health
from streams.lifeline import Lifeline
from streams.observing import WorkerObserver
from streams.ports import TopicPartition
from streams.telemetry import Telemetry

TP = TopicPartition("ads.clicks.v1", 3)
PLACE = {"topic": "ads.clicks.v1", "partition": "3"}
Sample = Callable[..., float | None]


class Ending(Lifeline):
    """Remembers the fault instead of ending the test."""

    failed: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Remember."""
        self.failed = error


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty registry."""
    return CollectorRegistry()


@pytest.fixture
def health() -> Health:
    """A worker that starts."""
    return Health(time.monotonic)


@pytest.fixture
def observer(registry: CollectorRegistry, health: Health) -> WorkerObserver:
    """The observer under test."""
    return WorkerObserver(Telemetry(registry), health, Ending(1))


@pytest.fixture
def sample(registry: CollectorRegistry) -> Sample:
    """Reads one sample: `sample("lag_records", topic=..., partition=...)`; None when there is none."""
    return lambda name, **labels: registry.get_sample_value(f"subsidywatch_worker_{name}", labels)


def test_lag_is_the_end_of_the_log_minus_what_is_applied(observer: WorkerObserver, sample: Sample) -> None:
    """It grows with the log, shrinks with what is applied, and is never negative."""
    observer.assigned({TP: 100})
    lags = []
    steps: list[Callable[[], None]] = [
        lambda: observer.highwater(TP, 150),
        lambda: observer.applied(TP, 130),
        lambda: observer.applied(TP, 160),
        lambda: observer.highwater(TP, 170),
    ]
    for step in steps:
        step()
        lags.append(sample("lag_records", **PLACE))

    assert [50.0, 20.0, 0.0, 10.0] == lags
    assert 160.0 == sample("next_offset", **PLACE)


def test_a_partition_that_left_is_reported_by_its_new_worker(observer: WorkerObserver, sample: Sample) -> None:
    """Its series end here, or two workers would report it."""
    observer.assigned({TP: 100, TP._replace(partition=4): 0})
    observer.highwater(TP, 150)
    observer.revoked([TP, TopicPartition("never.held", 0)])

    assert (None, None, 1.0) == (
        sample("lag_records", **PLACE),
        sample("next_offset", **PLACE),
        sample("assigned_partitions"),
    )


def test_ready_once_assigned_and_without_trouble(observer: WorkerObserver, health: Health, sample: Sample) -> None:
    """Readiness shows as a metric too."""
    states = []
    steps: list[Callable[[], None]] = [
        lambda: observer.assigned({TP: 0}),
        lambda: observer.trouble("store", "Redis is away"),
        lambda: observer.trouble("fetch", "Kafka is away"),
        lambda: observer.recovered("store"),
        lambda: observer.recovered("fetch"),
    ]
    for step in steps:
        step()
        states.append((sample("ready"), len(health.not_ready())))

    assert [(1.0, 0), (0.0, 1), (0.0, 2), (0.0, 1), (1.0, 0)] == states


def test_every_outcome_is_counted(observer: WorkerObserver, sample: Sample) -> None:
    """Slices by outcome; records and time only of those applied."""
    for outcome in ("applied", "fenced", "applied"):
        observer.slice_ended("ingest.clicks", observer.slice_begun("ingest.clicks"), outcome, TP, 7)
    observer.slice_ended("ingest.clicks", observer.slice_begun("ingest.clicks"), "looked_back", TP, 0)
    observer.visible(TP, 0.27)
    observer.pressure(80_000, paused=True)
    observer.lost(TP, 100, 300)
    observer.fenced(TP)
    observer.retried("store")
    observer.committed({TP: 5}, accepted=False)
    observer.decided(time.perf_counter(), 2)
    observer.decide_put_off()
    topic = {"topic": TP.topic}

    outcomes = ("applied", "fenced", "gap", "looked_back")
    assert [2.0, 1.0, 0.0, 1.0] == [sample("slices_total", outcome=outcome) for outcome in outcomes]
    within = [sample("append_to_visible_seconds_bucket", le=bound, **topic) for bound in ("0.25", "0.3")]
    assert [0.0, 1.0] == within
    assert (80_000.0, 1.0) == (sample("unacknowledged_records"), sample("paused"))
    assert [14.0, 2.0] == [sample("records_total", **topic), sample("slice_duration_seconds_count", **topic)]
    assert 200.0 == sample("lost_records_total", **topic)
    assert [1.0, 1.0, 2.0, 1.0] == [
        sample("fenced_total"),
        sample("retries_total", service="store"),
        sample("decisions_total"),
        sample("decide_failures_total"),
    ]
    assert 1.0 == sample("commits_total", outcome="refused")


def test_what_is_behind_is_work() -> None:
    """Health hears of the records that wait over all partitions, and of each slice that is settled."""

    class Heard(Health):
        def backlog(self, records: int) -> None:
            said.append(records)

        def moved(self) -> None:
            said.append(-1)

    said: list[int] = []
    watched = WorkerObserver(Telemetry(CollectorRegistry()), Heard(time.monotonic), Ending(1))
    watched.assigned({TP: 100, TP._replace(partition=4): 0})
    for tp in (TP, TP._replace(partition=4)):
        watched.highwater(tp, 150)
    for outcome in ("fenced", "applied"):
        watched.slice_ended("ingest.clicks", 0.0, outcome, TP, 7)
    watched.applied(TP, 140)
    watched.revoked([TP._replace(partition=4)])

    assert [0, 0, 50, 200, -1, 160, 10] == said


def test_a_fatal_fault_ends_the_process(registry: CollectorRegistry, health: Health) -> None:
    """It goes to the lifeline."""
    ending = Ending(1)
    fault = RuntimeError("group is gone")
    WorkerObserver(Telemetry(registry), health, ending).fatal(fault)

    assert fault is ending.failed
