"""How a process ends: told to stop, or by a fault, and in both cases within a bounded time.

A handler that hangs, a client that does not close or a thread that does not
end must not keep a stopped worker around. What is in hand then is safe: it was
not acknowledged, and the store refuses to count it twice.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from models.errors import MonitorError

EXIT_STOPPED: Final = 0
EXIT_FAULT: Final = 70
FAULT_S: Final = 5.0
"""A process that failed tries to leave its group for this long, then it ends."""


class Lifeline:
    """The wish to live: until a signal or a fault, then a countdown that nothing can hold up."""

    def __init__(self, shutdown_s: float) -> None:
        """Remember how long an orderly end may take.

        Args:
            shutdown_s: seconds from the signal to the end of the process, at the latest.
        """
        self.shutdown_s = shutdown_s
        self.exit_code = EXIT_STOPPED
        self._ended: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._countdown: threading.Timer | None = None
        self._log = structlog.get_logger("streams.lifeline")

    @property
    def ending(self) -> bool:
        """Tell whether the process is on its way out."""
        return self._ended is not None and self._ended.is_set()

    def attach(self) -> None:
        """Take the running loop and the signals SIGTERM and SIGINT; call from the main thread."""
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Not the loop's own signal handling: that needs a loop which still turns.
            signal.signal(number, self._on_signal)

    def stop(self) -> None:
        """End in order; callable from any thread and any signal handler."""
        self._end(EXIT_STOPPED, self.shutdown_s)

    def fail(self, error: BaseException) -> None:
        """End because of a fault: say it once and exit with the error's code; callable from any thread.

        What was raised on purpose is a sentence, anything else comes with its traceback and exits with 70.
        """
        if self.exit_code == EXIT_STOPPED and not self.ending:
            if isinstance(error, MonitorError):
                self.exit_code = error.exit_code
                self._log.error("worker_stopped", error=type(error).__name__, reason=str(error))
            else:
                self.exit_code = EXIT_FAULT
                self._log.error("worker_failed", error=repr(error), exc_info=error)
            self._end(self.exit_code, min(FAULT_S, self.shutdown_s))

    async def ended(self) -> None:
        """Wait until the process is to end."""
        assert self._ended is not None, "attach first"  # noqa: S101  a mistake in the program, not in its input
        await self._ended.wait()

    async def sleep(self, seconds: float) -> bool:
        """Pause; True when the process is to end."""
        try:
            await asyncio.wait_for(self.ended(), seconds)
        except TimeoutError:
            return False
        return True

    def disarm(self) -> None:
        """Call off the countdown: everything is closed."""
        if self._countdown is not None:
            self._countdown.cancel()

    def _on_signal(self, number: int, frame: object) -> None:
        self.stop()

    def _end(self, code: int, seconds: float) -> None:
        if self._countdown is None:
            self._countdown = threading.Timer(seconds, _leave, (code,))
            self._countdown.daemon = True
            self._countdown.start()
        if self._loop is not None and self._ended is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)


def run(main: Callable[[Lifeline], Awaitable[None]], shutdown_s: float) -> int:
    """Run `main` in a new event loop until it returns; give the exit code.

    `main` watches `Lifeline.ended`. After a signal or a fault the process ends
    `shutdown_s` later even if `main` does not.
    """
    lifeline = Lifeline(shutdown_s)

    async def body() -> None:
        lifeline.attach()
        await main(lifeline)

    asyncio.run(body())
    lifeline.disarm()
    return lifeline.exit_code


def _leave(code: int) -> None:
    """End the process here and now: no hook, no thread and no event loop is asked."""
    sys.stderr.flush()
    os._exit(code)
