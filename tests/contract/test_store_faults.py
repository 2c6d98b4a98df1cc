"""What the Redis store does when Redis is away, full, foreign or wrongly set up: our error, and never a half write."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

import services
from cases.writes import CLICKS, KINDS, MINUTE, connected, counted, dump, slice_at
from models.errors import ServiceUnavailable, SettingsError, UnsafeStore
from models.windows import Scope
from streams.ports import Applied, Reply
from streams.store.redis_errors import address_of
from streams.store.redis_store import RedisStore

Start = Callable[..., services.RedisServer]


@pytest.fixture(params=KINDS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Start a server of this test's own, which may be killed or filled."""
    started: list[services.RedisServer] = []

    def begin(*arguments: str) -> services.RedisServer:
        server = services.RedisServer(tmp_path, valkey=request.param == "valkey", arguments=list(arguments))
        started.append(server)
        return server

    yield begin
    for server in started:
        server.kill()


@pytest.fixture(params=KINDS)
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[RedisStore]:
    """An empty store on the server that tests share."""
    server = request.getfixturevalue(f"{request.param}_server")
    server.flush()
    store = await connected(server.url)
    yield store
    await store.close()


async def test_a_server_that_may_evict_is_refused(start: Start) -> None:
    """Totals that vanish under memory pressure are worse than no totals."""
    server = start("--maxmemory-policy", "allkeys-lru")

    with pytest.raises(UnsafeStore, match="maxmemory-policy is allkeys-lru"):
        await connected(server.url)


async def test_a_node_of_a_cluster_is_refused(start: Start) -> None:
    """The store speaks to one server; a cluster's node would answer for a part of the keys only."""
    server = start("--cluster-enabled", "yes", "--cluster-port", str(services.free_port()))

    with pytest.raises(SettingsError, match="node of a cluster"):
        await connected(server.url)


async def test_an_old_server_is_refused() -> None:
    """Before version 7 a script could be stopped by a full memory half-way."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = b"redis_version:6.2.14\r\nmaxmemory_policy:noeviction\r\n"
        while request := await reader.read(4096):
            for _ in range(request.count(b"*")):
                writer.write(b"$%d\r\n%s\r\n" % (len(text), text) if b"INFO\r\n" in request else b"+OK\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(UnsafeStore, match=r"version 6\.2\.14"):
            await connected(f"redis://127.0.0.1:{port}/0")


async def test_nobody_there_is_unavailable() -> None:
    """The sentence names the address and keeps the password."""
    url = f"redis://me:hush@127.0.0.1:{services.free_port()}/0"

    with pytest.raises(ServiceUnavailable) as raised:
        await connected(url)
    assert address_of(url) in str(raised.value)
    assert "hush" not in str(raised.value)


async def test_a_wrong_password_is_a_mistake_in_the_settings(start: Start) -> None:
    """Waiting would not help, so it is not told as an outage."""
    server = start()
    store = await connected(server.url)
    await store._client.config_set("requirepass", "right")

    with pytest.raises(SettingsError, match="refuses this user"):
        await connected(server.url, password="wrong")  # noqa: S106  # of a server that lives for this test
    opened = await connected(server.url, password="right")  # noqa: S106
    assert (0, None) == await opened.load_state()
    await opened.close()
    await store.close()


async def test_a_lost_answer_is_told_as_a_duplicate(shared: RedisStore) -> None:
    """An apply that timed out had arrived: the repetition changes nothing and says so."""
    assert isinstance(shared._client, Redis)
    upstream = shared._client.connection_pool.connection_kwargs["port"]
    muted, lost = asyncio.Event(), asyncio.Event()
    relays: list[asyncio.Task[None]] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await reader.read(65536):
            if answers and muted.is_set():
                lost.set()
            else:
                writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", upstream)
        pumps = pump(reader, far_writer, answers=False), pump(far_reader, writer, answers=True)
        relays.extend(asyncio.ensure_future(one) for one in pumps)

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        store = await connected(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", timeout_s=0.5)
        await store.claim(CLICKS)
        await store.apply(slice_at(0))
        muted.set()
        with pytest.raises(ServiceUnavailable):
            await store.apply(slice_at(1))
        assert lost.is_set()
        muted.clear()

        repeated = await store.apply(slice_at(1))
        await store.close()
        await asyncio.gather(*relays)
    assert Applied(Reply.DUPLICATE, 2) == repeated
    assert {"440000": counted(2)} == await shared.totals(Scope.REGION, [MINUTE])


async def test_a_full_server_refuses_whole_slices(start: Start) -> None:
    """Out of memory is an outage: nothing is half written, and the same slice goes through afterwards."""
    store = await connected(start().url)
    await store.claim(CLICKS)
    await store.apply(slice_at(0))
    before = await dump(store)
    await store._client.config_set("maxmemory", 1)

    with pytest.raises(ServiceUnavailable, match="does not serve"):
        await store.apply(slice_at(1))
    with pytest.raises(ServiceUnavailable):
        await store.swap_state(0, "s", [], [])
    assert {CLICKS: 1} == {tp: step.next_offset for tp, step in (await store.progress()).items()}
    await store._client.config_set("maxmemory", 0)
    assert before == await dump(store)
    assert Applied(Reply.APPLIED, 2) == await store.apply(slice_at(1))
    await store.close()


async def test_a_replica_reads_but_does_not_write(start: Start) -> None:
    """Readers may use a replica; a writer there waits until it is the primary again."""
    store = await connected(start().url)
    await store.claim(CLICKS)
    await store.apply(slice_at(0))
    await store._ask("REPLICAOF", "127.0.0.1", str(services.free_port()))

    with pytest.raises(ServiceUnavailable):
        await store.apply(slice_at(1))
    assert {"440000": counted(1)} == await store.totals(Scope.REGION, [MINUTE])
    await store._ask("REPLICAOF", "NO", "ONE")
    assert Applied(Reply.APPLIED, 2) == await store.apply(slice_at(1))
    await store.close()


async def test_a_killed_server_keeps_every_acknowledged_slice(start: Start) -> None:
    """A kill -9 under load, then a restart on the append-only file: offset and totals agree, and nothing is lost."""
    server = start()
    store = await connected(server.url)
    await store.claim(CLICKS)
    acknowledged, enough = 0, asyncio.Event()

    async def push() -> None:
        nonlocal acknowledged
        while True:
            await store.apply(slice_at(acknowledged))
            acknowledged += 1
            if acknowledged == 200:
                enough.set()

    pushing = asyncio.ensure_future(push())
    await enough.wait()
    server.kill()
    with pytest.raises(ServiceUnavailable):
        await pushing
    server.start()

    claim = await store.claim(CLICKS)
    assert claim.next_offset in (acknowledged, acknowledged + 1)  # the one in flight had arrived, or not
    assert claim.next_offset is not None
    assert {"440000": counted(claim.next_offset)} == await store.totals(Scope.REGION, [MINUTE])
    assert {"late:clicks": claim.next_offset} == await store.tallies()
    assert claim.next_offset == len(await store.facts("campaigns"))
    await store.close()


async def test_forgotten_scripts_are_loaded_again(shared: RedisStore) -> None:
    """A server that was restarted, or whose scripts were flushed, is told them anew."""
    await shared.claim(CLICKS)
    await shared.apply(slice_at(0))
    await shared._client.script_flush()

    assert Applied(Reply.APPLIED, 2) == await shared.apply(slice_at(1))
