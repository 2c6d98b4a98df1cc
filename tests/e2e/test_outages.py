"""Kafka and Redis that go away, under a real worker: it waits and says what for, and afterwards every cell is exact."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from counted_stack import Stack
from services import wait_for
from services.worker import Worker

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

KAFKA_AWAY_S = 20
REDIS_AWAY_S = 10
FROZEN_S = 8
BACKLOG = 60_000
CLICK = b'{"event_id":"e","at":1,"region":"440000","campaign_id":"c","user_id":"u","spend_micros":1}\n'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services of this module's own; every test leaves them running."""
    made = Stack(tmp_path_factory.mktemp("outages"), KAFKA__SESSION_TIMEOUT_S="6", REDIS__TIMEOUT_S="2")
    yield made
    made.stop()


def wait_to_hear(worker: Worker, words: str) -> None:
    """Wait until /readyz says these words."""
    wait_for(lambda: worker.daemon.running() and words in " ".join(worker.complaints()), 30, f"/readyz to say {words}")


def take_up_backlog(stack: Stack) -> None:
    """Give the worker much to do, and wait until it is in the middle of it."""
    before = stack.produced
    stack.produce(BACKLOG)
    wait_for(lambda: stack.read().settled > before, 30, "the backlog to be taken up", 0.01)


def assert_exact(stack: Stack) -> None:
    """Wait until all is settled: each cell is what was produced, and no record is lost."""
    stack.drain()
    counted = stack.read()

    assert dict(stack.maker.cells) == counted.cells
    assert not [name for name in counted.tallies if name.startswith(("lost", "rejected"))]


def assert_one_sentence_and_3(stack: Stack, words: tuple[str, ...], named: str) -> None:
    """Run a verb: it ends with 3, and with one sentence that names what is away."""
    done = stack.run(*words)

    assert (3, 1) == (done.returncode, len(done.stderr.strip().splitlines())), done.stderr
    assert named in done.stderr


def test_kafka_away_at_the_start_and_in_between(stack: Stack, tmp_path: Path) -> None:
    """The worker waits through both, tools say in one sentence that Kafka is away, and nothing is lost."""
    stack.produce(1_000)
    stack.broker.kill()
    worker = stack.start_worker()
    named = f"Kafka at {stack.broker.bootstrap}"
    wait_to_hear(worker, named)
    stack.broker.start()
    worker.wait_ready()
    assert_exact(stack)

    take_up_backlog(stack)
    stack.broker.kill()
    down = time.monotonic()
    wait_to_hear(worker, named)
    recorded = tmp_path / "ads.clicks.v1.ndjson"
    recorded.write_bytes(CLICK)
    for words in (
        ("simulate", "--scenario", "seed-table", "--to", "kafka"),
        ("replay", str(recorded)),
        ("topics", "check"),
        ("dlq", "list"),
    ):
        assert_one_sentence_and_3(stack, words, stack.broker.bootstrap)
    wait_for(lambda: time.monotonic() - down > KAFKA_AWAY_S, KAFKA_AWAY_S, "Kafka to have been away")
    stack.broker.start()
    stack.produce(1_000)
    assert_exact(stack)
    worker.wait_ready()
    assert 0 == stack.stop_worker(worker)


def test_redis_away_at_the_start_and_in_between(stack: Stack) -> None:
    """The worker waits through both, reading verbs say in one sentence that Redis is away, and nothing is lost."""
    stack.redis.kill()
    stack.produce(1_000)
    worker = stack.start_worker()
    named = f"Redis at 127.0.0.1:{stack.redis.port}"
    wait_to_hear(worker, named)
    stack.redis.start()
    worker.wait_ready()
    assert_exact(stack)

    take_up_backlog(stack)
    stack.redis.kill()
    down = time.monotonic()
    wait_to_hear(worker, named)
    for verb in ("table", "status", "transitions", "shifts"):
        assert_one_sentence_and_3(stack, (verb,), named)
    wait_for(lambda: time.monotonic() - down > REDIS_AWAY_S, REDIS_AWAY_S, "Redis to have been away")
    stack.redis.start()
    assert_exact(stack)
    worker.wait_ready()
    assert 0 == stack.stop_worker(worker)


@pytest.mark.chaos
def test_frozen_services_are_no_loss(stack: Stack) -> None:
    """Services that hang and wake up: answers of unknown outcome are asked for again, and every cell is exact."""
    worker = stack.start_worker()
    worker.wait_ready()
    take_up_backlog(stack)
    stack.redis.daemon.signal(signal.SIGSTOP)
    wait_to_hear(worker, f"Redis at 127.0.0.1:{stack.redis.port}")
    stack.redis.daemon.signal(signal.SIGCONT)
    assert_exact(stack)

    take_up_backlog(stack)
    stack.broker.daemon.signal(signal.SIGSTOP)
    frozen = time.monotonic()
    wait_for(lambda: time.monotonic() - frozen > FROZEN_S, FROZEN_S + 5, "more than a session to pass")
    stack.broker.daemon.signal(signal.SIGCONT)
    stack.produce(1_000)
    assert_exact(stack)
    worker.wait_ready()
    assert 0 == stack.stop_worker(worker)
