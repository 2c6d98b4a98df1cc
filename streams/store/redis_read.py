"""What readers ask: progress, totals, facts, tallies, logs, the switch; plain reads, good on a replica."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from models.totals import Totals
from models.units import EpochMs
from models.windows import Bucket, Scope
from streams.ports import BucketRef, Fact, Limit, Progress, TopicPartition
from streams.store.redis_link import RedisLink
from streams.store.redis_sums import CellSums, sum_fields

_CHUNK: Final = 24
"""Buckets read in one go; a wide window over campaigns is read in steps so that others get their turn."""


class RedisRead(RedisLink):
    """`ReadStore` on Redis."""

    async def progress(self) -> dict[TopicPartition, Progress]:
        """As `ReadStore.progress`."""
        steps: dict[TopicPartition, dict[str, int]] = {}
        for reply in await self._hashes(self._keys.fences(shard) for shard in self._all_shards()):
            for raw, value in zip(reply[::2], reply[1::2], strict=True):
                topic, partition, *what = raw.decode().split(":")
                if what:  # else a field of the join, which is not a partition's
                    steps.setdefault(TopicPartition(topic, int(partition)), {})[what[0]] = int(value)
        return {
            tp: Progress(
                step["next"],
                EpochMs(step["head"]) if "head" in step else None,
                EpochMs(step["seen"]),
                bool(step["end"]),
            )
            for tp, step in steps.items()
            if "next" in step
        }

    async def totals(self, scope: Scope, buckets: Iterable[Bucket], region: str | None = None) -> dict[str, Totals]:
        """As `ReadStore.totals`."""
        keys = iter(
            [
                self._keys.bucket(shard, BucketRef(scope, bucket))
                for bucket in buckets
                for shard in self._all_shards()
            ]
        )  # fmt: skip
        sums = CellSums(region)
        while chunk := list(islice(keys, _CHUNK)):
            sums.take(await self._hashes(chunk))
        return sums.totals()

    async def facts(self, kind: str) -> dict[str, str]:
        """As `ReadStore.facts`; a key met in several shards is given from the last."""
        out: dict[str, str] = {}
        for reply in await self._hashes(self._keys.facts(shard, kind) for shard in self._all_shards()):
            texts = [raw.decode() for raw in reply]
            out.update(zip(texts[::2], texts[1::2], strict=True))
        return out

    async def tallies(self) -> dict[str, int]:
        """As `ReadStore.tallies`."""
        return sum_fields(await self._hashes(self._keys.tallies(shard) for shard in self._all_shards()))

    async def read_log(self, log: str, limit: int) -> list[str]:
        """As `ReadStore.read_log`."""
        order, bodies = self._keys.log(log)
        if limit <= 0:
            return []
        ids = await self._ask("ZRANGE", order, 0, limit - 1, "REV")
        found = await self._ask("HMGET", bodies, *ids) if ids else []
        return [body.decode() for body in found if body is not None]

    async def switch(self) -> bool:
        """As `ReadStore.switch`."""
        return bool(await self._ask("HGET", self._keys.switch(), "on") == b"1")

    async def set_switch(self, on: bool, actor: str) -> None:
        """As `ReadStore.set_switch`."""
        await self._ask("HSET", self._keys.switch(), "on", int(on), "actor", actor)

    async def limits(self) -> dict[str, Limit]:
        """As `ReadStore.limits`."""
        texts = [raw.decode() for raw in await self._ask("HGETALL", self._keys.limits())]
        found = ((name, *text.partition(" ")) for name, text in zip(texts[::2], texts[1::2], strict=True))
        return {name: Limit(int(value), actor) for name, value, _, actor in found}

    async def set_limit(self, name: str, value: int | None, actor: str) -> None:
        """As `ReadStore.set_limit`."""
        if value is None:
            await self._ask("HDEL", self._keys.limits(), name)
        else:
            await self._ask("HSET", self._keys.limits(), name, f"{value} {actor}")

    async def note(self, facts: Sequence[Fact], *, replace: bool) -> list[bool]:
        """As `ReadStore.note`."""
        verb = "HSET" if replace else "HSETNX"
        replies = await self._ask_all((verb, self._keys.facts(0, fact.kind), fact.key, fact.body) for fact in facts)
        return [replace or bool(reply) for reply in replies]

    async def _hashes(self, keys: Iterable[str]) -> list[list[bytes]]:
        """Read hashes in one round trip, each as a flat list."""
        return await self._ask_all(("HGETALL", key) for key in keys)
