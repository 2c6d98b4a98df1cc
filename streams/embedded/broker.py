"""Kafka for the demo: a child process with librdkafka's in-memory broker."""

import json
import sys
from pathlib import Path

from streams.embedded.process import Child
from streams.topics import TOPICS


class EmbeddedBroker:
    """A broker with all our topics. It forgets everything when it stops, and drops the oldest past 5 MB a partition."""

    def __init__(self, folder: Path, partitions: int) -> None:
        """Start it with `partitions` for keyed topics; `wait` tells where it listens."""
        words = [f"{spec.name}:{spec.partitions(partitions)}" for spec in TOPICS]
        argv = [sys.executable, "-P", "-m", "streams.embedded.broker_process", *words]
        self.child = Child("the embedded broker", argv, folder / "broker.log", pipe_stdout=True)

    def wait(self, timeout_s: float = 10.0) -> str:
        """Give its address, host:port on loopback, once it listens.

        Raises:
            ChildDied: it ended or was silent for `timeout_s`.
        """
        return str(json.loads(self.child.read_line(timeout_s))["bootstrap"])

    def stop(self) -> None:
        """End it; its records are lost."""
        self.child.stop()
