"""A real single-node Apache Kafka (KRaft) on loopback, run from the jars of `make jars`."""

import atexit
import base64
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from services.binaries import MissingBinaryError, find
from services.daemon import Daemon, accepts, free_port
from services.waiting import wait_for

ROOT: Final = Path(__file__).resolve().parents[2]
LIB: Final = Path(os.environ.get("KAFKA_LIB_DIR", ROOT / ".run/kafka/lib"))
LOG4J: Final = Path(__file__).with_name("kafka") / "log4j2.xml"

SHORT_LIVED: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Half of the CPU of a start goes into compiling what a test's broker hardly runs again."""

PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{outer}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
"""


class Broker:
    """A broker that can be killed and started again on the same data and port.

    Args:
        folder: data, properties and log; kept after the end.
        port: port for clients; 0 takes a free one.
        outer: port that clients of the second listener are told, where somebody forwards to `inner`; 0 for nobody.
        lasting: it is to serve for long or fast, so its JVM compiles with all its art; else it starts for half the CPU.
        properties: more lines of the broker's properties, e.g. `("log.retention.check.interval.ms=500",)`.
    """

    def __init__(
        self, folder: Path, port: int = 0, outer: int = 0, properties: Iterable[str] = (), *, lasting: bool = False
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.inner = free_port()
        self._outer = outer or self.inner
        self._jvm = () if lasting else SHORT_LIVED
        self._more = "".join(f"{line}\n" for line in properties)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._properties = folder / "server.properties"
        self._format()
        self.start()

    def start(self) -> None:
        """Start the broker (again) and wait until it answers a client."""
        argv = [*_java("-Xmx512m", *self._jvm), "kafka.Kafka", str(self._properties)]
        self.daemon = Daemon("kafka", argv, self.folder)
        try:
            wait_for(self._answers, timeout=60, what=f"Kafka on {self.bootstrap}", every=0.2)
        except BaseException:
            self.daemon.kill()
            raise

    def create_topic(self, name: str, partitions: int = 4, config: Mapping[str, str] | None = None) -> str:
        """Make a topic and wait until it has leaders; gives the name."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_topics([NewTopic(name, partitions, 1, topic_configs=dict(config or {}))])
            wait_for(lambda: name in admin.list_topics(), what=f"topic {name}")
        finally:
            admin.close()
        return name

    def create_topics(self, topics: Iterable[tuple[str, int, Mapping[str, str]]]) -> None:
        """Make topics (name, partitions, settings) in one call, and wait until all have leaders."""
        wanted = [NewTopic(name, width, 1, topic_configs=dict(config)) for name, width, config in topics]
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            admin.create_topics(wanted)
            names = {topic.name for topic in wanted}
            wait_for(lambda: names <= set(admin.list_topics()), what=f"topics {names}")
        finally:
            admin.close()

    def kill(self) -> None:
        """End the broker as a crash would."""
        self.daemon.kill()

    def stop(self) -> None:
        """End the broker politely."""
        self.daemon.stop(grace=20)

    def _format(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = {"port": self.port, "inner": self.inner, "outer": self._outer, "controller": free_port()}
        self._properties.write_text(PROPERTIES.format(**ports, folder=self.folder) + self._more)
        if not (self.folder / "data/meta.properties").exists():
            shutil.copytree(_formatted(), self.folder / "data", dirs_exist_ok=True)

    def _answers(self) -> bool:
        if not (self.daemon.running() and accepts(self.port)):
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2_000)
        except (KafkaError, OSError, ValueError):
            return False
        try:
            admin.list_topics()
        except (KafkaError, OSError):
            return False
        finally:
            admin.close()
        return True


def _java(*options: str) -> list[str]:
    if not any(LIB.glob("kafka_*.jar")):
        raise MissingBinaryError(f"no Kafka jars in {LIB}: `make test` (or `make jars`) fetches them")
    # The JVM expands the star itself.
    return [str(find("java")), *options, f"-Dlog4j2.configurationFile={LOG4J}", "-cp", f"{LIB}/*"]


@cache
def _formatted() -> Path:
    """Give an empty data folder, formatted once per process: the tool is a JVM of its own."""
    folder = Path(tempfile.mkdtemp(prefix="kafka-formatted-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ports = {"port": 9092, "inner": 9093, "outer": 9094, "controller": 9095}  # nobody listens
    properties = folder / "server.properties"
    properties.write_text(PROPERTIES.format(**ports, folder=folder))
    # Its text must not begin with a dash, or the tool takes it for an option.
    cluster = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    tool = "kafka.tools.StorageTool"
    argv = [*_java("-Xmx128m", *SHORT_LIVED), tool, "format", "-t", cluster, "-c", str(properties)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Kafka's storage could not be formatted: {done.stdout[-500:]}{done.stderr[-500:]}")
    return folder / "data"
