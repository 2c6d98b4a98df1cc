"""What a worker refuses, and what it waits out: unsafe stores, full stores, wrong settings, killed neighbours."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from counted_stack import Stack
from services import Daemon, RedisServer, free_port, wait_for
from services.daemon import accepts

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

RECORDS = 20_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Services of this module's own; every test leaves them running."""
    made = Stack(tmp_path_factory.mktemp("refusals"), REDIS__TIMEOUT_S="2")
    yield made
    made.stop()


def assert_exact(stack: Stack) -> None:
    """Wait until all is settled: each cell is what was produced."""
    stack.drain()

    assert dict(stack.maker.cells) == stack.read().cells


@pytest.mark.parametrize("verb", ["worker", "table"])
def test_a_store_that_may_evict_is_refused(stack: Stack, tmp_path: Path, verb: str) -> None:
    """Exit 2 with one sentence that says what is wrong there and how to set it right."""
    server = RedisServer(tmp_path, arguments=["--maxmemory-policy", "allkeys-lru"])
    try:
        done = stack.run(verb, SUBSIDYWATCH_REDIS__URL=server.url)
    finally:
        server.stop()
    said = [line for line in done.stderr.splitlines() if not line.startswith(("{", "subsidywatch serves"))]

    assert (2, 1) == (done.returncode, len(said)), done.stderr
    assert "maxmemory-policy is allkeys-lru" in said[0]
    assert "CONFIG SET maxmemory-policy noeviction" in said[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUBSIDYWATCH_KAFKA__BOOTSTRAP", "127.0.0.1:9092,no-port-here"),
        ("SUBSIDYWATCH_REDIS__PASSWORD_FILE", "/nowhere/at/all"),
        ("SUBSIDYWATCH_WORKER__METRICS_HOST", "256.256.256.256"),
        ("SUBSIDYWATCH_KAFKA__BOOTSTRAPP", "127.0.0.1:9092"),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_name(stack: Stack, name: str, value: str) -> None:
    """Exit 2, and the sentence names the variable."""
    done = stack.run("worker", **{"SUBSIDYWATCH_WORKER__METRICS_PORT": "0", name: value})

    assert (2, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert name in done.stderr


def test_a_full_store_pauses_counting(stack: Stack) -> None:
    """While Redis has no memory left the worker is alive and says so; with more memory every cell is exact."""
    worker = stack.start_worker()
    worker.wait_ready()
    stack.produce(RECORDS)
    assert_exact(stack)
    with redis.Redis.from_url(stack.redis.url) as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
        stack.produce(RECORDS)
        wait_for(lambda: "used memory" in " ".join(worker.complaints()), 30, "/readyz to say that memory is full")
        held = stack.read().settled
        client.config_set("maxmemory", 0)
    assert_exact(stack)
    worker.wait_ready()

    assert held < stack.produced
    assert 0 == stack.stop_worker(worker)


def test_a_killed_serve_disturbs_nobody(stack: Stack, tmp_path: Path) -> None:
    """Kill -9 of serve: the worker counts on, its port is free, and a new one serves the same figures."""
    worker = stack.start_worker()
    worker.wait_ready()
    port = free_port()

    def serve() -> Daemon:
        argv = [sys.executable, "-P", "-m", "streams", "serve", "--port", str(port)]
        daemon = Daemon("serve", argv, tmp_path, stack.env)
        wait_for(lambda: daemon.running() and accepts(port), 30, "serve to answer")
        return daemon

    first = serve()
    first.kill()
    stack.produce(RECORDS)
    second = serve()
    try:
        assert_exact(stack)
    finally:
        second.stop()
    leftover = subprocess.run(["pgrep", "-f", f"serve --port {port}"], capture_output=True, text=True, check=False)

    assert "" == leftover.stdout
    assert worker.daemon.running()
    assert 0 == stack.stop_worker(worker)
