"""Rows 12 to 14, 20, 21: a Kafka that crashes, is out of reach, slow, forgets too early, or was made anew."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from confluent_kafka import TopicPartition as Position
from confluent_kafka.admin import AdminClient

from chaos.feed import CLICKS, PARTITIONS, Cell, Sent, cells_of
from chaos.ground import Ground, came_true, later
from chaos.rows import Found, Scene
from services import Broker, wait_for
from streams.ports import TopicPartition
from streams.topics import TOPICS

AWAY_S: Final = 120.0
DELAY_S: Final = 0.2
CUT_SHARE: Final = 0.01


def crashed(scene: Scene) -> Found:
    """Row 12: kill -9 of the broker, and a start on the same data."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone()
        for _ in range(scene.runs(3)):
            ground.wait_applied(ground.applied() + 1_000)
            ground.broker.kill()
            found.check("/readyz names Kafka", ground.hears(worker, "Kafka"))
            ground.broker.start()
            found.recovery_s.append(ground.grows(time.monotonic()))
            found.runs += 1
        found.check("the worker lived through it", worker.alive())
        found.settle(ground)
    return found


def unreachable(scene: Scene) -> Found:
    """Row 13: the network swallows everything between worker and broker, while the log grows."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone(500)
        for seconds in (AWAY_S * scene.share, 20.0)[: scene.runs(2)]:
            ground.to_kafka.set("hole")
            gone = time.monotonic()
            found.check("/readyz names Kafka", ground.hears(worker, "Kafka", 60))
            later(seconds - (time.monotonic() - gone))
            found.check("the worker stayed alive", worker.alive())
            held = ground.applied()
            ground.to_kafka.set("pass")
            healed = time.monotonic()
            wait_for(lambda held=held: ground.applied() > held, 90, "records to be settled again", 0.1)  # type: ignore[misc]
            found.recovery_s.append(time.monotonic() - healed)
            found.runs += 1
        found.settle(ground)
    return found


def slow(scene: Scene) -> Found:
    """Row 14: everything takes 200 ms longer, and one piece in a hundred ends its connection."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        ground.alone(300)
        for proxy in (ground.to_kafka, ground.to_redis):
            proxy.delay_s, proxy.cut_share = DELAY_S, CUT_SHARE
        began, before = time.monotonic(), ground.offsets()
        later(60 * scene.share)
        found.notes.append(f"every partition had moved on after {ground.moves(began, before):.0f} s of it")
        ground.feed.stop()
        found.check("everything was settled while it was slow", came_true(lambda: _all(ground), 240))
        cuts = ground.to_kafka.cuts + ground.to_redis.cuts
        found.notes.append(f"{cuts} connections were cut")
        found.check("connections were cut", cuts > 0)
        found.settle(ground)
    return found


def _all(ground: Ground) -> bool:
    return ground.applied() >= ground.feed.sent


def overtaken(scene: Scene) -> Found:
    """Row 20: the log drops records before a stopped worker, then before a worker cut off, has read them."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone()
        gone: Counter[Cell] = Counter()
        for cut_off in (False, True)[: scene.runs(2)]:
            ground.feed.rate = 0
            if cut_off:
                ground.to_kafka.set("hole")
            else:
                worker.daemon.stop()
            ground.feed.burst(4_000)
            dropped = _drop(ground, gone)
            found.counted += dropped
            healed = time.monotonic()
            if cut_off:
                ground.to_kafka.set("pass")
            else:
                worker.start()
            found.recovery_s.append(ground.moves(healed, ground.offsets()))
            found.runs += 1
        ground.feed.stop()
        expected = Counter({cell: n - gone[cell] for cell, n in ground.feed.cells.items() if n != gone[cell]})
        found.settle(ground, expected)
        told = sum(count for name, count in ground.tallies().items() if name.startswith("lost:"))
        found.notes.append(f"{found.counted} records dropped by the log, {told} counted as lost")
        found.check("the loss was counted to the offset", told == found.counted)
        table = json.loads(ground.run("table", "--json", "--window", "1h").stdout)
        found.check("windows that miss records say so", table["lost_records"] > 0)
    return found


def _drop(ground: Ground, gone: Counter[Cell]) -> int:
    """Delete the first two thirds of what is not yet applied; note what they would have added, give their number."""
    stands: dict[TopicPartition, int] = {}
    while stands != (stands := ground.offsets()):  # what the worker has fetched already is not lost
        later(2)
    cuts: dict[tuple[str, int], tuple[int, Sequence[Sent]]] = {}
    for (topic, partition), events in ground.feed.per_partition.items():
        first = stands[TopicPartition(topic, partition)]
        until = first + (len(events) - first) * 2 // 3
        if until > first:
            cuts[topic, partition] = (until, events[first:until])
    admin = AdminClient({"bootstrap.servers": ground.broker.bootstrap})
    wanted = [Position(topic, partition, until) for (topic, partition), (until, _) in cuts.items()]
    for future in admin.delete_records(wanted).values():
        future.result(30)
    for _, dropped in cuts.values():
        for event in dropped:
            gone.update(cells_of(event))
    ground.feed.rate = 1_000
    return sum(len(events) for _, events in cuts.values())


def made_anew(scene: Scene) -> Found:
    """Row 21: a topic is deleted and created while the store remembers more than it holds."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone()
        ground.drain()
        found.check("exit 0", worker.daemon.stop() == 0)
        _recreate(ground.broker, CLICKS)
        ground.feed.raw(CLICKS, 0, b"{}")
        ground.feed.flush()
        worker.start()
        found.check("/readyz says that the topic was created anew", ground.hears(worker, "created anew"))
        later(3)
        found.check("nothing of the new topic was counted", not any("rejected" in name for name in ground.tallies()))
        found.compared.append(ground.compare())
        doctor = ground.run("doctor")
        found.check(
            "doctor fails and says it", doctor.returncode == 1 and "created anew" in doctor.stdout + doctor.stderr
        )
    return found


def _recreate(broker: Broker, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.delete_topics([topic])[topic].result(30)
    wait_for(lambda: topic not in admin.list_topics(timeout=10).topics, 30, "the topic to be gone")
    spec = next(spec for spec in TOPICS if spec.name == topic)
    broker.create_topic(topic, spec.partitions(PARTITIONS), spec.configs())
