"""The demo as people run it: it ends exact, says what went wrong, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import psutil
import pytest

from services import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]


class Demo:
    """A demo as a process, with what it has printed so far."""

    def __init__(self, port: int, folder: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams", "demo", "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": folder},  # a demo that is killed leaves its logs
        )
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> str:
        """Read until a line holds the pattern; give that line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if re.search(pattern, line):
                return line.rstrip()
        raise AssertionError("it ended before: " + "\n".join(self.lines))

    def children(self) -> dict[str, psutil.Process]:
        """Give the child processes by what they run."""
        words = ("valkey-server", "broker_process", "worker", "serve", "streams.adjuster")
        found = psutil.Process(self.process.pid).children(recursive=True)
        commands = [(child, " ".join(child.cmdline())) for child in found]
        return {word: child for word in words for child, command in commands if word in command}

    def finish(self) -> int:
        """Read to the end; give the exit code."""
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)
        return self.process.wait(60)


@pytest.fixture
def port() -> int:
    """Give a free port for the page."""
    return free_port()


@pytest.fixture
def demo(port: int) -> Iterator[Demo]:
    """Start a demo; kill it if the test leaves it running."""
    with TemporaryDirectory(prefix="sw") as folder:
        made = Demo(port, folder)
        yield made
        with suppress(ProcessLookupError):
            made.process.kill()
        made.process.wait()
        if made.process.stdout:
            made.process.stdout.close()


def test_demo_sees_a_province_run_dry_and_ends_exact(demo: Demo, port: int, wait_for: Callable[..., object]) -> None:
    """Orders show it, money leaves it, the feed says it afterwards; after Ctrl-C every cell equals what was sent."""
    demo.read_until(r"ON [1-9 ]\d")
    page = str(wait_for(lambda: _page(port), timeout=30))
    truth = demo.read_until(r"truth .*: ON -> OFF .* nobody has said so yet")
    place = truth.split("truth")[1].split(":")[0].strip()
    switch = demo.read_until(rf"(switch|feed)  +{place}")
    shift = demo.read_until(rf"shift .* moves .*status_off {place}")
    demo.read_until(rf"answer  {shift.split()[1]} applied by example-adjuster")
    if not any("feed" in line for line in demo.lines):
        demo.read_until(rf"feed .*{place}: off since")
    demo.process.send_signal(signal.SIGINT)
    code = demo.finish()
    text = "\n".join(demo.lines)

    assert 0 == code, text
    assert re.search(r"switch .* ON -> OFF .*\(\d+ of the last \d+ orders subsidised, [\d.]+ % before\)", switch), text
    assert re.search(r": phone-\d{6} -[\d,]+", shift), text
    assert "exact: yes" in text
    assert re.search(r"switches: \d+ true, [1-9]\d* found", text), text
    assert re.search(rf"{place} OFF at [\d:]+: found by orders, \d+\.\d simulated minutes later", text), text
    assert re.search(r"shifts: [1-9]\d* published, [1-9]\d* applied", text), text
    assert "<html" in page.lower()


def test_dead_worker_is_one_sentence(demo: Demo) -> None:
    """A child that dies ends the demo with the child's name and exit code 70."""
    demo.read_until(r"ON [1-9 ]\d")
    demo.children()["worker"].kill()
    code = demo.finish()

    assert 70 == code
    assert re.search(r"subsidywatch: the worker \(process \d+\) was ended by signal 9", demo.lines[-1]), demo.lines[-3:]


def test_killed_demo_leaves_nothing_behind(demo: Demo, wait_for: Callable[..., object]) -> None:
    """Kill -9 of the demo ends all five children."""
    demo.read_until(r"events/s")
    children = list(demo.children().values())
    assert 5 == len(children)
    demo.process.kill()

    wait_for(lambda: not any(_runs(child) for child in children), timeout=15)


def test_port_in_use_is_one_sentence() -> None:
    """The page's port is tried before anything starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "streams", "demo", "--seconds", "5", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert 2 == done.returncode
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert 1 == len(done.stderr.splitlines())


def _page(port: int) -> str | None:
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def _runs(child: psutil.Process) -> bool:
    try:
        return child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
