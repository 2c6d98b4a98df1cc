"""`subsidywatch serve`: read API, live page, business gauges and health."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: serve.host (127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port, 0 for a free one; default: serve.port (8080).")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
) -> None:
    """Serve the read API, the live page, /metrics, /healthz and /readyz from what the store holds."""
    from streams import log_setup
    from streams.bootstrap import open_store, wall_clock
    from streams.settings import load
    from streams.web.application import build_application
    from streams.web.server import serve_until_stopped

    settings = load(config)
    told = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"serve": settings.serve.model_copy(update=told)})
    log_setup.set_up(settings.worker.log_format, settings.worker.log_level)
    app = build_application(settings, lambda: open_store(settings), wall_clock)
    serve_until_stopped(app, settings)
