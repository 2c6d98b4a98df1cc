"""Every engine of the benchmark: how it is started, how much it reads, where its version comes from."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
PEERS: Final = HERE / "peers"
ROOT: Final = HERE.parents[1]
PEERS_PYTHON: Final = ROOT / ".run/bench-venv/bin/python"
JARS: Final = ROOT / ".run/bench"


@dataclass(frozen=True)
class Engine:
    """One engine.

    Attributes:
        name: as printed.
        argv: what starts it.
        jobs: the jobs it does.
        share: part of the events it reads: slow ones get a topic of their own with fewer.
        package: distribution its version is taken from, in its own environment.
        keyed: it wants records keyed by ad id.
        ours: its J1 answer lies in the product's store.
        warm: it compiles while it runs, so its steady figure is the fair one.
    """

    name: str
    argv: tuple[str, ...]
    package: str
    jobs: tuple[str, ...] = ("J1", "J2")
    share: float = 1.0
    keyed: bool = False
    ours: bool = False
    warm: bool = False

    def missing(self) -> str:
        """Say what is not there to run it; nothing when all is."""
        absent = [word for word in self.argv if word.startswith("/") and not Path(word.rstrip("*")).exists()]
        return f"{absent[0]} is not there" if absent else ""


def _python(script: str) -> tuple[str, ...]:
    return (sys.executable, str(PEERS / script))


def _peer(script: str) -> tuple[str, ...]:
    return (str(PEERS_PYTHON), str(PEERS / script))


OURS: Final = "subsidywatch"
ENGINES: Final = (
    Engine(OURS, _python("batch_app.py"), "subsidywatch", jobs=("J1", "J2", "J3"), ours=True),
    Engine("confluent-kafka loop", _python("confluent_loop.py"), "confluent-kafka"),
    Engine("aiokafka loop", _python("aiokafka_loop.py"), "aiokafka"),
    Engine("Faust agent", _python("faust_agent.py"), "faust-streaming", share=1 / 40),
    Engine("Faust agent, sums only", _python("faust_sums.py"), "faust-streaming", jobs=("J3",), share=1 / 40),
)
