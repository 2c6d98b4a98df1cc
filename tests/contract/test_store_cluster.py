"""What the Redis store does when a cluster's layout changes or a master is away, and when the settings do not fit."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

import services
from cases.writes import CLICKS, MINUTE, NOON, connected, counted, slice_at, slice_of
from models.errors import ServiceUnavailable, SettingsError
from models.totals import Totals
from models.windows import Scope
from streams.ports import Applied, Reply, TopicPartition
from streams.store.redis_store import RedisStore

pytestmark = pytest.mark.integration

PARTITIONS = [TopicPartition("ads.clicks.v1", number) for number in range(6)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[services.RedisCluster]:
    """Three masters of this test's own; what they acknowledge is on disk."""
    started = services.RedisCluster(tmp_path, arguments=["--appendfsync", "always"])
    yield started
    started.kill()


@pytest.fixture
async def store(cluster: services.RedisCluster) -> AsyncIterator[RedisStore]:
    """A store on them, six shards wide."""
    opened = await connected(cluster.url, cluster=True, shards=6)
    yield opened
    await opened.close()


async def test_a_few_shards_reach_every_master(cluster: services.RedisCluster, store: RedisStore) -> None:
    """Partitions go round the shards, and hash tags that are numbers spread over the slots."""
    for tp in PARTITIONS:
        await store.claim(tp)

    holders = [cluster.node_of(f"{{{number}}}") for number in range(6)]
    assert 3 == len(set(map(id, holders)))
    for node in cluster.nodes:
        with redis.Redis.from_url(node.url) as client:
            assert sum(holder is node for holder in holders) == client.dbsize()


def move(cluster: services.RedisCluster, shard: str) -> services.RedisServer:
    """Give a shard that holds nothing yet to another master; gives the one it leaves."""
    old = cluster.node_of(shard)
    new = next(node for node in cluster.nodes if node is not old)
    with redis.Redis.from_url(new.url) as client:
        owner = client.execute_command("CLUSTER MYID")
        slot = client.execute_command("CLUSTER KEYSLOT", shard)
    for node in cluster.nodes:
        with redis.Redis.from_url(node.url) as client:
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", owner)
    return old


async def test_a_shard_that_moved_is_followed(cluster: services.RedisCluster, store: RedisStore) -> None:
    """The old owner says where a slot went, and the slice is applied there, once."""
    old = move(cluster, "{0}")

    await store.claim(CLICKS)
    assert Applied(Reply.APPLIED, 1) == await store.apply(slice_at(0))
    assert (1, {NOON: {"u0": "seen"}}) == (await store.join(CLICKS, [], {NOON: ["u0"]}))[::4]
    with redis.Redis.from_url(old.url) as client:
        assert 0 == client.dbsize()
    assert {"440000": counted(1)} == await store.totals(Scope.REGION, [MINUTE])


async def test_what_is_read_in_order_is_never_pieced_together(
    cluster: services.RedisCluster, store: RedisStore
) -> None:
    """A version read after the texts would hide a write in between, so a join that meets a move is repeated whole."""
    move(cluster, "{0}")

    with pytest.raises(ServiceUnavailable):
        await store.join(CLICKS, [], {NOON: ["u0"]})
    assert (0, {NOON: {}}) == (await store.join(CLICKS, [], {NOON: ["u0"]}))[::4]


async def test_a_master_away_is_unavailable_until_it_is_back(cluster: services.RedisCluster, store: RedisStore) -> None:
    """Nothing that was acknowledged is lost by a kill -9, and the slice in doubt is repeated."""
    for tp in PARTITIONS:
        await store.claim(tp)
        await store.apply(slice_of(0, 1, tp))
    gone = cluster.node_of("{0}")
    gone.kill()

    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            await store.apply(slice_of(1, 2, PARTITIONS[0]))
        with pytest.raises(ServiceUnavailable):
            await store.totals(Scope.REGION, [MINUTE])
        with pytest.raises(ServiceUnavailable):
            await connected(cluster.url, cluster=True)
    gone.start()
    cluster.wait_whole()

    for tp in PARTITIONS:
        assert Applied(Reply.APPLIED, 2) == await store.apply(slice_of(1, 2, tp))
    assert {"440000": Totals(clicks=12)} == await store.totals(Scope.REGION, [MINUTE])


async def test_calls_side_by_side_meet_an_outage_as_such(cluster: services.RedisCluster, store: RedisStore) -> None:
    """Whatever one call does to the client's connections, the others hear that Redis is away, and count once."""
    gone, outages = cluster.node_of("{0}"), 0

    async def push(tp: TopicPartition) -> int:
        nonlocal outages
        at = 0
        while at < 20 or not is_back.is_set():
            try:
                joined = await store.join(tp, [], {NOON: ["u"]})
                reply = (await store.apply(slice_of(at, at + 1, tp, join=joined.version))).reply
            except ServiceUnavailable:
                outages += 1
            else:
                assert reply in (Reply.APPLIED, Reply.DUPLICATE)
                at += 1
        return at

    async def met() -> bool:
        return outages > 100

    is_back = asyncio.Event()
    for tp in PARTITIONS:
        await store.claim(tp)
    pushing = asyncio.gather(*map(push, PARTITIONS))
    gone.kill()
    await services.wait_for_async(met, what="calls to meet the outage")
    await asyncio.to_thread(gone.start)
    await asyncio.to_thread(cluster.wait_whole)
    is_back.set()

    counts = await pushing
    assert {"440000": Totals(clicks=sum(counts))} == await store.totals(Scope.REGION, [MINUTE])


async def test_a_node_without_the_setting_is_refused(cluster: services.RedisCluster) -> None:
    """It would answer for a part of the keys only; the sentence names the setting."""
    with pytest.raises(SettingsError, match="SUBSIDYWATCH_REDIS__CLUSTER"):
        await connected(cluster.url)


async def test_the_setting_without_a_cluster_is_refused(redis_server: services.RedisServer) -> None:
    """A single server is not taken for a cluster of one."""
    with pytest.raises(SettingsError, match="not a node of a cluster; set SUBSIDYWATCH_REDIS__CLUSTER"):
        await connected(redis_server.url, cluster=True)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/5", "unix:///run/redis.sock"])
async def test_a_cluster_has_no_databases_and_no_sockets(url: str) -> None:
    """An address that no cluster can have is a wrong setting, found before any connection."""
    with pytest.raises(SettingsError, match="SUBSIDYWATCH_REDIS__URL"):
        await connected(url, cluster=True)


async def test_a_cluster_that_nobody_serves_is_unavailable() -> None:
    """It may come back, so it is no wrong setting."""
    with pytest.raises(ServiceUnavailable, match="does not serve"):
        await connected(f"redis://127.0.0.1:{services.free_port()}/0", cluster=True)
