"""What a Redis holds, read with the project's own store: progress, sums, counts, logs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from chaos.feed import COMPARED, Cell
from models.units import EpochMs
from models.windows import Scope, cover, span_of
from streams.ports import Progress, TopicPartition
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import INPUTS

ZONE: Final = ZoneInfo("Asia/Shanghai")
FED: Final = frozenset(spec.name for spec in INPUTS)

T = TypeVar("T")


class Holding:
    """Reads one Redis; each reading connects anew, because the server may be another one by now."""

    def __init__(self, url: str) -> None:
        """Take its address, never through a proxy."""
        self._settings = RedisSettings(url=url, timeout_s=5)

    def progress(self) -> dict[TopicPartition, Progress]:
        """Where every partition stands."""
        found = self._read(lambda store: store.progress())
        return {tp: step for tp, step in found.items() if tp.topic in FED}

    def tallies(self) -> dict[str, int]:
        """The counts beside the totals."""
        return dict(self._read(lambda store: store.tallies()))

    def log(self, name: str) -> list[str]:
        """The newest entries of a log of decisions, as JSON."""
        return self._read(lambda store: store.read_log(name, 10_000))

    def cells(self) -> dict[Cell, int]:
        """Every sum of the counters that a feed knows."""
        return self._read(_cells)

    def _read(self, read: Callable[[RedisStore], Awaitable[T]]) -> T:
        async def connected() -> T:
            store = await RedisStore.connect(self._settings, ZONE)
            try:
                return await read(store)
            finally:
                await store.close()

        return asyncio.run(connected())


async def _cells(store: RedisStore) -> dict[Cell, int]:
    heads = [step.head for step in (await store.progress()).values() if step.head is not None]
    head = max(heads, default=EpochMs(0))
    cells: dict[Cell, int] = {}
    for scope in Scope:
        buckets = list(cover(span_of("all", head, ZONE), scope, head, ZONE))
        for member, totals in (await store.totals(scope, buckets)).items():
            counters = totals.nonzero()
            cells |= {(scope.value, member, name): counters[name] for name in COMPARED if name in counters}
    return cells
