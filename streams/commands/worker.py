"""`subsidywatch worker`: the process that counts and decides."""

from pathlib import Path
from typing import Annotated

import typer


def worker(
    config: Annotated[
        Path | None, typer.Option(help="TOML file with settings; the environment overrides it.", show_default=False)
    ] = None,
) -> None:
    """Count events from Kafka into Redis, notice switches, publish shifts. Ends on SIGTERM."""
    import os
    import sys

    from streams.bootstrap import run_worker
    from streams.settings import load

    code = run_worker(load(config))
    sys.stdout.flush()
    sys.stderr.flush()
    # Client threads that outlive their loop would keep the interpreter waiting; everything that matters is closed.
    os._exit(code)
