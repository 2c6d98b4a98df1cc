"""What the worker answers when asked how it is: /healthz, /readyz and /metrics.

They are served by a thread of their own, so a worker whose event loop hangs
still answers, and answers that it hangs. Alive means progress: the loop turns,
and where there is work, something was settled lately or the reason is known.
Ready means partitions are claimed and nothing keeps data from flowing.
"""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

BEAT_S: Final = 1.0
"""The loop says that it turns this often."""
SILENT_S: Final = 15.0
"""A loop silent for longer hangs."""
STALL_S: Final = 60.0
"""Work at hand and nothing settled for longer, with no trouble known, is a stall."""
EXCUSE_S: Final = 120.0
"""A trouble that was not said again for longer explains nothing any more: who tries again says so."""


class Health:
    """What is known of this process; written by the event loop, read by the threads of HTTP and watchdog."""

    def __init__(self, monotonic: Callable[[], float], stall_s: float = STALL_S) -> None:
        """Begin as starting: alive, not ready.

        Args:
            monotonic: clock in seconds.
            stall_s: work at hand and nothing settled for longer is a stall.
        """
        self._monotonic = monotonic
        self._stall_s = stall_s
        self._beat = self._moved = monotonic()
        self._excused = self._beat
        self._in_hand: dict[str, float] = {}
        self._backlog = 0
        self._troubles: dict[str, str] = {"start": "the worker is starting"}
        self._said: dict[str, float] = {}

    def beat(self) -> None:
        """Say that the event loop turns."""
        self._beat = self._monotonic()

    def begin(self, what: str) -> None:
        """A slice of this agent is in hand."""
        self._in_hand[what] = self._monotonic()

    def end(self, what: str) -> None:
        """The agent is done with it."""
        self._in_hand.pop(what, None)

    def moved(self) -> None:
        """A slice was settled."""
        self._moved = self._monotonic()

    def backlog(self, records: int) -> None:
        """So many records of the partitions held are not applied."""
        self._backlog = records

    def trouble(self, where: str, sentence: str) -> bool:
        """Note why data does not flow; True when this is news."""
        news = self._troubles.get(where) != sentence
        self._said[where] = self._monotonic()
        self._troubles[where] = sentence
        return news

    def recovered(self, where: str) -> bool:
        """Note that a trouble is over; True when there was one."""
        return self._troubles.pop(where, None) is not None

    def not_ready(self) -> list[str]:
        """Give the reasons why data does not flow, sorted; none means ready."""
        return sorted(dict(self._troubles).values())

    def not_alive(self) -> list[str]:
        """Give the reasons why a restart would help; none means alive."""
        silent = self._monotonic() - self._beat
        reasons = [f"the event loop has not turned for {silent:.0f} s"] if silent > SILENT_S else []
        stalled = self.stalled()
        return reasons if reasons or stalled is None else [stalled]

    def stalled(self) -> str | None:
        """Say that there is work and nothing comes of it; None while there is progress, no work or a known trouble.

        To be asked every second or so: work is taken to begin when it is first seen.
        """
        at = self._monotonic()
        if at - self._beat > self._stall_s:
            return f"the event loop has not turned for {at - self._beat:.0f} s"
        if self._is_excused(at):
            self._excused = at
        held = sorted(dict(self._in_hand).items())
        if held or not self._backlog or self._excused == at:
            self._moved = at
        for what, since in held:
            waited = at - max(since, self._excused)
            if waited > self._stall_s:
                return f"{what} has held one slice for {waited:.0f} s"
        if at - self._moved > self._stall_s:
            return f"{self._backlog} records wait, and none was taken in hand for {at - self._moved:.0f} s"
        return None

    def _is_excused(self, at: float) -> bool:
        """Tell whether a service is known to be away; a log that is refused holds up its own partition only."""
        return any(
            where == "start" or (not where.startswith("log ") and at - self._said.get(where, at) <= EXCUSE_S)
            for where in list(self._troubles)
        )


class HealthServer:
    """Serves a worker's health and metrics until it is closed."""

    def __init__(self, host: str, port: int, health: Health, registry: CollectorRegistry) -> None:
        """Listen at once.

        Args:
            host: address to listen on.
            port: port to listen on; 0 takes a free one, see `port`.
            health: what to answer from.
            registry: what /metrics exposes.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._server = ThreadingHTTPServer((host, port), _handler(health, registry))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


def _handler(health: Health, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif path == "/healthz":
                self._verdict(health.not_alive())
            elif path == "/readyz":
                self._verdict(health.not_alive() + health.not_ready())
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not found\n")

        def _verdict(self, reasons: list[str]) -> None:
            status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
            body = json.dumps({"status": "failing" if reasons else "ok", "reasons": reasons}, ensure_ascii=False)
            self._answer(status, "application/json; charset=utf-8", body.encode() + b"\n")

        def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
            """Probes come every few seconds; counters say more than lines."""

    return Handler
