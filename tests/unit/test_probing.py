"""The container's health check tells healthy, unhealthy and absent apart."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from models.errors import ServiceUnavailable, SettingsError
from streams.health import Health, HealthServer
from streams.probing import probe


@pytest.fixture
def server() -> Iterator[HealthServer]:
    """A worker that is alive and not ready yet."""
    served = HealthServer("127.0.0.1", 0, Health(lambda: 0.0), CollectorRegistry())
    yield served
    served.close()


def test_alive_is_content(server: HealthServer) -> None:
    """A page that answers 200 is content."""
    content, _ = probe(f"http://127.0.0.1:{server.port}/healthz")

    assert content


def test_trouble_is_told_in_words(server: HealthServer) -> None:
    """A page that answers otherwise is not, and says why."""
    content, said = probe(f"http://127.0.0.1:{server.port}/readyz")

    assert not content
    assert "the worker is starting" in said


def test_nobody_there_is_a_sentence() -> None:
    """A process that is gone is a service that cannot be reached."""
    with pytest.raises(ServiceUnavailable, match=r"nobody answers at http://127\.0\.0\.1:1/"):
        probe("http://127.0.0.1:1/healthz")


@pytest.mark.parametrize("url", ["https://127.0.0.1/healthz", "healthz", "http:///healthz"])
def test_other_addresses_are_refused(url: str) -> None:
    """Only plain HTTP to a host: it is meant for loopback."""
    with pytest.raises(SettingsError, match="--probe takes an address"):
        probe(url)
