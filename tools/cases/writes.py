"""Slices for the store's tests, and a look at everything a store on Redis holds."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import pytest

from models.totals import AD_COUNTERS, GROUPS, Totals, Vector
from models.units import EpochMs
from models.windows import Bucket, Level, Scope
from streams.ports import BatchWrite, BucketRef, Fact, LineSwap, TopicPartition
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore

ZONE = ZoneInfo("Asia/Shanghai")
NOON = EpochMs(1_735_704_000_000)
CLICKS = TopicPartition("ads.clicks.v1", 0)
MINUTE = Bucket(Level.MINUTE, NOON)
REGION = BucketRef(Scope.REGION, MINUTE)
KINDS = ["valkey", pytest.param("redis", marks=pytest.mark.integration)]


async def connected(url: str, **settings: object) -> RedisStore:
    """Open a store on an address."""
    return await RedisStore.connect(RedisSettings.model_validate({"url": url, **settings}), ZONE)


def slice_at(first: int) -> BatchWrite:
    """A slice of one offset that touches every kind of key."""
    return BatchWrite(
        tp=CLICKS,
        epoch=1,
        first=first,
        next_offset=first + 1,
        head=NOON,
        now=EpochMs(first),
        deltas={REGION: {"clicks:440000": 1}},
        vectors={REGION: {"o:440000": [1, 0, 2]}},
        evidence={NOON: {"440000": (1, 1)}},
        lines=[LineSwap(NOON, f"o{first}:1", None, "placed")],
        visits={NOON: {f"u{first}": "seen"}},
        join=first,
        facts=[Fact("campaigns", f"c{first}", "{}")],
        tallies={"late:clicks": 1},
    )


def counted(slices: int) -> Totals:
    """What so many slices of `slice_at` add up to in their bucket."""
    return Totals(clicks=slices, orders_placed=slices, orders_cancelled=2 * slices)


def slice_of(first: int, after: int, tp: TopicPartition = CLICKS, **rest: object) -> BatchWrite:
    """One slice by the first owner, with one click of Guangdong unless told otherwise."""
    fields: dict[str, object] = {
        "epoch": 1,
        "head": NOON,
        "now": EpochMs(7),
        "deltas": {REGION: {"clicks:440000": 1}},
    }
    return BatchWrite(tp=tp, first=first, next_offset=after, **(fields | rest))  # type: ignore[arg-type]


def split(
    deltas: Mapping[BucketRef, Mapping[str, int]],
) -> tuple[dict[BucketRef, dict[str, int]], dict[BucketRef, dict[str, Vector]]]:
    """Sort `"counter:member"` of any counter into a write's deltas and vectors."""
    plain: dict[BucketRef, dict[str, int]] = {}
    vectors: dict[BucketRef, dict[str, Vector]] = {}
    places = {name: (group, at) for group, names in GROUPS.items() for at, name in enumerate(names)}
    for ref, cells in deltas.items():
        rows: dict[str, list[int]] = {}
        plain[ref] = {}
        for field, amount in cells.items():
            counter, _, member = field.partition(":")
            if counter in AD_COUNTERS:
                plain[ref][field] = amount
            else:
                group, at = places[counter]
                rows.setdefault(f"{group}:{member}", [0] * len(GROUPS[group]))[at] += amount
        vectors[ref] = dict(rows)
    return plain, vectors


async def dump(store: RedisStore) -> dict[bytes, bytes]:
    """Every key with its serialised value."""
    ask = store._ask  # noqa: SLF001 - what lies under the port is what a dump shows
    keys: list[bytes] = await ask("KEYS", "*")
    return {key: await ask("DUMP", key) for key in sorted(keys)}
