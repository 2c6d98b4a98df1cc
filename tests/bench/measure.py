"""One run of one engine: started on its own core, watched by its marks, its answer held against the truth."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ENGINE_CORE: Final = "0"
OTHER_CORE: Final = 1
"""Broker, Redis and the driver itself."""
DEADLINE_S: Final = 240.0
"""A run that takes longer has hung: it is ended and does not count."""
PROBE_ROUNDS: Final = 400_000


@dataclass(frozen=True)
class Mark:
    """What an engine said: seconds of the wall clock and of CPU since any fixed moment."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        engine: name of the engine.
        events: how many it read.
        marks: `first`, `half`, `ninety` and `last`; fewer when it did not get that far.
        total_cpu: CPU of the whole process tree from start to end, s.
        peak_mb: largest resident memory, MiB.
        probe: CPU of the fixed probe before and after, us a round: how fast the core was just then.
        note: what is wrong with the run, or nothing.
    """

    engine: str
    events: int
    marks: Mapping[str, Mark]
    total_cpu: float
    peak_mb: float
    probe: tuple[float, float]
    note: str = ""

    @classmethod
    def not_run(cls, engine: str, why: str) -> "Run":
        """Give the run of an engine that cannot be had here."""
        return cls(engine, 0, {}, 0.0, 0.0, (0.0, 0.0), f"not run: {why}")

    @property
    def cpu_us(self) -> float:
        """CPU microseconds per event from the first to the last event."""
        return self._between("first", "last", 1.0)

    @property
    def steady_us(self) -> float:
        """CPU microseconds per event from half to nine tenths of the events."""
        return self._between("half", "ninety", 0.4)

    @property
    def whole_us(self) -> float:
        """CPU microseconds per event, start-up of the process included."""
        return self.total_cpu / self.events * 1e6

    @property
    def rate(self) -> float:
        """Events per second of the wall clock, from the first to the last."""
        return self.events / (self.marks["last"].wall - self.marks["first"].wall)

    def _between(self, low: str, high: str, share: float) -> float:
        return (self.marks[high].cpu - self.marks[low].cpu) / (self.events * share) * 1e6


def probe() -> float:
    """Give the CPU microseconds of one round of fixed work on the engine's core."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(ENGINE_CORE)})
    try:
        began, text = time.process_time(), ""
        for number in range(PROBE_ROUNDS):
            text = str(number)[-4:] + text[:8]
        return (time.process_time() - began) / PROBE_ROUNDS * 1e6
    finally:
        os.sched_setaffinity(0, mine)


@dataclass
class _Watched:
    """What is read from a running engine."""

    marks: dict[str, Mark] = field(default_factory=dict)

    def take(self, line: str) -> None:
        """Keep a mark, the first of its name."""
        words = line.split()
        if len(words) == 4 and words[0] == "@mark":
            self.marks.setdefault(words[1], Mark(float(words[2]), float(words[3])))


def _start(argv: Sequence[str], env: Mapping[str, str], folder: Path, log: Path) -> subprocess.Popen[str]:
    """Start an engine on its core; it tells its marks on its output, all else goes to the log."""
    with log.open("wb") as errors:
        return subprocess.Popen(
            ["taskset", "-c", ENGINE_CORE, *argv],
            env={**os.environ, **env},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        )


def run(
    engine: str, argv: Sequence[str], env: Mapping[str, str], folder: Path, events: int, check: Callable[[], str]
) -> Run:
    """Start an engine on its core, wait until it ends, hold its answer against the truth, and give what it cost."""
    before, watched = probe(), _Watched()
    log = folder / f"{engine.replace(' ', '_').replace(',', '')}.log"
    process = _start(argv, env, folder, log)
    hung = threading.Event()

    def end() -> None:
        hung.set()
        process.kill()

    timer = threading.Timer(DEADLINE_S, end)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            watched.take(line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
        if process.returncode is None:
            process.kill()
    if hung.is_set():
        note = f"hung: ended after {DEADLINE_S:.0f} s"
    elif not watched.marks.keys() >= {"first", "half", "ninety", "last"}:
        note = f"ended with {process.returncode}: {log.read_text(errors='replace').strip()[-300:]}"
    else:
        note = check()
    return Run(
        engine,
        events,
        watched.marks,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        (before, probe()),
        note,
    )
