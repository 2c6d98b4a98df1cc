"""A thread that ends a worker which has work and gets nowhere, and leaves behind what it was doing.

Only a process that ends is started again: one that hangs keeps its partitions
and its place in the group for as long as its heartbeats go out.
"""

import asyncio
import gc
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from inspect import isasyncgen, iscoroutine
from types import FrameType
from typing import Any, Final

import structlog

from models.errors import Stalled
from streams.health import Health
from streams.lifeline import Lifeline

LOOK_S: Final = 1.0
_DEEPEST: Final = 40


class Watchdog:
    """Looks at the worker's progress from outside its event loop."""

    def __init__(self, health: Health, lifeline: Lifeline) -> None:
        """Take what is watched; nothing runs before `start`."""
        self._health = health
        self._lifeline = lifeline
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self.loops: Callable[[], Iterable[asyncio.AbstractEventLoop]] = tuple

    def start(self) -> None:
        """Look once a second from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(LOOK_S):
            reason = self._health.stalled()
            if reason is not None:
                log = structlog.get_logger("streams.watchdog")
                log.error("worker_stalled", reason=reason, threads=thread_stacks(), tasks=task_stacks(self.loops()))
                self._lifeline.fail(Stalled(reason))
                return


def thread_stacks() -> dict[str, list[str]]:
    """Give where every thread is, outermost call first: thread name to `file:line function`."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        f"{names.get(ident, 'unnamed')} {ident}": _lines(frame for frame, _ in traceback.walk_stack(top))[::-1]
        for ident, top in sys._current_frames().items()  # noqa: SLF001  the documented way to see other threads
    }


def task_stacks(loops: Iterable[asyncio.AbstractEventLoop]) -> dict[str, list[str]]:
    """Give what every task waits for, outermost call first: task name to `file:line function`."""
    return {task.get_name(): _lines(_awaited(task.get_coro())) for loop in loops for task in asyncio.all_tasks(loop)}


def _awaited(waiting: Any) -> Iterator[FrameType]:
    """Follow what a coroutine awaits, down to what is not a coroutine; the task itself tells the first step only."""
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is None:  # a wrapper: only the collector knows what it wraps
            inner = (inside for inside in gc.get_referents(waiting) if iscoroutine(inside) or isasyncgen(inside))
            waiting = next(inner, None)
            continue
        yield frame
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)


def _lines(frames: Iterable[FrameType]) -> list[str]:
    return [f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}" for frame in frames][:_DEEPEST]
