"""Two workers on a Redis Cluster, one of whose masters is killed and comes back: every cell of the totals is exact."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from counted_stack import Stack
from models.errors import ServiceUnavailable
from services import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SHARDS = 6
BACKLOG = 20_000


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[services.RedisCluster]:
    """Three masters of this test's own."""
    started = services.RedisCluster(tmp_path / "cluster")
    yield started
    started.kill()


@pytest.fixture
def stack(cluster: services.RedisCluster, tmp_path: Path) -> Iterator[Stack]:
    """Kafka with as many partitions as there are shards, and workers that write to the cluster."""
    settings = {"REDIS__URL": cluster.url, "REDIS__CLUSTER": "true", "REDIS__TIMEOUT_S": "2"}
    made = Stack(tmp_path, SHARDS, REDIS__SHARDS=str(SHARDS), **settings)
    yield made
    made.stop()


def test_a_killed_master_loses_and_doubles_nothing(cluster: services.RedisCluster, stack: Stack) -> None:
    """Records flow while a master is killed -9 and started on its append-only file; afterwards all is settled once."""
    workers = []
    for _ in range(2):
        workers.append(stack.start_worker())
        workers[-1].wait_ready()
    stack.produce(2_000)
    stack.drain()

    stack.produce(BACKLOG)
    wait_for(lambda: stack.read().settled > 2_000, 30, "the backlog to be taken up", 0.01)
    gone = cluster.node_of("{0}")
    gone.kill()
    with pytest.raises(ServiceUnavailable):
        stack.read()
    wait_for(lambda: any("Redis" in " ".join(worker.complaints()) for worker in workers), 30, "a worker to say so")
    stack.produce(2_000)
    gone.start()
    cluster.wait_whole()
    stack.drain()
    counted = stack.read()

    summed = {counter for _, _, counter in stack.maker.cells}
    assert dict(stack.maker.cells) == {cell: n for cell, n in counted.cells.items() if cell[2] in summed}
    assert not [name for name in counted.tallies if name.startswith(("lost", "rejected"))]
    assert [0, 0] == [stack.stop_worker(worker) for worker in workers]
