"""Fixtures that any test may ask for: real services on free loopback ports, each started once per session.

A missing program is a failure that says what to install, never a skip: a suite that proves less than it
says is worse than a red one.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

import services

SLOW = ("integration", "browser", "e2e", "bench")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: the usual mistake shows before the first service starts."""
    items.sort(key=lambda item: any(item.get_closest_marker(mark) for mark in SLOW))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Broker]:
    """A real Kafka broker: `.bootstrap`, `.create_topic(name, partitions)`; shared, so use topics of your own."""
    broker = services.Broker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.RedisServer]:
    """A real Redis: `.url`, `.flush()`; shared, so flush it or use a prefix of your own."""
    server = services.RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.RedisServer]:
    """A real Valkey out of its wheel, with the same attributes as `redis_server`."""
    server = services.RedisServer(tmp_path_factory.mktemp("valkey"), valkey=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.RedisCluster]:
    """A real Redis Cluster of three masters: `.url`, `.flush()`; shared, so flush it or use a prefix of your own."""
    cluster = services.RedisCluster(tmp_path_factory.mktemp("redis-cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def prometheus_binary() -> Path:
    """Path of the Prometheus server; `services.Prometheus(folder, jobs)` runs it."""
    return services.find("prometheus")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Path of promtool."""
    return services.find("promtool")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Path of Chromium, for Playwright's `executable_path`; as root it needs `--no-sandbox`."""
    return services.find("chromium")


@pytest.fixture(scope="session")
def unique_name() -> Callable[[str], str]:
    """Makes names that no other test of this session uses, for topics, groups and prefixes."""
    numbers = count(1)
    return lambda stem: f"{stem}-{next(numbers)}"


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., object]:
    """`wait_for(condition, timeout=20)`: polls with a deadline, gives the condition's value."""
    return services.wait_for


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[1]
