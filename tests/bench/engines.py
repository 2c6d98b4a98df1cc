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


LEAST_EVENTS: Final = 4_000


@dataclass(frozen=True)
class Engine:
    """One engine.

    Attributes:
        name: as printed.
        argv: what starts it.
        jobs: the jobs it does.
        share: part of the events it reads: slow ones get a topic of their own with fewer.
        share_of_hours: part of J2's, where it is slower still.
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
    share_of_hours: float | None = None
    keyed: bool = False
    ours: bool = False
    warm: bool = False

    def events(self, job: str, most: int) -> int:
        """Give how many of the events it reads."""
        share = self.share if job != "J2" or self.share_of_hours is None else self.share_of_hours
        return max(LEAST_EVENTS, int(most * share))

    def missing(self) -> str:
        """Say what is not there to run it; nothing when all is."""
        words = [part for word in self.argv for part in word.split(":") if part.startswith("/")]
        absent = [word for word in words if not Path(word.rstrip("*")).exists()]
        return f"{absent[0]} is not there" if absent else ""


def _python(script: str) -> tuple[str, ...]:
    return (sys.executable, str(PEERS / script))


def _peer(script: str) -> tuple[str, ...]:
    return (str(PEERS_PYTHON), str(PEERS / script))


def _java(name: str, *options: str) -> tuple[str, ...]:
    """Two gigabytes and the collector that suits one core; the JVM expands the star."""
    opens = [f"--add-opens=java.base/{part}=ALL-UNNAMED" for part in ("java.lang", "java.util", "java.net", "java.nio")]
    logging = f"-Dlog4j2.configurationFile={PEERS / 'java/log4j2.xml'}"
    path = ("-cp", f"{JARS / 'classes'}:{JARS / 'lib'}/*")
    return ("/usr/bin/java", "-Xms2g", "-Xmx2g", "-XX:+UseSerialGC", *opens, logging, *options, *path, name)


OURS: Final = "subsidywatch"
ENGINES: Final = (
    Engine(OURS, _python("batch_app.py"), "subsidywatch", jobs=("J1", "J2", "J3"), ours=True),
    Engine("confluent-kafka loop", _python("confluent_loop.py"), "confluent-kafka"),
    Engine("Kafka Streams, processor", _java("StreamsPeer"), "kafka-streams", warm=True),
    Engine("Flink SQL", _java("FlinkPeer"), "flink-table-runtime", warm=True),
    Engine("aiokafka loop", _python("aiokafka_loop.py"), "aiokafka"),
    Engine("Faust agent", _python("faust_agent.py"), "faust-streaming", share=1 / 80),
    Engine(
        "Faust windowed Table", _python("faust_table.py"), "faust-streaming", share=1 / 200, share_of_hours=1 / 1_000
    ),
    Engine("Bytewax, by batch", _peer("bytewax_flow.py"), "bytewax", share=1 / 4),
    Engine("Pathway", _peer("pathway_flow.py"), "pathway", share=1 / 4),
    Engine("Quix Streams, own sums", _peer("quix_app.py"), "quixstreams", share=1 / 10),
    Engine("Faust agent, sums only", _python("faust_sums.py"), "faust-streaming", jobs=("J3",), share=1 / 40),
)
