"""Shared reads: however many clients look, the store is asked at most once per refresh for the same thing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from models.cohorts import Matured
from models.errors import ServiceUnavailable
from models.units import EpochMs
from models.windows import WINDOWS, Scope
from streams.ports import Progress, ReadStore, TopicPartition
from streams.readcohorts import read_expected, read_maturity
from streams.readfresh import freshness
from streams.readlog import Explanation, Feed, explain, feed
from streams.readmeta import Meta, read_meta
from streams.readmodel import Table, campaign_names, table
from streams.readstatus import Decided, read_decided
from streams.settings import Settings
from streams.web.rates import RecordRate

FRESH_SCOPES: Final = (Scope.REGION, Scope.CAMPAIGN)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What every view shows, whatever its window.

    Attributes:
        names: names of campaigns by id.
        rate: records per second over the last seconds; None when not known yet.
    """

    meta: Meta
    decided: Decided
    feed: Feed
    names: dict[str, str]
    rate: float | None


class Snapshots:
    """Reads of the store, each kept for one refresh and made by one caller at a time."""

    def __init__(self, settings: Settings, now: Callable[[], EpochMs]) -> None:
        """Start without a store: every read says so until `attach`."""
        self._settings = settings
        self._now = now
        self._store: ReadStore | None = None
        self._why = "the store is not connected yet"
        self._kept: dict[object, tuple[EpochMs, object]] = {}
        self._locks: dict[object, asyncio.Lock] = {}
        self._fresh: dict[Scope, tuple[EpochMs, dict[str, EpochMs]]] = {}
        self._rate = RecordRate()

    def attach(self, store: ReadStore) -> None:
        """Read from this store from now on."""
        self._store = store

    def detach(self, why: str) -> None:
        """Forget the store and every read; give `why` to those who ask."""
        self._store, self._why = None, why
        self._kept.clear()
        self._fresh.clear()

    async def base(self) -> Base:
        """Give what every view shows.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return await self._once("base", self._read_base)

    async def table(self, by: Scope, window: str, region: str | None = None) -> Table:
        """Give the table of a window, or of one region in it, with freshness where it is known.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return await self._once((by, window, region), lambda store: self._read_table(store, by, window, region))

    async def expected(self, by: Scope, window: str, region: str | None = None) -> dict[str, Matured]:
        """Give what the clicks of each row of a table will have brought; the total row is `total`.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return await self._once(
            ("expected", by, window, region), lambda store: self._read_expected(store, by, window, region)
        )

    async def progress(self) -> dict[TopicPartition, Progress]:
        """Give where each partition stands.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return await self._once("progress", lambda store: store.progress())

    async def explain(self, wanted: str) -> Explanation | None:
        """Find what hangs together with an id.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return await explain(self._connected(), wanted)

    async def logs(self, limit: int) -> Feed:
        """Give up to `limit` entries of each log.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return await self._once(("logs", limit), lambda store: feed(store, limit))

    def _connected(self) -> ReadStore:
        if self._store is None:
            raise ServiceUnavailable(self._why)
        return self._store

    async def _once(self, key: object, read: Callable[[ReadStore], Awaitable[Read]]) -> Read:
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            kept = self._kept.get(key)
            if kept and 0 <= self._now() - kept[0] < self._settings.serve.refresh_s * 1000:
                return kept[1]  # type: ignore[return-value]  # the key stands for the type
            store = self._connected()
            found = await read(store)
            self._kept[key] = (self._now(), found)
            return found

    async def _read_base(self, store: ReadStore) -> Base:
        now = self._now()
        meta = await read_meta(store, self._settings, now)
        return Base(
            meta=meta,
            decided=await read_decided(store),
            feed=await feed(store),
            names=await campaign_names(store),
            rate=self._rate.take(now, meta.records),
        )

    async def _read_table(self, store: ReadStore, by: Scope, window: str, region: str | None) -> Table:
        found = await table(store, self._settings.zone, by, window, region=region)
        if found.head is None or by not in FRESH_SCOPES:
            return found
        fresh = await self._freshness(store, by, found.head)
        rows = tuple(replace(row, last_minute=fresh.get(row.member)) for row in found.rows)
        return replace(found, rows=rows)

    async def _read_expected(self, store: ReadStore, by: Scope, window: str, region: str | None) -> dict[str, Matured]:
        found, base, zone = await self.table(by, window, region), await self.base(), self._settings.zone
        if found.head is None:
            return {}
        curve = await read_maturity(store, zone, found.head, base.meta.tallies)
        return await read_expected(store, zone, found, curve, region)

    async def _freshness(self, store: ReadStore, by: Scope, head: EpochMs) -> dict[str, EpochMs]:
        """Go on from the last look; a head that went back means another history: look anew."""
        since, known = self._fresh.get(by, (None, {}))
        if since is not None and since > head:
            since, known = None, {}
        found = await freshness(store, by, head, known, since)
        self._fresh[by] = (head, found)
        return found


def window_names() -> list[str]:
    """Give the windows that can be asked for, shortest first."""
    return list(WINDOWS)
