"""Ten thousand records that are no events, among good ones, on real Kafka: refused one by one, nothing else suffers."""

import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Message
from confluent_kafka import TopicPartition as Position

from counted_stack import Letter, Stack
from garbage import HOT, Bad
from services.worker import Worker
from streams.topics import INPUTS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

GOOD = 100_000
BAD = 10_000
MOST_ROUNDS = 4
MOST_DELAY = 2.0
CONTROL = ((b"\xff{", "not_json"), (b"[" * 9_000, "not_json"), (b"[]", "not_object"), (b"{}", "missing_field"))
VOID = ("fenced", "gap", "dropped")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Services of this test's own."""
    made = Stack(tmp_path)
    yield made
    made.stop()


def test_garbage_is_refused_and_good_events_hardly_wait(stack: Stack) -> None:
    """Every bad record is on its dead-letter topic once, with reason, place, key and bytes; good ones are exact."""
    worker = stack.start_worker()
    worker.wait_ready()
    stack.produce(5_000)  # the newest time is known before something too old comes
    stack.drain()
    slowdown = _slowdown(stack, worker)
    control = [Bad(spec.name, b"k", value, why) for spec in INPUTS if spec.name not in HOT for value, why in CONTROL]
    stack.produce(len(control), control)
    stack.drain()
    counted = stack.read()
    void = {what: worker.metric("subsidywatch_worker_slices_total", outcome=what) for what in VOID}

    assert slowdown < MOST_DELAY
    assert (stack.produced, dict(stack.maker.cells)) == (counted.settled, counted.cells)
    assert Counter(stack.letters) == _buried(stack.broker.bootstrap)
    assert Counter(letter.reason for letter in stack.letters) == _by_reason(counted.tallies)
    assert worker.daemon.running()
    assert dict.fromkeys(VOID, 0.0) == void
    assert "Traceback" not in worker.daemon.log.read_text()


def _slowdown(stack: Stack, worker: Worker) -> float:
    """Give the delay of good events with garbage among them over the delay without; best of some rounds."""
    plain, spoilt = [], []
    for _ in range(MOST_ROUNDS):
        plain.append(_timed(stack, worker, 0))
        spoilt.append(_timed(stack, worker, BAD))
        wall, cpu = (min(both[which] for both in spoilt) / min(both[which] for both in plain) for which in (0, 1))
        print(  # noqa: T201 - the figures of this run
            f"\n{GOOD} good events: {plain[-1][0]:.2f} s, CPU {plain[-1][1]:.2f} s; with {BAD} bad among them: "
            f"{spoilt[-1][0]:.2f} s, CPU {spoilt[-1][1]:.2f} s; best so far: {wall:.2f} times, CPU {cpu:.2f} times"
        )
        if wall < MOST_DELAY:
            break
    return wall


def _timed(stack: Stack, worker: Worker, bad: int) -> tuple[float, float]:
    """Let the worker meet a backlog of good events, with bad ones among them; give its wall and CPU seconds.

    It is stopped for less than a session while the backlog is made, so that both rounds are the same work.
    """
    process = psutil.Process(worker.daemon.pid)
    garbage = list(stack.maker.garbage(bad))
    worker.daemon.signal(signal.SIGSTOP)
    stack.produce(GOOD, garbage)
    used, began = process.cpu_times(), time.monotonic()
    worker.daemon.signal(signal.SIGCONT)
    stack.drain()
    wall, now = time.monotonic() - began, process.cpu_times()
    return wall, now.user + now.system - used.user - used.system


def _buried(bootstrap: str) -> Counter[Letter]:
    """Give what lies on the dead-letter topics, and how often."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "fetch.max.bytes": 2**26})
    found: Counter[Letter] = Counter()
    try:
        for spec in INPUTS:
            place = Position(f"{spec.name}.dead", 0, 0)
            end = consumer.get_watermark_offsets(place, timeout=10)[1]
            consumer.assign([place])
            while consumer.position([place])[0].offset < end:
                found.update(map(_letter, consumer.consume(10_000, timeout=10)))
    finally:
        consumer.close()
    return found


def _letter(message: Message) -> Letter:
    assert message.error() is None, message.error()
    raw: dict[str, bytes] = dict(message.headers() or [])  # type: ignore[arg-type]  # typed as if names alone came too
    headers = {name: value.decode() for name, value in raw.items()}
    assert {"detail", "timestamp", "version"} <= headers.keys()
    assert "truncated" not in headers
    assert f"{headers['topic']}.dead" == message.topic()
    place = int(headers["partition"]), int(headers["offset"])
    return Letter(headers["topic"], *place, message.key(), message.value(), headers["reason"])


def _by_reason(tallies: Mapping[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, count in tallies.items():
        if name.startswith("rejected:"):
            found[name.rpartition(":")[2]] += count
    return found
