"""Rows 15 to 17, 19, 25 and 26: records that are garbage, poison, repeats, from the future, too many, too varied."""

import json
import random
import sys
import time
import urllib.request
from contextlib import closing
from typing import Final

import psutil
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position

from chaos.broken_worker import POISON
from chaos.feed import CLICKS, IMPRESSIONS, PARTITIONS, START
from chaos.ground import Ground, came_true, later
from chaos.rows import Found, Scene
from garbage import Maker
from services import Daemon, free_port, wait_for
from services.daemon import accepts
from services.worker import Worker

LIMIT: Final = 1_000
YEAR_MS: Final = 365 * 24 * 3_600_000
DEAD_TOPICS: Final = tuple(f"{topic}.dead" for topic in (IMPRESSIONS, CLICKS, "shop.orders.v1"))


def garbage(scene: Scene) -> Found:
    """Row 15, no limit: bad records of every kind among good ones."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone()
        wanted = round(100_000 * scene.share)
        began = time.monotonic()
        _spoil(ground, wanted)
        found.check("everything was settled", ground.drain(300))
        found.notes.append(f"{wanted} bad records were settled {time.monotonic() - began:.0f} s after the first")
        buried, refused = _buried(ground), _rejected(ground)
        found.notes.append(f"{buried} lie on the dead-letter topics")
        found.check("every bad record is on its dead-letter topic once", buried == wanted == refused)
        found.check("no worker restarted", worker.daemon.process.poll() is None)
        found.compared.append(ground.compare())
    return found


def limited(scene: Scene) -> Found:
    """Row 15, with a limit: the worker stops loudly at it, and goes on once it is raised."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug, INGEST__DEAD_LETTER_LIMIT=str(LIMIT))) as ground:
        worker = ground.alone()
        _spoil(ground, 3 * LIMIT)
        stopped = came_true(lambda: worker.daemon.process.poll() is not None, 60)
        code = worker.daemon.process.poll()
        found.check(f"the worker ended with a fault, got {code}", stopped and code not in (None, 0))
        found.check("it says why", "dead" in worker.daemon.tail(20_000).lower())
        found.check("no more than the limit was let go", _rejected(ground) <= LIMIT)
        raised = ground.run("dlq", "limit", str(10 * LIMIT))
        found.check(f"`dlq limit` raises it: {raised.stderr.strip()[:200]}", raised.returncode == 0)
        worker.start()
        found.recovery_s.append(ground.grows(time.monotonic()))
        found.settle(ground)
        found.check("every bad record was refused once", _rejected(ground) == 3 * LIMIT)
    return found


def _spoil(ground: Ground, count: int) -> None:
    """Put bad records of every kind on the log, over all partitions."""
    chance = random.Random(15)
    for bad in Maker(15, START).garbage(count):
        value = bad.value
        if bad.reason in ("future", "too_old"):
            value = b"[]"  # what is too far ahead or behind depends on clocks: row 19 is about those
        ground.feed.raw(bad.topic, chance.randrange(PARTITIONS), value, bad.key)
    ground.feed.flush()


def _buried(ground: Ground) -> int:
    """Give the number of records on the dead-letter topics."""
    consumer = Consumer({"bootstrap.servers": ground.broker.bootstrap, "group.id": "counter"})
    try:
        return sum(consumer.get_watermark_offsets(Position(topic, 0), timeout=10)[1] for topic in DEAD_TOPICS)
    finally:
        consumer.close()


def _rejected(ground: Ground) -> int:
    return sum(count for name, count in ground.tallies().items() if name.startswith("rejected:"))


def poison(scene: Scene) -> Found:
    """Row 16: records that make the handler itself crash."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.worker(scene.bug or "poison")
        ground.feed.start()
        worker.wait_ready()
        for number in range(scene.runs(3)):
            ground.wait_applied(ground.applied() + 500)
            before = ground.offsets()
            ground.feed.raw(CLICKS, number % PARTITIONS, POISON)
            found.recovery_s.append(ground.moves(time.monotonic(), before, 30))
            found.runs += 1
        found.check("the worker lived through it", worker.daemon.process.poll() is None)
        found.settle(ground)
        found.check(f"one dead letter each: {_buried(ground)}", _buried(ground) == found.runs)
    return found


def repeated(scene: Scene) -> Found:
    """Row 17: events sent again at new offsets, out of order by up to five minutes, some of them hours late."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        ground.feed.repeat_share, ground.feed.shuffle_ms, ground.feed.late_share = 0.3, 300_000, 0.02
        ground.alone(2_000)
        ground.wait_applied(round(40_000 * scene.share))
        found.settle(ground)
        told = ground.tallies()
        repeats = sum(count for name, count in told.items() if name.startswith("duplicates:"))
        late = sum(count for name, count in told.items() if name.startswith("late_by:"))
        found.notes.append(
            f"{ground.feed.repeats} repeats sent, {repeats} left out; {late} late events counted as late"
        )
        found.check("every repeat was left out and counted", repeats == ground.feed.repeats)
        found.check("late events are counted as late", late > 0)
    return found


