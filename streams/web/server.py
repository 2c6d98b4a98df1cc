"""Runs the application under uvicorn and ends in bounded time, with live pages open."""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from models.errors import SettingsError
from streams.settings import Settings
from streams.web.reader import Reader

GRACE_S = 3
"""Answers in hand get this long after SIGTERM; event streams end at once."""


class _Server(uvicorn.Server):
    """A server whose signals end the event streams first: it waits for answers, and theirs have no end."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take the signals for this server, and do not raise them again when it has stopped in order."""
        reader: Reader = self.config.app.state.reader  # type: ignore[union-attr]  # the application we gave it
        loop = asyncio.get_running_loop()

        def end() -> None:
            self.force_exit = self.should_exit  # a second signal does not wait
            self.should_exit = True
            reader.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def serve_until_stopped(app: FastAPI, settings: Settings) -> None:
    """Listen until SIGTERM or Ctrl-C.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    host, port = settings.serve.host, settings.serve.port
    if not host:
        raise SettingsError("--host is empty, which would listen on every address; say 0.0.0.0 if that is meant")
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=settings.serve.max_streams + 100,
    )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        wrong = "port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "host"
        raise SettingsError(
            f"SUBSIDYWATCH_SERVE__{wrong.upper()} (serve.{wrong}): cannot listen on {host}:{port}: {error.strerror}; "
            f"choose another with --{wrong}"
        ) from None
    at = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"subsidywatch serves http://{at}:{listener.getsockname()[1]}/ (Ctrl-C ends it)\n")
    sys.stderr.flush()
    _Server(config).run(sockets=[listener])
