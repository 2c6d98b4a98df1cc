"""Rows 5 to 11 and 22: a Redis that dies, forgets, goes back in time, is full, hangs, or was the wrong one."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import redis

from chaos.broken_worker import LAG_PREFIX
from chaos.ground import Ground, came_true, later
from chaos.rows import Found, NotRunError, Scene
from services import wait_for
from services.worker import Worker

TMPFS_BYTES = 16 * 2**20
DECIDED = "subsidywatch_worker_decide_duration_seconds_count"


def restarted(scene: Scene) -> Found:
    """Row 5: SIGKILL, the append-only file stays."""

    def fault(ground: Ground, worker: Worker) -> None:
        ground.redis.kill()
        later(3)

    return _outages(scene, 5, fault)


def wiped(scene: Scene) -> Found:
    """Row 6: all data are deleted; the log is read again from its beginning."""

    def fault(ground: Ground, worker: Worker) -> None:
        ground.redis.kill()
        shutil.rmtree(ground.redis.folder / "appendonlydir")

    def after(ground: Ground, worker: Worker, found: Found) -> None:
        said = came_true(lambda: "rebuilt" in " ".join(worker.complaints()), 40)
        found.check("/readyz says that the totals are being rebuilt", said)

    return _outages(scene, 2, fault, after, backlog=40_000)


def older(scene: Scene) -> Found:
    """Row 7: a copy made some time ago comes back."""

    def fault(ground: Ground, worker: Worker) -> None:
        copy = ground.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        ground.redis.daemon.signal(signal.SIGSTOP)
        shutil.copytree(ground.redis.folder / "appendonlydir", copy)
        ground.redis.daemon.signal(signal.SIGCONT)
        later(12)
        ground.redis.kill()
        shutil.rmtree(ground.redis.folder / "appendonlydir")
        shutil.copytree(copy, ground.redis.folder / "appendonlydir")

    return _outages(scene, 3, fault)


def tail_cut(scene: Scene) -> Found:
    """Row 8: what a power loss does to the append-only file."""
    chance = random.Random(8)

    def fault(ground: Ground, worker: Worker) -> None:
        ground.redis.kill()
        newest = max((ground.redis.folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.name)
        with newest.open("r+b") as file:
            file.truncate(max(0, newest.stat().st_size - chance.randrange(1_024, 4_097)))

    def after(ground: Ground, worker: Worker, found: Found) -> None:
        # Redis 7.0 leaves half of a torn transaction in the file, and would add it at the next start.
        with redis.Redis(port=ground.redis.port) as client:
            client.bgrewriteaof()
            wait_for(
                lambda: not client.info("persistence")["aof_rewrite_in_progress"], 30, "the file to be written anew"
            )

    return _outages(scene, 5, fault, after)


def _outages(
    scene: Scene,
    usual: int,
    fault: Callable[[Ground, Worker], None],
    after: Callable[[Ground, Worker, Found], None] | None = None,
    backlog: int = 0,
) -> Found:
    """Mistreat Redis under load, start it again, and see that counting goes on by itself; compare at the end."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        worker = ground.alone()
        if backlog:
            ground.feed.burst(backlog)
            ground.wait_applied(backlog)
        for _ in range(scene.runs(usual)):
            fault(ground, worker)
            ground.redis.start()
            up = time.monotonic()
            if after is not None:
                after(ground, worker, found)
            found.recovery_s.append(ground.grows(up))
            found.runs += 1
            later(2)
        found.check("the worker lived through it", worker.daemon.process.poll() is None)
        found.settle(ground)
    return found


def full_memory(scene: Scene) -> Found:
    """Row 9: maxmemory below what is used."""

    def press(ground: Ground, client: redis.Redis) -> None:
        client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)

    def free(ground: Ground, client: redis.Redis) -> None:
        client.config_set("maxmemory", 0)

    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        _refusing(ground, found, scene.runs(3), press, free, "used memory")
    return found


def full_disk(scene: Scene) -> Found:
    """Row 22: the append-only file on a small file system that something else fills."""
    if os.geteuid() != 0:
        raise NotRunError("mounting a small file system needs root")
    disk = scene.folder / "disk"
    disk.mkdir(parents=True)
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode:
        raise NotRunError("a tmpfs cannot be mounted here")
    found = Found()
    try:
        quiet = ["--auto-aof-rewrite-percentage", "0"]
        with closing(Ground(scene.folder, bug=scene.bug, redis_folder=disk, redis_arguments=quiet)) as ground:
            _refusing(ground, found, scene.runs(2), partial(_fill, disk), partial(_empty, disk), "MISCONF", rate=50)
            ground.redis.kill()
            ground.redis.start()
            found.compared.append(ground.compare())
    finally:
        subprocess.run(["/bin/umount", str(disk)], check=False)
    return found


def _fill(disk: Path, ground: Ground, client: redis.Redis) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            return


def _empty(disk: Path, ground: Ground, client: redis.Redis) -> None:
    (disk / "ballast").unlink()


def _refusing(
    ground: Ground,
    found: Found,
    runs: int,
    press: Callable[[Ground, redis.Redis], None],
    free: Callable[[Ground, redis.Redis], None],
    words: str,
    rate: int = 1_000,
) -> None:
    """Make Redis refuse writes for a while: the worker waits, says why, and drops nothing."""
    worker = ground.alone(rate)
    with redis.Redis(port=ground.redis.port) as client:
        for _ in range(runs):
            press(ground, client)
            found.check(f"/readyz says {words}", ground.hears(worker, words))
            held = ground.applied()
            later(5)
            found.check("nothing was counted meanwhile", ground.applied() == held)
            found.check("the worker stayed alive", worker.alive())
            free(ground, client)
            found.recovery_s.append(ground.grows(time.monotonic()))
            found.runs += 1
    found.settle(ground)


def hung(scene: Scene) -> Found:
    """Row 10: Redis is stopped, then the network swallows what is sent to it; answers of unknown outcome."""
    found = Found()
    with closing(Ground(scene.folder, bug=scene.bug)) as ground:
        ground.feed.start()
        worker = ground.worker(None if scene.bug else "lag")
        worker.wait_ready()
        for number in range(scene.runs(6)):
            ground.wait_applied(ground.applied() + 500)
            _hang(ground, number % 2 == 0)
            found.check("/readyz names Redis", ground.hears(worker, f"Redis at 127.0.0.1:{ground.to_redis.port}"))
            later(3)
            _wake(ground, number % 2 == 0)
            found.recovery_s.append(ground.grows(time.monotonic()))
            found.runs += 1
        lags = [float(line.split()[3]) for line in worker.daemon.log.read_text().splitlines() if LAG_PREFIX in line]
        worst = max(lags, default=0.0)
        found.notes.append(f"the event loop was never blocked for longer than {max(worst, 0.25):.2f} s")
        found.check("the event loop was never blocked for a second", worst < 1)
        found.settle(ground)
    return found


def _hang(ground: Ground, process: bool) -> None:
    if process:
        ground.redis.daemon.signal(signal.SIGSTOP)
    else:
        ground.to_redis.set("hole")


def _wake(ground: Ground, process: bool) -> None:
    if process:
        ground.redis.daemon.signal(signal.SIGCONT)
    else:
        ground.to_redis.set("pass")
