"""Whatever is wrong with a call or with the keys it meets is found before the first write."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from redis import exceptions

from cases.writes import CLICKS, KINDS, connected, dump, slice_at
from models.errors import UnsafeStore
from streams.ports import LogEntry, OutboxEntry, Reply
from streams.store.redis_store import RedisStore


@pytest.fixture(params=KINDS)
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[RedisStore]:
    """An empty store on the server that tests share."""
    server = request.getfixturevalue(f"{request.param}_server")
    server.flush()
    store = await connected(server.url)
    yield store
    await store.close()


@pytest.mark.parametrize(
    "place", ["fences", "expiries", "seconds", "bucket", "second", "tallies", "lines", "visits", "facts"]
)
async def test_a_foreign_value_under_a_key_of_ours_stops_the_slice_whole(shared: RedisStore, place: str) -> None:
    """The types of all keys are checked before the first of them is written."""
    names = {
        "bucket": "t:rm:1735704000000",
        "second": "e:1735704000000",
        "lines": "l:1735704000000",
        "visits": "j:1735704000000",
        "facts": "facts:campaigns",
    }
    await shared.claim(CLICKS)
    key = f"sw:{{0}}:v2:{names.get(place, place)}"
    await shared._client.delete(key)
    await shared._client.set(key, "not ours")
    before = await dump(shared)

    with pytest.raises(UnsafeStore, match="nothing was written"):
        await shared.apply(slice_at(0))
    assert before == await dump(shared)
    if place == "fences":
        with pytest.raises(UnsafeStore):
            await shared.claim(CLICKS)


@pytest.mark.parametrize("name", ["state", "outbox", "outbox:bodies", "log:shifts", "log:shifts:bodies"])
async def test_a_foreign_value_stops_the_decision_whole(shared: RedisStore, name: str) -> None:
    """State, outbox and logs are written together or not at all."""
    await shared._client.set(f"sw:{{0}}:v2:{name}", "not ours")
    before = await dump(shared)

    with pytest.raises(UnsafeStore):
        await shared.swap_state(0, "s", [OutboxEntry("a", "t", "k", "{}")], [LogEntry("shifts", "a", "{}")])
    assert before == await dump(shared)


ARGUMENTS: list[str | int] = ["ads.clicks.v1:0", 1, 0, 1, 0, "", 5, 1, "join:0", 0]


def blob(
    *,
    index: object = 2,
    score: object = 1,
    fields: object = ("c:1", "c:2"),
    values: object = (1, 2),
    text: object = False,
) -> bytes:
    """Two parts to add, first a good one, then one with whatever is wrong."""
    return packed(tables=[(("c:1",), (5,), False), (fields, values, text)], adds=[(2, 1, 1, 0), (index, score, 2, 0)])


def packed(*, tables: object = (), vectors: object = (), adds: object = (), sets: object = ()) -> bytes:
    """A blob of any parts."""
    return msgspec.msgpack.encode((tables, vectors, adds, sets))


def rows(fields: object = ("o:1", "d:1"), sizes: object = (2, 1), amounts: object = (1, 2, 3), at: object = 1) -> bytes:
    """Two parts to add, first a good one, then one of vectors with whatever is wrong."""
    good = (("o:1",), (1,), (5,))
    return packed(vectors=[good, (fields, sizes, amounts)], adds=[(2, 1, 0, 1), (2, 1, 0, at)])


def texts(**wrong: object) -> bytes:
    """One part to add and one to set, the latter with whatever is wrong."""
    part = {"index": 2, "score": 1, "fields": ("o1",), "values": ("x",), "olds": False} | wrong
    return packed(tables=[(("c:1",), (5,), False)], adds=[(2, 1, 1, 0)], sets=[tuple(part.values())])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1\xff garbage",
        msgspec.msgpack.encode(7),
        msgspec.msgpack.encode(([], [])),
        packed(),
        blob(index=1),
        blob(index="2"),
        blob(score="soon"),
        blob(fields=("c:1", "c:2", "c:3")),
        blob(fields=("c:1", 1)),
        blob(values=(1, 1.5)),
        blob(values=(1, None)),
        blob(values=(1, float("inf"))),
        blob(values=("1", "1e3"), text=True),
        blob(values=("1", ""), text=True),
        blob(values=("1", "0x10"), text=True),
        blob(values=("1", " 1"), text=True),
        blob(values=("1", str(1 << 62)), text=True),
        blob(values=(1, 1 << 54)),
        blob(values=(1, True)),
        blob(values=(1, "2")),
        blob(values=("1", True), text=True),
        rows(fields=("o:1",)),
        rows(fields=("o:1", 1)),
        rows(sizes=(2,)),
        rows(sizes=(2, 2)),
        rows(sizes=(4, -1)),
        rows(sizes=(1.5, 1.5)),
        rows(sizes=("2", 1)),
        rows(amounts=(1, 2)),
        rows(amounts=(1, 2, 0.5)),
        rows(amounts=(1, 2, "3")),
        rows(amounts=(1, 2, None)),
        rows(amounts=(1, 2, float("inf"))),
        rows(amounts=(1, 2, (1 << 52) + 1)),
        rows(at=3),
        rows(at="1"),
        texts(index=4),
        texts(values=(5,)),
        texts(fields=("o1", "o2")),
        texts(olds=()),
    ],
)
async def test_a_malformed_blob_writes_nothing(shared: RedisStore, payload: bytes) -> None:
    """The script trusts no argument: whatever is wrong is found before the first write."""
    await shared.claim(CLICKS)
    before = await dump(shared)
    keys = [f"sw:{{0}}:v2:{name}" for name in ("fences", "expiries", "seconds", "t:rm:1", "t:rm:2")]

    with pytest.raises((ValueError, exceptions.ResponseError)), shared._serving():
        await shared._apply(keys=keys, args=[*ARGUMENTS, payload])
    assert before == await dump(shared)


@pytest.mark.parametrize("place", [*range(1, 8), 9])
async def test_a_malformed_argument_writes_nothing(shared: RedisStore, place: int) -> None:
    """Likewise for epoch, offsets, flags and times."""
    await shared.claim(CLICKS)
    before = await dump(shared)
    keys = [f"sw:{{0}}:v2:{name}" for name in ("fences", "expiries", "seconds", "t:rm:1", "t:rm:2")]
    args: list[str | int | bytes] = [*ARGUMENTS, blob()]
    args[place] = "many"

    with shared._serving():
        try:
            code, _ = await shared._apply(keys=keys, args=args)
        except (ValueError, exceptions.ResponseError):
            code = None
    assert code in (None, Reply.FENCED, Reply.CONFLICT)
    assert before == await dump(shared)
