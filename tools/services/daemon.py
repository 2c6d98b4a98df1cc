"""One process in the background: started with its log in a file, ended by its own pid."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil


def free_port() -> int:
    """A loopback TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """A process and its log.

    Args:
        name: for messages and for the log's name.
        argv: the command; no shell is involved.
        folder: working directory; the log goes to `<folder>/<name>.log`.
        env: variables laid over our own environment.
    """

    def __init__(self, name: str, argv: list[str], folder: Path, env: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv,
                cwd=folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is not for the services
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def running(self) -> bool:
        """Whether it lives; raises with the end of its log when it has died."""
        if self.process.poll() is None:
            return True
        raise RuntimeError(f"{self.name} ended with {self.process.returncode}; its log says: {self.tail()}")

    def tail(self, size: int = 2_000) -> str:
        """The last characters of its log."""
        return self.log.read_text(errors="replace")[-size:]

    def signal(self, number: int) -> None:
        """Send one signal to the process, if it lives."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, grace: float = 10.0) -> int:
        """End it politely, after `grace` seconds by force; gives the exit code."""
        self.signal(signal.SIGCONT)  # a stopped process cannot hear SIGTERM
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait(10)


def stop_by_pid(pid: int, created: float, grace: float = 10.0) -> bool:
    """End a process that an earlier command started; False when it is gone already.

    Args:
        pid: its id.
        created: its start time as psutil tells it: a reused pid is somebody else's process.
        grace: seconds before it is ended by force.
    """
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) > 1:
            return False
        process.terminate()
        try:
            process.wait(grace)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(10)
    except psutil.NoSuchProcess:
        return False
    return True