def future(scene: Scene) -> Found:
    """Row 19: events dated a year ahead."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        ground.alone()
        for number in range(40):
            at = time.time_ns() // 1_000_000 + YEAR_MS
            body = {"event_id": f"f{number}", "at": at, "region": "440000", "campaign_id": "c1", "user_id": "u1"}
            topic = (IMPRESSIONS, CLICKS)[number % 2]
            ground.feed.raw(topic, number % PARTITIONS, json.dumps({**body, "spend_micros": 1}).encode())
        found.settle(ground)
        heads = [step.head for step in ground.progress().values() if step.head is not None]
        told = ground.tallies()
        refused = sum(count for name, count in told.items() if name.endswith(":future"))
        found.check(f"all 40 were refused as from the future: {refused}", refused == 40)
        found.check("no event time moved into the future", max(heads) < START + YEAR_MS)
        found.check("all are dead letters", _buried(ground) == 40)
    return found


def burst(scene: Scene) -> Found:
    """Row 25: ten times the load for a minute."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone(300)
        later(15)
        process = psutil.Process(worker.daemon.pid)
        usual = process.memory_info().rss
        ground.feed.rate, most, ends = 3_000, usual, time.monotonic() + 60 * scene.share
        while time.monotonic() < ends:
            most = max(most, process.memory_info().rss)
            later(0.5)
        ground.feed.rate, over = 300, time.monotonic()
        goal = ground.feed.sent
        wait_for(lambda: ground.applied() >= goal, 240, "the burst to be settled", 0.2)
        found.recovery_s.append(time.monotonic() - over)
        most = max(most, process.memory_info().rss)
        found.notes.append(f"resident memory {usual / 2**20:.0f} MiB before, {most / 2**20:.0f} MiB at most")
        found.check("resident memory less than doubled", most < 2 * usual)
        found.settle(ground)
    return found


def varied(scene: Scene) -> Found:
    """Row 26: a campaign id of its own for nearly every event, and one hot region."""
    found = Found(runs=1)
    count = round(200_000 * scene.share)
    with closing(Ground(scene.folder, bug=scene.bug, campaigns=10_000_000)) as ground:
        worker = ground.alone()
        port = free_port()
        argv = ["-m", "streams", "serve", "--port", str(port)]
        serve = Daemon("serve", [sys.executable, "-P", *argv], ground.folder, ground.env)
        try:
            wait_for(lambda: serve.running() and accepts(port), 60, "serve to answer")
            _vary(ground, found, count, worker, port)
        finally:
            serve.stop()
    return found


def _vary(ground: Ground, found: Found, count: int, worker: Worker, port: int) -> None:
    urls = {"worker": f"http://127.0.0.1:{worker.port}/metrics", "serve": f"http://127.0.0.1:{port}/metrics"}
    later(5)
    before = {name: _series(url) for name, url in urls.items()}
    process = psutil.Process(worker.daemon.pid)
    early = 0
    for part in range(10):
        ground.feed.burst(count // 10)
        ground.wait_applied(ground.feed.sent, 200)
        early = early or process.memory_info().rss * (part >= 4)
    late = process.memory_info().rss
    later(5)
    after = {name: _series(url) for name, url in urls.items()}
    found.notes.append(f"{count} events, nearly as many campaigns; series before {before}, after {after}")
    found.notes.append(f"resident memory at half {early / 2**20:.0f} MiB, at the end {late / 2**20:.0f} MiB")
    found.check("series are bounded by the top campaigns", all(after[n] < before[n] + 2_000 for n in urls))
    found.check("resident memory is bounded", late < 1.5 * early)
    found.settle(ground)


def _series(url: str) -> int:
    """Give the number of series a page exposes."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return sum(not line.startswith(b"#") for line in answer.read().splitlines())
