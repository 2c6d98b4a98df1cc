"""The services that other tests stand on do what they are there for."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer

import services

pytestmark = pytest.mark.integration


def test_kafka_keeps_records_over_a_crash(tmp_path: Path) -> None:
    """A killed broker comes back on its port with what was acknowledged."""
    broker = services.Broker(tmp_path)
    try:
        topic = broker.create_topic("kept", partitions=1)
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
        producer.send(topic, b"one").get(20)
        producer.close()
        broker.kill()
        broker.start()
        consumer = KafkaConsumer(
            topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=20_000
        )
        value = next(consumer).value
        consumer.close()
    finally:
        broker.stop()

    assert b"one" == value


@pytest.mark.parametrize("valkey", [False, True], ids=["redis", "valkey"])
def test_redis_keeps_keys_over_a_crash(tmp_path: Path, *, valkey: bool) -> None:
    """A killed server comes back on its port with what was acknowledged, and evicts nothing."""
    server = services.RedisServer(tmp_path, valkey=valkey)
    try:
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            client.set("kept", "one")
            server.kill()
            server.start()
            kept, policy = client.get("kept"), client.config_get("maxmemory-policy")
    finally:
        server.stop()

    assert ("one", {"maxmemory-policy": "noeviction"}) == (kept, policy)


def test_names_are_unique(unique_name: Callable[[str], str]) -> None:
    """Two tests that ask for the same name get different ones."""
    assert unique_name("orders") != unique_name("orders")


def test_prometheus_scrapes_itself(tmp_path: Path, wait_for: Callable[..., object]) -> None:
    """A target that is there is up."""
    port = services.free_port()
    server = services.Prometheus(tmp_path, {"itself": f"127.0.0.1:{port}"}, port=port)
    try:
        up = wait_for(lambda: server.query("up == 1"), timeout=30)
    finally:
        server.stop()

    assert [({"job": "itself", "instance": f"127.0.0.1:{port}", "__name__": "up"}, 1.0)] == up
