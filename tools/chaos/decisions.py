"""Rows 18 and 23: what is decided while a clock is wrong, and while nothing can be published."""

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Position

from chaos.feed import PARTITIONS
from chaos.ground import Ground, later
from chaos.rows import Found, NotRunError, Scene
from models.scenario.world import START, World
from models.units import MINUTE_MS, EpochMs
from services import wait_for
from streams.producing import partition_of
from streams.topics import INPUTS

LIBRARIES: Final = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
MINUTES: Final = 60
EVENTS_A_MINUTE: Final = 10
KEYED: Final = {spec.name for spec in INPUTS if spec.keyed}
OUT: Final = ("subsidy.transitions.v1", "budget.shifts.v1")
LOGS: Final = ("transitions", "shifts")


def clock(scene: Scene) -> Found:
    """Row 18: an hour of the simulated shop, counted by workers whose clock is an hour ahead, behind, or mixed."""
    if not LIBRARIES:
        raise NotRunError("libfaketime is not installed (Debian package faketime)")
    found = Found()
    told: dict[str, tuple[Any, Any]] = {}
    for name, skews in (("right", ["0"]), ("ahead", ["+1h"]), ("behind", ["-1h"]), ("mixed", ["0", "+1h"])):
        with closing(Ground(scene.folder / name, bug=scene.bug)) as ground:
            told[name] = _an_hour(ground, [_faked(skew) for skew in skews], found)
        found.runs += name != "right"
        found.check(f"totals are the same with the clock {name}", told[name][0] == told["right"][0])
        found.check(f"transitions are the same with the clock {name}", told[name][1] == told["right"][1])
    found.notes.append(f"{len(told['right'][0])} cells and {len(told['right'][1])} transitions held against each other")
    found.check("something was decided", len(told["right"][1]) > 0)
    return found


def _faked(skew: str) -> dict[str, str]:
    if skew == "0":
        return {}
    real = {"DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # or timeouts would lie
    return {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": skew, **real}


def _an_hour(ground: Ground, clocks: list[dict[str, str]], found: Found) -> tuple[Any, Any]:
    """Let workers with these clocks count and decide an hour; give its cells and its transitions."""
    workers = [ground.worker(**clock) for clock in clocks]
    for emitted in (True, False):
        ground.feed.replay(_records(first=emitted))
        wait_for(lambda: ground.applied() >= ground.feed.sent, 120, "the hour to be settled", 0.2)
    if len(workers) == 1 and clocks[0]:
        doctor = ground.run("doctor", variables=clocks[0])
        found.check("doctor says that the clock is wrong", "clock" in doctor.stdout)
    return ground.cells(), sorted(_decided(ground, "transitions"))


def _records(*, first: bool) -> list[tuple[str, int, bytes, bytes]]:
    """Give the hour's announcements and campaigns, or everything else: the order of topics is not what is tested."""
    world = World(18, rate=EVENTS_A_MINUTE)
    records = list(world.opening())
    for minute in range(MINUTES):
        records.extend(world.step(EpochMs(START + minute * MINUTE_MS)))
    out = []
    for record in sorted(records, key=lambda record: record.arrival):
        if (record.topic in KEYED) != first:
            key = record.key.encode()
            partition = partition_of(key, PARTITIONS) if record.topic in KEYED else 0
            out.append((record.topic, partition, json.dumps(record.body).encode(), key))
    return out


def _decided(ground: Ground, log: str) -> set[str]:
    """Give the ids of what was decided, once no more comes."""
    ids: set[str] = set()
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 8:
        ids = {next(v for k, v in json.loads(body).items() if k.endswith("_id")) for body in ground.log(log)}
        if len(ids) != last:
            last, since = len(ids), time.monotonic()
        later(0.2)
    return ids


def mute(scene: Scene) -> Found:
    """Row 23: nothing can be published while the hour is decided; afterwards everything is, once or under one id."""
    found = Found(runs=1)
    with closing(Ground(scene.folder, bug=scene.bug, KAFKA__REQUEST_TIMEOUT_S="6")) as ground:
        worker = ground.worker()
        ground.feed.replay(_records(first=True))
        ground.wait_applied(ground.feed.sent)
        ground.to_kafka.set("no_produce")
        ground.feed.replay(_records(first=False))
        ground.wait_applied(ground.feed.sent, 120)
        early = _decided(ground, "transitions")
        before = {topic: len(_published(ground, topic)) for topic in OUT}
        found.check("decisions were made and could not be published", bool(early) and not sum(before.values()))
        found.check("the proxy refused to let produce", ground.to_kafka.cuts > 0)
        found.check("the worker lived through it", worker.alive())
        ground.to_kafka.set("pass")
        healed = time.monotonic()
        wait_for(lambda: {i for i, _ in _published(ground, OUT[0])} >= early, 90, "what was held back to be published")
        found.recovery_s.append(time.monotonic() - healed)
        wanted = {log: _decided(ground, log) for log in LOGS}
        for topic, log in zip(OUT, LOGS, strict=True):
            sent = _published(ground, topic)
            found.check(f"{topic} holds what was decided and nothing else", {i for i, _ in sent} == wanted[log])
            found.check(f"one id is one body on {topic}", len(dict(sent)) == len(set(sent)))
            found.notes.append(f"{topic}: {len(wanted[log])} decided, {len(sent)} records")
    return found


def _published(ground: Ground, topic: str) -> list[tuple[str, bytes]]:
    """Give id and body of everything on an output topic."""
    consumer = Consumer({"bootstrap.servers": ground.broker.bootstrap, "group.id": "reader", "log_level": 0})
    try:
        end = consumer.get_watermark_offsets(Position(topic, 0), timeout=10)[1]
        consumer.assign([Position(topic, 0, 0)])
        found: list[tuple[str, bytes]] = []
        while len(found) < end:
            for message in consumer.consume(1_000, timeout=5):
                value = message.value() or b"{}"
                found.append((next(v for k, v in json.loads(value).items() if k.endswith("_id")), value))
        return found
    finally:
        consumer.close()
