"""What a row of the matrix stands on: a broker, a Redis, proxies before both, a feed, and workers."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from chaos.feed import COUNTED, PARTITIONS, TOPICS_FED, Cell, Feed
from chaos.holding import Holding
from models.errors import MonitorError
from services import Broker, DeadlineError, Proxy, RedisServer, wait_for
from services.worker import Worker
from streams.ports import Progress, TopicPartition
from streams.topics import TOPICS

SESSION_S: Final = 6.0
HERE: Final = Path(__file__).resolve().parents[1]


class Compared(NamedTuple):
    """What the store holds against what the feed sent.

    Attributes:
        lost: events that are missing, over all regions and kinds.
        double: events that are counted too often.
        wrong: cells whose sum is not the feed's, money included.
    """

    lost: int
    double: int
    wrong: int

    @property
    def exact(self) -> bool:
        """Whether every cell is right."""
        return not (self.lost or self.double or self.wrong)


class Ground:
    """One row's world; nothing of it outlives `close`.

    Attributes:
        env: settings of every worker and tool on it.
        feed: what is sent.
        bug: a planted bug that every worker carries; None for the product as it is.
    """

    def __init__(
        self,
        folder: Path,
        *,
        bug: str | None = None,
        redis_folder: Path | None = None,
        redis_arguments: Iterable[str] = (),
        broker_lines: Iterable[str] = (),
        campaigns: int = 20,
        **settings: str,
    ) -> None:
        """Start everything but workers.

        Args:
            folder: data and logs.
            bug: see `chaos.broken_worker`.
            redis_folder: where Redis keeps its data, instead of under `folder`.
            redis_arguments: more of Redis's own arguments.
            broker_lines: more of the broker's properties.
            campaigns: how many campaign ids the feed has.
            settings: more settings of the workers, without the prefix.
        """
        self.folder = folder
        self.bug = bug
        self.workers: list[Worker] = []
        self.to_kafka, self.to_redis = Proxy(), Proxy()
        self.redis = RedisServer(redis_folder or folder / "redis", arguments=list(redis_arguments))
        self.broker = Broker(folder / "kafka", outer=self.to_kafka.port, properties=broker_lines)
        self.to_kafka.target, self.to_redis.target = self.broker.inner, self.redis.port
        for topic in TOPICS:
            self.broker.create_topic(topic.name, topic.partitions(PARTITIONS), topic.configs())
        named = {
            "KAFKA__BOOTSTRAP": f"127.0.0.1:{self.to_kafka.port}",
            "KAFKA__SESSION_TIMEOUT_S": f"{SESSION_S:g}",
            "KAFKA__HEARTBEAT_S": "1",
            "KAFKA__REQUEST_TIMEOUT_S": "6",
            "REDIS__URL": f"redis://127.0.0.1:{self.to_redis.port}/0",
            "REDIS__TIMEOUT_S": "2",
            **settings,
        }
        self.env = {f"SUBSIDYWATCH_{name}": value for name, value in named.items()}
        self.feed = Feed(self.broker.bootstrap, campaigns=campaigns)

    # --- workers --------------------------------------------------------------------------------------------------

    def worker(self, behaviour: str | None = None, **variables: str) -> Worker:
        """Start a worker; give it once the process runs.

        Args:
            behaviour: of `chaos.broken_worker`; None for the bug of this ground, or the product as it is.
            variables: more environment variables, by their whole names.
        """
        planted = behaviour or self.bug
        env = {**self.env, "PYTHONPATH": f"{HERE}:{os.environ.get('PYTHONPATH', '')}".rstrip(":"), **variables}
        command = [sys.executable, "-P", "-m", "chaos.broken_worker", planted] if planted else None
        self.workers.append(Worker(f"worker-{len(self.workers)}", self.folder, env, command))
        return self.workers[-1]

    def alone(self, rate: int = 1_000) -> Worker:
        """Start the feed and one worker, and wait until it counts."""
        self.feed.rate = rate
        self.feed.start()
        worker = self.worker()
        worker.wait_ready()
        wait_for(lambda: len(self.offsets()) >= len(TOPICS_FED) * PARTITIONS, 60, "every partition to be begun", 0.1)
        return worker

    def pair(self) -> list[Worker]:
        """Start the feed and two workers, and wait until both count."""
        self.feed.start()
        workers = [self.worker(), self.worker()]
        for worker in workers:
            worker.wait_ready()
        return workers

    def run(self, *words: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a verb as an operator does."""
        argv = [sys.executable, "-P", "-m", "streams", *words]
        env = {**os.environ, **self.env, "NO_COLOR": "1", **(variables or {})}
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=90, check=False)

    # --- what the store holds --------------------------------------------------------------------------------------

    def progress(self) -> dict[TopicPartition, Progress]:
        """Where every partition stands; empty while Redis is away."""
        try:
            return Holding(self.redis.url).progress()
        except MonitorError:
            return {}

    def offsets(self) -> dict[TopicPartition, int]:
        """First offset not applied, of every partition that was ever applied."""
        return {tp: step.next_offset for tp, step in self.progress().items()}

    def applied(self) -> int:
        """Records settled, of all topics."""
        return sum(self.offsets().values())

    def cells(self) -> dict[Cell, int]:
        """Every sum of the counters that a feed knows."""
        return Holding(self.redis.url).cells()

    def log(self, name: str) -> list[str]:
        """The newest entries of a log of decisions, as JSON."""
        return Holding(self.redis.url).log(name)

    def tallies(self) -> dict[str, int]:
        """The counts that the store keeps beside the totals."""
        return Holding(self.redis.url).tallies()

    def compare(self, expected: Counter[Cell] | None = None) -> Compared:
        """Hold every cell of the store against the feed, or against other sums."""
        want = self.feed.cells if expected is None else expected
        found = self.cells()
        names = want.keys() | found.keys()
        over = {name: found.get(name, 0) - want.get(name, 0) for name in names}
        regional = [n for (scope, _, counter), n in over.items() if scope == "region" and counter in COUNTED]
        return Compared(
            lost=-sum(n for n in regional if n < 0),
            double=sum(n for n in regional if n > 0),
            wrong=sum(n != 0 for n in over.values()),
        )

    # --- waiting --------------------------------------------------------------------------------------------------

    def wait_applied(self, goal: int, timeout: float = 90) -> None:
        """Wait until so many records are settled."""
        wait_for(lambda: self.applied() >= goal, timeout, f"{goal} records to be settled", 0.1)

    def moves(self, since: float, before: dict[TopicPartition, int], timeout: float = 90) -> float:
        """Wait until every partition of `before` has moved past it; give the seconds since `since`."""

        def moved() -> bool:
            now = self.offsets()
            return bool(now) and all(now.get(tp, 0) > at for tp, at in before.items())

        wait_for(moved, timeout, "every partition to move on", 0.1)
        return time.monotonic() - since

    def grows(self, since: float, timeout: float = 90) -> float:
        """Wait until the store stands further than when it first answers; give the seconds since `since`."""
        first = wait_for(self.applied, timeout, "the store to hold something", 0.1)
        wait_for(lambda: self.applied() > first, timeout, "records to be settled again", 0.1)
        return time.monotonic() - since

    def hears(self, worker: Worker, words: str, timeout: float = 40) -> bool:
        """Whether /readyz of a worker says these words within the time."""
        return came_true(lambda: words in " ".join(worker.complaints()), timeout)

    def drain(self, timeout: float = 150) -> bool:
        """Stop the feed and wait until everything sent is settled; False when it is not in time."""
        self.feed.stop()
        return came_true(lambda: self.applied() >= self.feed.sent, timeout)

    def close(self) -> None:
        """End everything."""
        for worker in self.workers:
            worker.daemon.kill()
        self.to_kafka.close()
        self.to_redis.close()
        self.redis.daemon.kill()
        self.broker.kill()


def came_true(condition: Callable[[], bool], timeout: float) -> bool:
    """Poll a condition; False when it is still false at the deadline."""
    try:
        return wait_for(condition, timeout, every=0.1)
    except DeadlineError:
        return False


def later(seconds: float) -> None:
    """Let time pass: the faults of the matrix last as long as they say."""
    time.sleep(seconds)
