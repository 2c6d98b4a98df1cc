"""Row 11: the master dies and a replica that lags behind takes over."""

import time
from typing import Final

import redis

from chaos.ground import Ground, came_true, later
from chaos.rows import Found, Scene
from services import Proxy, RedisServer, wait_for

LAG_S: Final = 8.0
READ_ONLY_S: Final = 4.0


def failover(scene: Scene) -> Found:
    """The replica's link is silent for a while, then workers are sent to it, read-only first."""
    found = Found()
    ground = Ground(scene.folder, bug=scene.bug)
    old = None
    try:
        worker = ground.alone()
        for number in range(scene.runs(3)):
            link = Proxy(ground.redis.port)
            replica = RedisServer(ground.folder / f"replica-{number}")
            try:
                with redis.Redis(port=replica.port) as client:
                    client.replicaof("127.0.0.1", str(link.port))
                    wait_for(lambda client=client: client.info("replication")["master_link_status"] == "up", 30)  # type: ignore[misc]
                    link.set("hole")
                    later(LAG_S)
                    ground.to_redis.target = replica.port
                    ground.to_redis.set("pass")
                    found.check("/readyz says that it cannot write", ground.hears(worker, "read only"))
                    later(READ_ONLY_S)
                    old, ground.redis = ground.redis, replica
                    old.kill()
                    before = ground.applied()
                    client.replicaof("NO", "ONE")
                found.notes.append(f"the replica stood {ground.feed.sent - before} records behind the log")
                found.recovery_s.append(ground.grows(time.monotonic()))
                found.runs += 1
            finally:
                link.close()
        found.check("the worker lived through it", came_true(worker.alive, 1))
        found.settle(ground)
    finally:
        ground.close()
    return found
