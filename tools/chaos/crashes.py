"""Rows 1 to 4 and 27: workers that are killed, stopped, asleep, many, and restarted over and over."""

import random
import signal
import time
from contextlib import closing
from typing import Final

from chaos.ground import Ground, later
from chaos.rows import Found, Scene
from services import wait_for
from services.worker import Worker
from streams.ports import TopicPartition

ASSIGNED: Final = "subsidywatch_worker_assigned_partitions"
STOPPED_IN_S: Final = 10.0
ZOMBIE_S: Final = 15.0
CRASH_EVERY_S: Final = 5.0


def kill(scene: Scene) -> Found:
    """Row 1: two workers, one of them killed at a random point, again and again."""
    found, chance = Found(), random.Random(1)
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        workers = ground.pair()
        for number in range(scene.runs(20)):
            ground.wait_applied(ground.applied() + chance.randrange(200, 3_000))
            victim = workers[number % 2]
            victim.daemon.kill()
            killed, before = time.monotonic(), ground.offsets()
            victim.start()
            found.recovery_s.append(ground.moves(killed, before))
            found.runs += 1
        found.settle(ground)
    return found


def term(scene: Scene) -> Found:
    """Row 2: SIGTERM in the middle of a backlog, also to workers whose handler hangs or blocks the loop."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        for behaviour in [None] * scene.runs(5) + ["hang", "spin"]:
            worker = ground.worker(behaviour)
            wait_for(lambda worker=worker: worker.metric(ASSIGNED) > 0, 60, "the worker to own partitions")  # type: ignore[misc]
            before = ground.applied()
            ground.feed.burst(20_000)
            if behaviour is None:
                wait_for(lambda before=before: ground.applied() > before, 30, "the backlog to be begun", 0.01)  # type: ignore[misc]
            told = time.monotonic()
            code = worker.daemon.stop(grace=30)
            took = time.monotonic() - told
            found.recovery_s.append(took)
            found.check(f"exit 0 within {STOPPED_IN_S:g} s ({behaviour or 'loaded'}): {code}", code == 0 and took < 10)
            ground.workers.remove(worker)
            found.runs += 1
        ground.worker().wait_ready()
        found.settle(ground)
    return found


def zombie(scene: Scene) -> Found:
    """Row 3: a worker with slices in hand sleeps past its session, another one takes over, it wakes."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug, REDIS__TIMEOUT_S="60")) as ground:
        workers = ground.pair()
        for number in range(scene.runs(10)):
            sleeper = workers[number % 2]
            wait_for(lambda w=sleeper: w.metric(ASSIGNED) > 0, 60, "the worker to own partitions")  # type: ignore[misc]
            found.recovery_s.append(_sleep_and_wake(ground, sleeper))
            found.runs += 1
        refused = sum(worker.metric("subsidywatch_worker_fenced_total") for worker in workers)
        found.notes.append(f"the fence refused {refused:.0f} slices of woken workers")
        found.check("the fence refused at least one woken worker", refused > 0)
        found.settle(ground)
    return found


def _sleep_and_wake(ground: Ground, sleeper: Worker) -> float:
    """Let Redis pause while a backlog is made, so that the worker falls asleep with slices in its hands."""
    ground.redis.daemon.signal(signal.SIGSTOP)
    ground.feed.burst(20_000)
    counted = sleeper.metric("subsidywatch_worker_records_total")
    ground.redis.daemon.signal(signal.SIGCONT)
    wait_for(lambda: sleeper.metric("subsidywatch_worker_records_total") > counted, 30, "the first slice", 0.01)
    sleeper.daemon.signal(signal.SIGSTOP)
    slept = time.monotonic()
    taken = ground.moves(slept, ground.offsets())
    later(ZOMBIE_S - (time.monotonic() - slept))
    woken, before = time.monotonic(), ground.offsets()
    sleeper.daemon.signal(signal.SIGCONT)
    wait_for(lambda: sleeper.metric(ASSIGNED) > 0, 60, "the woken worker to be back")
    ground.moves(woken, before)
    return taken


def scale(scene: Scene) -> Found:
    """Row 4: one worker, three, one again, under load; how long each partition stood still."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        ground.alone()
        ground.wait_applied(2_000)
        pauses: list[float] = []
        for _ in range(scene.runs(2)):
            for _ in range(2):
                pauses += _pauses(ground, ground.worker())
            for worker in ground.workers[1:]:
                pauses += _pauses(ground, worker, stop=True)
            del ground.workers[1:]
            found.runs += 1
        found.recovery_s = [sorted(pauses)[int(len(pauses) * 0.95)]]
        found.notes.append(f"{len(pauses)} pauses of partitions, worst {max(pauses):.1f} s; recovery is their p95")
        found.settle(ground)
    return found


def _pauses(ground: Ground, worker: Worker, *, stop: bool = False) -> list[float]:
    """Start has just been given, or give the end; watch every partition for 12 s, give the longest still of each."""
    if stop:
        worker.daemon.signal(signal.SIGTERM)
    began = time.monotonic()
    last: dict[TopicPartition, tuple[int, float]] = {tp: (at, began) for tp, at in ground.offsets().items()}
    longest = dict.fromkeys(last, 0.0)
    while time.monotonic() - began < 12:
        now = time.monotonic()
        for tp, at in ground.offsets().items():
            before, since = last.setdefault(tp, (at, now))
            if at > before:
                longest[tp] = max(longest.get(tp, 0.0), now - since)
                last[tp] = (at, now)
    return list(longest.values())


def storm(scene: Scene) -> Found:
    """Row 27: the only worker, with a name of its own in the group, crashes five seconds after each start."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug, KAFKA__INSTANCE_ID="the-only-one")) as ground:
        worker = ground.alone(500)
        ground.wait_applied(500)
        still = 0
        for _ in range(scene.runs(20)):
            worker.daemon.kill()
            before = ground.applied()
            worker.start()
            wait_for(worker.alive, 60, "the process to be up")
            later(CRASH_EVERY_S)
            still += ground.applied() == before
            found.runs += 1
        found.notes.append(f"{found.runs - still} of {found.runs} cycles made progress")
        found.check("every cycle made progress", still == 0)
        stormed = time.monotonic()
        found.recovery_s.append(ground.moves(stormed, ground.offsets()))
        found.settle(ground)
    return found
