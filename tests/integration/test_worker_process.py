"""A worker as a process: how it starts without its services, how it ends, and what it says meanwhile."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from services import Daemon, free_port, wait_for
from services.worker import Worker
from streams.app import BATCHED_AGENTS, CONTROL_AGENTS

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
TOPICS = [f"{topic}:2" for topic in BATCHED_AGENTS.values()] + [f"{topic}:1" for topic in CONTROL_AGENTS.values()]
JOIN_GROUP, HEARTBEAT, SYNC_GROUP = 11, 12, 14
CLICKS = "ads.clicks.v1"
INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED, COORDINATOR_NOT_AVAILABLE = 42, 30, 15


class FaultyBroker:
    """`faulty_broker.py` as a process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "faulty_broker.py"), *TOPICS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.bootstrap = self._read()

    def inject(self, api_key: int, code: int, times: int = 1) -> None:
        """Let so many next requests of this kind fail."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{api_key} {code} {times}\n")
        self._process.stdin.flush()
        assert self._read() == "injected"

    def produce(self, count: int) -> None:
        """Put clicks on the log and wait until they are there."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5})
        for number in range(count):
            producer.produce(CLICKS, f"v{number}".encode(), key=f"k{number}".encode())
        assert producer.flush(20) == 0

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class RecordingWorker(Worker):
    """`recording_worker.py` as a process."""

    def start(self) -> None:
        """Start it."""
        self.port = free_port()
        env = {**self._env, "SUBSIDYWATCH_WORKER__METRICS_PORT": str(self.port)}
        self.daemon = Daemon(self.name, [sys.executable, str(HERE / "recording_worker.py")], self._folder, env)

    def events(self, name: str) -> list[dict[str, object]]:
        """What it said of this kind."""
        lines = self.daemon.log.read_text().splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in said if name in event]

    def end_of(self, seconds: float) -> int:
        """Wait for its end and give the exit code."""
        return self.daemon.process.wait(seconds)


@pytest.fixture
def broker() -> Iterator[FaultyBroker]:
    """A mock broker of its own."""
    broker = FaultyBroker()
    yield broker
    broker.close()


@pytest.fixture
def start(tmp_path: Path, broker: FaultyBroker) -> Iterator[object]:
    """Starts a recording worker on the mock broker: `start(**environment)`."""
    workers: list[RecordingWorker] = []

    def start_one(**env: str) -> RecordingWorker:
        names = {
            "SUBSIDYWATCH_KAFKA__BOOTSTRAP": broker.bootstrap,
            "SUBSIDYWATCH_KAFKA__GROUP": "recording",
            "SUBSIDYWATCH_KAFKA__SESSION_TIMEOUT_S": "6",
            "SUBSIDYWATCH_KAFKA__HEARTBEAT_S": "0.5",
            "SUBSIDYWATCH_WORKER__SHUTDOWN_S": "4",
            "SUBSIDYWATCH_WORKER__LOG_FORMAT": "json",
        }
        workers.append(RecordingWorker(f"worker-{len(workers)}", tmp_path, names | env))
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.daemon.kill()


@pytest.mark.parametrize("behaviour", ["", "work", "hang", "spin"], ids=["idle", "loaded", "hung", "spinning"])
def test_sigterm_ends_in_time_with_zero(start, broker: FaultyBroker, behaviour: str) -> None:  # type: ignore[no-untyped-def]
    """A worker that is told to stop exits with 0 in time, whatever its handler does."""
    worker = start(BEHAVIOUR=behaviour)
    worker.wait_ready()
    if behaviour:
        broker.produce(2_000)
        wait_for(lambda: worker.events("begun"), what="a slice in hand")
    began = time.monotonic()
    worker.daemon.signal(signal.SIGTERM)
    code = worker.end_of(10)

    assert code == 0
    assert time.monotonic() - began < 6


def test_sigterm_while_kafka_is_away_ends_with_zero(start) -> None:  # type: ignore[no-untyped-def]
    """A worker that waits for Kafka lives, says why it is not ready, and stops when told to."""
    worker = start(SUBSIDYWATCH_KAFKA__BOOTSTRAP=f"127.0.0.1:{free_port()}")
    wait_for(lambda: worker.metric("subsidywatch_worker_retries_total", service="kafka") >= 2, what="two attempts")
    ready = worker.is_ready()
    worker.daemon.signal(signal.SIGTERM)

    assert (False, 0) == (ready, worker.end_of(10))


