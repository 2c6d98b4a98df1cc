"""Alive follows the loop and the slices in hand; ready follows everything that keeps data from flowing."""

import json
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from streams.health import SILENT_S, STUCK_S, Health, HealthServer
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


def test_a_slice_in_hand_too_long_is_not_alive_unless_we_know_why() -> None:
    """A handler that hangs is a reason to restart; one that waits for a store that is away is not."""
    clock = Clock()
    health = Health(clock)
    health.recovered("start")
    health.begin("ingest.clicks")
    clock.at += STUCK_S + 1
    health.beat()
    stuck = health.not_alive()
    health.trouble("store", "Redis is away")
    waiting = health.not_alive()
    health.recovered("store")
    health.end("ingest.clicks")

    assert (["ingest.clicks has held one slice for 121 s"], [], []) == (stuck, waiting, health.not_alive())


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
