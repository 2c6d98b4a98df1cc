"""A child process of ours: started tethered, watched, ended by its id."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.errors import MonitorError

TAIL_CHARS: Final = 400


class ChildDied(MonitorError):
    """A process that the demo needs has ended by itself."""


class Child:
    """One running child.

    Its output goes to a log file, so that a full pipe never blocks it. Start
    children from the main thread: the kernel ties them to the starting thread.
    """

    def __init__(self, name: str, argv: Sequence[str], log: Path, pipe_stdout: bool = False) -> None:
        """Start the program in a process group of its own, so that Ctrl-C reaches only the parent."""
        self.name = name
        self.log = log
        program = [sys.executable, "-P", "-m", "streams.embedded.tether", str(os.getpid()), "--", *argv]
        with log.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - the program is ours
                program,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe_stdout else sink,
                stderr=sink,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id, the same before and after the tether becomes the program."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def check(self) -> None:
        """Do nothing while it runs.

        Raises:
            ChildDied: it has ended; the sentence holds the last line it wrote.
        """
        code = self._process.poll()
        if code is not None:
            how = f"was ended by signal {-code}" if code < 0 else f"ended by itself with code {code}"
            raise ChildDied(f"{self.name} (process {self.pid}) {how}: {self.tail()} (its log: {self.log})")

    def tail(self) -> str:
        """Give the last line of its log."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
            return next((line.strip()[-TAIL_CHARS:] for line in reversed(lines) if line.strip()), "it wrote nothing")
        return "it left no log"

    def read_line(self, timeout_s: float) -> str:
        """Give the first line of its standard output.

        Raises:
            ChildDied: it ended or was silent for `timeout_s`.
        """
        pipe = self._process.stdout
        if pipe is None:
            raise ValueError("started without pipe_stdout")
        ready, _, _ = select.select([pipe], [], [], timeout_s)
        line = pipe.readline() if ready else b""
        if not line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
            self.check()
            raise ChildDied(f"{self.name} (process {self.pid}) was not ready within {timeout_s:.0f} s: {self.tail()}")
        return line.decode().strip()

    def stop(self, timeout_s: float = 5.0) -> int:
        """End it: SIGTERM, and SIGKILL when it is still there after `timeout_s`; give its exit code."""
        self.ask_to_stop()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        return self._process.returncode

    def ask_to_stop(self) -> None:
        """Send SIGTERM without waiting, so that several can end at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)


def wait_for_path(path: Path, child: Child, timeout_s: float) -> None:
    """Wait until a file or socket appears.

    Raises:
        ChildDied: the child that should make it ended or took too long.
    """
    deadline = time.monotonic() + timeout_s
    while not path.exists():
        child.check()
        if time.monotonic() > deadline:
            raise ChildDied(f"{child.name} (process {child.pid}) was not ready within {timeout_s:.0f} s")
        time.sleep(0.02)
