"""Where the programs are that wheels cannot bring, and one sentence when they are not."""

import shutil
from pathlib import Path
from typing import Final

NAMES: Final = {
    "java": ("java",),
    "redis": ("redis-server",),
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
}
"""Program -> names it may have on the path, best first."""


class MissingBinaryError(RuntimeError):
    """A program is not installed; the message says how to get it."""


def find(program: str) -> Path:
    """Full path of a program of `NAMES`.

    Raises:
        MissingBinaryError: none of its names is on the path.
    """
    for name in NAMES[program]:
        # Debian keeps some of them in sbin, which is not on everybody's path.
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        if path:
            return Path(path)
    raise MissingBinaryError(f"{NAMES[program][0]} is not installed: `make test` installs it (as root, on Debian)")
