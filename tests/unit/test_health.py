"""Alive follows the loop and the progress it makes; ready follows everything that keeps data from flowing."""

import json
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from streams.health import EXCUSE_S, SILENT_S, Health, HealthServer
from streams.telemetry import Telemetry


class Clock:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        """Now."""
        return self.at


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a path."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_new_worker_is_alive_and_not_ready() -> None:
    """Until partitions are claimed there is a reason not to be ready."""
    health = Health(Clock())

    assert ([], ["the worker is starting"]) == (health.not_alive(), health.not_ready())


def test_a_silent_loop_is_not_alive() -> None:
    """A loop that has not turned for long hangs; when it turns again, all is well."""
    clock = Clock()
    health = Health(clock)
    clock.at += SILENT_S + 1
    silent = health.not_alive()
    health.beat()

    assert (["the event loop has not turned for 16 s"], []) == (silent, health.not_alive())


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


@pytest.fixture
def working(clock: Clock) -> Health:
    """A worker that has started, with nothing to do."""
    health = Health(clock, stall_s=10)
    health.recovered("start")
    health.stalled()
    return health


def wait(health: Health, clock: Clock, seconds: int) -> list[str]:
    """Let time go by with the loop turning and the watchdog looking; give the verdict at the end."""
    for _ in range(seconds):
        clock.at += 1
        health.beat()
        health.stalled()
    return health.not_alive()


def test_a_slice_that_is_never_settled_is_a_stall(working: Health, clock: Clock) -> None:
    """A handler that hangs is a reason to restart, once it has had its time; when it ends, all is well."""
    working.begin("ingest.clicks")
    early, late = wait(working, clock, 10), wait(working, clock, 1)
    working.end("ingest.clicks")

    assert [] == early
    assert ["ingest.clicks has held one slice for 11 s"] == late
    assert [] == wait(working, clock, 1)


def test_progress_elsewhere_does_not_hide_it(working: Health, clock: Clock) -> None:
    """One agent that hangs holds up its topic for ever, whatever the others do."""
    working.begin("ingest.clicks")
    for _ in range(11):
        working.begin("ingest.orders")
        wait(working, clock, 1)
        working.end("ingest.orders")
        working.moved()

    assert ["ingest.clicks has held one slice for 11 s"] == working.not_alive()


def test_a_backlog_that_nobody_reads_is_a_stall(working: Health, clock: Clock) -> None:
    """Records that wait while no slice is in hand mean that the reader hangs; progress starts the time anew."""
    wait(working, clock, 100)
    working.backlog(7)
    early = wait(working, clock, 9)
    working.moved()

    assert ([], []) == (early, wait(working, clock, 10))
    assert ["7 records wait, and none was taken in hand for 11 s"] == wait(working, clock, 1)


@pytest.mark.parametrize(
    ("where", "expected"), [("store", 0), ("kafka", 0), ("log ads.clicks.v1/0", 1)], ids=["store", "kafka", "one-log"]
)
def test_waiting_for_a_service_is_no_stall(working: Health, clock: Clock, where: str, expected: int) -> None:
    """A known outage explains why nothing moves; a partition that is refused does not explain it for the others."""
    working.begin("ingest.clicks")
    working.trouble(where, "away")

    assert expected == len(wait(working, clock, 60))


def test_an_old_excuse_is_none(working: Health, clock: Clock) -> None:
    """Who waits for a service says so again and again; who has stopped saying it hangs."""
    working.begin("ingest.clicks")
    working.trouble("store", "away")

    assert 1 == len(wait(working, clock, int(EXCUSE_S) + 12))


def test_a_loop_that_hangs_is_a_stall_whatever_the_trouble(working: Health, clock: Clock) -> None:
    """No outage explains that the loop does not turn."""
    working.trouble("store", "away")
    clock.at += 11

    assert "the event loop has not turned for 11 s" == working.stalled()


def test_trouble_is_news_once() -> None:
    """The same trouble again is not news, another sentence is, and recovery is told once."""
    health = Health(Clock())

    assert [True, False, True] == [health.trouble("store", sentence) for sentence in ("a", "a", "b")]
    assert [True, False] == [health.recovered("store") for _ in range(2)]


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry with the worker's metrics."""
    registry = CollectorRegistry()
    Telemetry(registry)
    return registry


def test_the_server_answers_what_health_says(registry: CollectorRegistry) -> None:
    """200 or 503 with the reasons as JSON, metrics as text, 404 for the rest."""
    clock = Clock()
    health = Health(clock)
    server = HealthServer("127.0.0.1", 0, health, registry)
    try:
        starting = [get(server.port, path)[0] for path in ("/healthz", "/readyz")]
        health.recovered("start")
        health.trouble("store", "Redis at 广东 is away")
        away, reasons = get(server.port, "/readyz")
        health.recovered("store")
        ready = get(server.port, "/readyz?verbose")[0]
        clock.at += 100
        hung = [get(server.port, path)[0] for path in ("/healthz", "/readyz")]
        status, text = get(server.port, "/metrics")
        missing = get(server.port, "/")[0]
    finally:
        server.close()

    assert ([200, 503], 503, 200, [503, 503], 200, 404) == (starting, away, ready, hung, status, missing)
    assert {"status": "failing", "reasons": ["Redis at 广东 is away"]} == json.loads(reasons)
    assert "subsidywatch_worker_fenced_total 0.0" in text


def test_a_taken_port_is_an_error(registry: CollectorRegistry) -> None:
    """Two servers do not share an address."""
    first = HealthServer("127.0.0.1", 0, Health(Clock()), registry)
    try:
        with pytest.raises(OSError, match="in use"):
            HealthServer("127.0.0.1", first.port, Health(Clock()), registry)
    finally:
        first.close()
