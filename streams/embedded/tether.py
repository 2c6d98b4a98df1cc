"""Starts a program that the kernel ends when its parent ends: `python -m streams.embedded.tether PARENT -- PROGRAM...`.

A parent that is killed cannot end its children; on Linux the kernel does it
for us, and the wish survives `exec`. Elsewhere the children outlive a kill -9.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def tie(parent: int) -> None:
    """Ask for SIGKILL at the parent's death; end at once if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


def main() -> None:
    """Tie this process, then become the program."""
    parent, dashes, *program = sys.argv[1:]
    if dashes != "--" or not program:
        sys.exit("tether: PARENT -- PROGRAM...")
    tie(int(parent))
    os.execv(program[0], program)  # noqa: S606 - the program is ours, no shell wanted


if __name__ == "__main__":
    main()
