"""`python -m services start|stop|check`: what `make services` and `make services-stop` run."""

import json
import sys
from typing import Final, TypedDict

import psutil

from services.binaries import NAMES, MissingBinaryError, find
from services.broker import ROOT, Broker
from services.daemon import Daemon, accepts, free_port, stop_by_pid
from services.prometheus import Prometheus
from services.redis_server import RedisServer

RUN: Final = ROOT / ".run"
STATE: Final = RUN / "services.json"
ENVIRONMENT: Final = RUN / "services.env"
RULES: Final = ("recording.yml", "alerts.yml")
USUAL_PORTS: Final = {"kafka": 9092, "redis": 6379, "prometheus": 9090}


class Entry(TypedDict):
    """What `.run/services.json` says of one service."""

    pid: int
    created: float
    address: str


def main(arguments: list[str]) -> int:
    """Run one verb; gives the exit code."""
    verbs = {"start": start, "stop": stop, "check": check}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print("usage: python -m services start|stop|check", file=sys.stderr)
        return 2
    try:
        return verbs[arguments[0]]()
    except (MissingBinaryError, RuntimeError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 3


def check() -> int:
    """Say which programs are missing."""
    for program in NAMES:
        find(program)
    return 0


def start() -> int:
    """Start what is not running yet, and write the addresses down."""
    state = {name: entry for name, entry in _state().items() if _alive(entry)}
    for name, launch in (("kafka", _kafka), ("redis", _redis), ("prometheus", _prometheus)):
        if name not in state:
            daemon, address = launch(_port(name))
            created = psutil.Process(daemon.pid).create_time()
            state[name] = {"pid": daemon.pid, "created": created, "address": address}
            STATE.write_text(json.dumps(state, indent=2) + "\n")
        print(f"{name:<12}{state[name]['address']}")
    ENVIRONMENT.write_text(
        f"SUBSIDYWATCH_KAFKA__BOOTSTRAP={state['kafka']['address']}\nSUBSIDYWATCH_REDIS__URL={state['redis']['address']}\n"
    )
    print(f"addresses as settings: set -a; . {ENVIRONMENT.relative_to(ROOT)}; set +a")
    return 0


def stop() -> int:
    """End what `start` started, by pid."""
    for name, entry in reversed(_state().items()):
        ended = stop_by_pid(entry["pid"], entry["created"], grace=20)
        print(f"{name:<12}{'stopped' if ended else 'was not running'}")
    STATE.unlink(missing_ok=True)
    ENVIRONMENT.unlink(missing_ok=True)
    return 0


def _kafka(port: int) -> tuple[Daemon, str]:
    broker = Broker(RUN / "services/kafka", port, lasting=True)
    return broker.daemon, broker.bootstrap


def _redis(port: int) -> tuple[Daemon, str]:
    server = RedisServer(RUN / "services/redis", port)
    return server.daemon, server.url


def _prometheus(port: int) -> tuple[Daemon, str]:
    jobs = {"worker": "127.0.0.1:9101", "serve": "127.0.0.1:8080"}
    rules = [ROOT / "deploy/prometheus" / name for name in RULES]
    server = Prometheus(RUN / "services/prometheus", jobs, [path for path in rules if path.exists()], port, every=5)
    return server.daemon, server.url


def _port(name: str) -> int:
    """The usual port when it is free, so that default settings fit; else any."""
    usual = USUAL_PORTS[name]
    return free_port() if accepts(usual) else usual


def _state() -> dict[str, Entry]:
    try:
        loaded: dict[str, Entry] = json.loads(STATE.read_text())
    except (OSError, json.JSONDecodeError):
        return {}
    return loaded


def _alive(entry: Entry) -> bool:
    try:
        return psutil.Process(entry["pid"]).create_time() == entry["created"]
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
