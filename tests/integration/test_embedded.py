"""The servers out of wheels: ready in a moment, useful, and gone with their parent even when that is killed."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.embedded.broker import EmbeddedBroker
from streams.embedded.process import Child, ChildDied
from streams.embedded.valkey import EmbeddedValkey
from streams.topics import TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

PARENT = """
import signal, sys
from pathlib import Path
from streams.embedded.broker import EmbeddedBroker
from streams.embedded.valkey import EmbeddedValkey
folder = Path(sys.argv[1])
valkey, broker = EmbeddedValkey(folder), EmbeddedBroker(folder, 2)
valkey.wait(), broker.wait()
print(valkey.child.pid, broker.child.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """Give an embedded broker with three partitions for keyed topics."""
    made = EmbeddedBroker(tmp_path, 3)
    yield made
    made.stop()


def test_broker_has_every_topic_and_keeps_records(broker: EmbeddedBroker) -> None:
    """All our topics are there with the partitions asked for, and a record can be read back."""
    address = broker.wait()
    producer = Producer({"bootstrap.servers": address, "compression.type": "lz4"})
    listed = producer.list_topics(timeout=10).topics
    producer.produce("ads.clicks.v1", b"hello", partition=2)
    assert 0 == producer.flush(10)
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("ads.clicks.v1", 2, 0)])
    message = consumer.poll(10)
    consumer.close()

    assert {spec.name: spec.partitions(3) for spec in TOPICS} == {
        name: len(topic.partitions) for name, topic in listed.items()
    }
    assert message is not None
    assert b"hello" == message.value()


def test_valkey_serves_scripts_and_evicts_nothing() -> None:
    """It answers on its socket, runs Lua, and stops when told."""
    with TemporaryDirectory(prefix="sw") as folder:
        server = EmbeddedValkey(Path(folder))
        try:
            with redis.Redis.from_url(server.wait(), decode_responses=True) as client:
                answer = client.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1, "n", 3)
                policy = client.config_get("maxmemory-policy")
        finally:
            server.stop()

    assert (3, {"maxmemory-policy": "noeviction"}) == (answer, policy)
    assert not server.child.alive()


def test_nothing_outlives_a_killed_parent(
    tmp_path_factory: pytest.TempPathFactory, wait_for: Callable[..., object]
) -> None:
    """Kill -9 of the parent ends both servers."""
    with TemporaryDirectory(prefix="sw") as folder:
        parent = subprocess.Popen([sys.executable, "-c", PARENT, folder], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.stdout.close()
        assert 2 == len(pids)
        parent.send_signal(signal.SIGKILL)
        parent.wait()

        wait_for(lambda: not any(_runs(pid) for pid in pids), timeout=10)


def test_dead_child_is_one_sentence(tmp_path: Path, wait_for: Callable[..., object]) -> None:
    """A child that ends by itself is named with its code and its last words."""
    child = Child("the cook", [sys.executable, "-c", "import sys; sys.exit('no more eggs')"], tmp_path / "cook.log")
    wait_for(lambda: not child.alive())

    with pytest.raises(ChildDied, match=r"the cook \(process \d+\) ended by itself with code 1: no more eggs"):
        child.check()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
