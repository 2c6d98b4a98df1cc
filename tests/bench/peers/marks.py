"""What every Python engine says of itself: CPU and wall clock when it begins, at two shares, and at the end.

One line each on the standard output: `@mark NAME WALL_S CPU_S`, both since any
fixed moment. CPU is user and system of the whole process with all its threads.
The last mark is set after the result is in Redis.
"""

import os
import time
from collections.abc import Callable

BOOTSTRAP = os.environ.get("BENCH_BOOTSTRAP", "")
TOPIC = os.environ.get("BENCH_TOPIC", "")
EVENTS = int(os.environ.get("BENCH_EVENTS", "0"))
REDIS = os.environ.get("BENCH_REDIS", "")
JOB = os.environ.get("BENCH_JOB", "J1")
GROUP = os.environ.get("BENCH_GROUP", "bench")
FOLDER = os.environ.get("BENCH_FOLDER", ".")
PARTITIONS = 4

_OUT = os.dup(1)
"""Some engines take the standard output for themselves."""


def mark(name: str) -> None:
    """Say where clock and CPU stand."""
    os.write(_OUT, f"\n@mark {name} {time.perf_counter():.6f} {time.process_time():.6f}\n".encode())


class Meter:
    """Counts events read and marks the beginning, the half, nine tenths and the end.

    Args:
        finish: called when the last event has been read, before the last mark: brings what is left to Redis.
        events: how many there are.
    """

    def __init__(self, finish: Callable[[], None], events: int = EVENTS) -> None:
        self._finish = finish
        self._events = events
        self.count = 0
        self._begun = False
        self._next = events // 2
        self._names = iter((("half", events * 9 // 10), ("ninety", events)))

    def begin(self) -> None:
        """Say that the next thing is to ask for events; the first `step` says it otherwise."""
        if not self._begun:
            self._begun = True
            mark("first")

    def step(self, count: int = 1) -> None:
        """Count events that have been handled; ends the process after the last one."""
        self.count += count
        if self.count >= self._next:
            self._reach()

    def _reach(self) -> None:
        if self.count < self._events:
            while self.count >= self._next:
                name, self._next = next(self._names)
                mark(name)
            return
        for name, _ in self._names:
            mark(name)
        self._finish()
        mark("last")
        os._exit(0)