def test_a_fatal_group_error_ends_with_70(start, broker: FaultyBroker) -> None:  # type: ignore[no-untyped-def]
    """A worker that can never read again does not stay up: it says why and exits with 70 within 10 s."""
    worker = start()
    worker.wait_ready()
    broker.inject(SYNC_GROUP, INVALID_REQUEST, 5)
    began = time.monotonic()
    start()
    code = worker.end_of(10)

    assert code == 70
    assert time.monotonic() - began < 10
    assert "worker_failed" in worker.daemon.log.read_text()


def test_a_group_that_refuses_us_ends_with_70(start, broker: FaultyBroker) -> None:  # type: ignore[no-untyped-def]
    """A worker that is not let into its group exits with 70 within 10 s of being refused."""
    broker.inject(JOIN_GROUP, GROUP_AUTHORIZATION_FAILED, 5)
    worker = start()

    assert worker.end_of(15) == 70
    assert "GroupAuthorizationFailedError" in worker.daemon.log.read_text()


def test_a_passing_group_error_is_survived(start, broker: FaultyBroker) -> None:  # type: ignore[no-untyped-def]
    """Errors that pass do not end the worker: it reads on."""
    worker = start()
    worker.wait_ready()
    broker.inject(HEARTBEAT, COORDINATOR_NOT_AVAILABLE, 3)
    broker.produce(500)
    wait_for(lambda: worker.metric("subsidywatch_worker_records_total", topic=CLICKS) == 500, what="all records")

    assert worker.daemon.running()


def test_a_fault_of_a_handler_ends_with_70(start, broker: FaultyBroker) -> None:  # type: ignore[no-untyped-def]
    """An unexpected exception is logged once with its traceback and ends the process; nothing was acknowledged."""
    worker = start(BEHAVIOUR="fail")
    worker.wait_ready()
    broker.produce(100)
    code = worker.end_of(10)
    log = worker.daemon.log.read_text()

    assert (70, 1) == (code, log.count("worker_failed"))
    assert "a planted fault" in log
    assert [] == worker.events("applied")


def test_a_taken_metrics_port_is_a_sentence(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The settings error names the variable."""
    worker = start()
    worker.wait_ready()
    done = subprocess.run(
        [Path(sys.executable).with_name("subsidywatch"), "worker"],
        env={"SUBSIDYWATCH_WORKER__METRICS_PORT": str(worker.port), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 2
    assert "SUBSIDYWATCH_WORKER__METRICS_PORT" in done.stderr


@pytest.mark.parametrize(("behaviour", "where"), [("hang", "_never"), ("spin", "ingest")])
def test_a_worker_that_gets_nowhere_ends_with_70(start, broker: FaultyBroker, behaviour: str, where: str) -> None:  # type: ignore[no-untyped-def]
    """A handler that hangs, with or without the loop, ends the process, and the log says where everything stood."""
    worker = start(BEHAVIOUR=behaviour, SUBSIDYWATCH_WORKER__STALL_S="5")
    worker.wait_ready()
    broker.produce(100)
    code = worker.end_of(30)
    [stall] = [event for event in worker.events("event") if event["event"] == "worker_stalled"]
    stacks = [line for stack in {**stall["threads"], **stall["tasks"]}.values() for line in stack]

    assert code == 70
    assert any(line.endswith(f"RecordingLine.{where}") for line in stacks)


def test_too_many_dead_letters_end_with_1(start, broker: FaultyBroker) -> None:  # type: ignore[no-untyped-def]
    """A worker that may bury no more says so in one sentence, without a traceback, and acknowledges nothing."""
    worker = start(BEHAVIOUR="bury")
    worker.wait_ready()
    broker.produce(100)
    code = worker.end_of(10)
    log = worker.daemon.log.read_text()

    assert (1, 1, 0) == (code, log.count("a planted limit"), log.count("Traceback"))
    assert [] == worker.events("applied")
