"""Dead letters put back on real Kafka: what was refused by mistake is counted, garbage dies again, but not for ever."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from kafka import KafkaConsumer, KafkaProducer

from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

CLICKS = "ads.clicks.v1"
PREFIX = "redrive"


class Ground:
    """A broker, a Redis, and the verbs on them."""

    def __init__(self, folder: Path, redis: RedisServer) -> None:
        self.folder = folder
        self.broker = Broker(folder / "kafka")
        self.redis = redis
        self.env = {
            **os.environ,
            "SUBSIDYWATCH_KAFKA__BOOTSTRAP": self.broker.bootstrap,
            "SUBSIDYWATCH_REDIS__URL": redis.url,
            "SUBSIDYWATCH_REDIS__PREFIX": PREFIX,
        }
        self.broker.create_topics((topic.name, topic.partitions(4), topic.configs()) for topic in TOPICS)

    def worker(self, **settings: str) -> Worker:
        """Start a worker."""
        return Worker("redrive", self.folder, {**self.env, **settings})

    def verb(self, *words: str) -> tuple[int, dict[str, object]]:
        """Run `dlq` with these words; give its exit code and JSON."""
        argv = [sys.executable, "-P", "-m", "streams", "dlq", *words, "--json"]
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False, timeout=60)
        assert "" == done.stderr
        return done.returncode, json.loads(done.stdout)

    def tally(self, start: str) -> int:
        """Give the sum of the store's counts whose names start so."""

        async def ask() -> int:
            settings = RedisSettings(url=self.redis.url, prefix=PREFIX)
            store = await RedisStore.connect(settings, ZoneInfo("Asia/Shanghai"))
            try:
                return sum(count for name, count in (await store.tallies()).items() if name.startswith(start))
            finally:
                await store.close()

        return asyncio.run(ask())


@pytest.fixture
def ground(tmp_path: Path, redis_server: RedisServer) -> Iterator[Ground]:
    """Services without any record."""
    made = Ground(tmp_path, redis_server)
    yield made
    made.broker.stop()


def click(number: int) -> bytes:
    """A click of 300 bytes and more."""
    body = {"event_id": f"e{number}", "at": 1_750_000_000_000, "region": "440000", "campaign_id": "c" * 100}
    return json.dumps({**body, "user_id": f"u{number}" + "x" * 100, "spend_micros": 1}).encode()


def test_refused_records_come_back_until_they_may_no_more(ground: Ground) -> None:
    """Three clicks refused by a bound too low are counted after it was raised; garbage is refused each time."""
    narrow = ground.worker(SUBSIDYWATCH_INGEST__MAX_EVENT_BYTES="256")
    producer = KafkaProducer(bootstrap_servers=ground.broker.bootstrap, acks="all")
    for number in range(3):
        producer.send(CLICKS, click(number), key=b"u%d" % number).get(20)
    producer.send(CLICKS, b"{oops", key=b"u1").get(20)
    producer.close()
    wait_for(lambda: ground.tally("rejected:") == 4, 60, "four dead letters")
    narrow.daemon.stop()
    worker = ground.worker()
    try:
        dry_code, dry = ground.verb("redrive", "--topic", CLICKS)
        code, done = ground.verb("redrive", "--yes")
        assert (0, 4, 0) == (dry_code, len(list(dry["chosen"])), dry["sent"])  # type: ignore[call-overload]
        assert (0, 4, []) == (code, done["sent"], done["refused"])
        wait_for(lambda: (ground.tally("accepted:clicks"), ground.tally("rejected:")) == (3, 5), 30, "three counted")

        code, done = ground.verb("redrive", "--reason", "not_json", "--yes", "--rounds", "2")
        assert (0, 1, 1) == (code, done["sent"], done["sent_before"])
        wait_for(lambda: ground.tally("rejected:") == 6, 60, "the garbage to die a third time")
        code, done = ground.verb("redrive", "--yes", "--rounds", "2")
        assert (1, 0, 5) == (code, done["sent"], done["sent_before"])
        assert (0, 1) == (ground.verb("redrive", f"{CLICKS}.dead/0/5", "--force", "--yes")[0], _rounds(ground))
    finally:
        worker.daemon.stop()
    again = _newest_copy(ground.broker.bootstrap)
    assert (b"u1", b"{oops", "3") == again[:3]
    assert again[3].startswith(f"{CLICKS}/")


def _rounds(ground: Ground) -> int:
    """Give how many letters died at least twice after they were put back."""
    listed = ground.verb("list")[1]
    assert isinstance(listed, list)
    return sum(letter["rounds"] == 2 for letter in listed)


def _newest_copy(bootstrap: str) -> tuple[bytes | None, bytes | None, str, str]:
    """Give key, value, round and origin of the record that was put back most often."""
    consumer = KafkaConsumer(
        CLICKS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3_000
    )
    records = list(consumer)
    consumer.close()
    newest = max(records, key=lambda record: int(dict(record.headers).get("redriven", b"0")))
    headers = dict(newest.headers)
    return newest.key, newest.value, headers["redriven"].decode(), headers["redriven-first"].decode()
