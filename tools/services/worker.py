"""One worker of this project as a real process, to be started, killed, stopped and asked for its metrics."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from services.daemon import Daemon, free_port
from services.waiting import wait_for


class Worker:
    """A `subsidywatch worker` on given Kafka and Redis; each start takes a new metrics port.

    Args:
        name: for its log and messages.
        folder: where its log goes.
        env: settings as environment variables; Kafka's and Redis's addresses among them.
        command: runs something else than `subsidywatch worker`.
    """

    def __init__(self, name: str, folder: Path, env: dict[str, str], command: list[str] | None = None) -> None:
        self.name = name
        self._folder = folder
        self._env = env
        self._command = command or [str(Path(sys.executable).with_name("subsidywatch")), "worker"]
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start the process (again); does not wait until it is ready."""
        self.port = free_port()
        env = {**self._env, "SUBSIDYWATCH_WORKER__METRICS_PORT": str(self.port)}
        self.daemon = Daemon(self.name, self._command, self._folder, env)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until /readyz says that data flows."""
        wait_for(lambda: self.daemon.running() and self.is_ready(), timeout, f"{self.name} to be ready")

    def is_ready(self) -> bool:
        """Whether /readyz answers 200."""
        return self._get("/readyz") is not None

    def alive(self) -> bool:
        """Whether the process runs and /healthz answers 200."""
        return self.daemon.process.poll() is None and self._get("/healthz") is not None

    def complaints(self) -> list[str]:
        """What /readyz names as keeping data from flowing; nothing when ready or when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return []
        except urllib.error.HTTPError as answer:
            with answer:
                reasons: list[str] = json.load(answer)["reasons"]
                return reasons
        except (urllib.error.URLError, OSError):
            return []

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels; 0.0 when the process does not answer."""
        text = self._get("/metrics") or ""
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, OSError):
            return None
