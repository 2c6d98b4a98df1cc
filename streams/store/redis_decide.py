"""The decide line's reads and writes: state by compare-and-set, outbox, logs, evidence, sweep."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import msgspec

from models.units import EpochMs
from streams.ports import EvidenceBucket, LogEntry, OutboxEntry
from streams.store.limits import LOG_CAP, SWEEP_LIMIT, SWEEP_ROUNDS, newest_swept
from streams.store.redis_link import RedisLink
from streams.store.redis_sums import sum_fields

_CHUNK: Final = 1_000
"""Commands per pipeline: long enough to hide the round trip, short enough to bound the replies held."""

_pack = msgspec.msgpack.Encoder().encode
_body = msgspec.json.Encoder().encode
_unbody = msgspec.json.Decoder(tuple[str, str, str]).decode


class RedisDecide(RedisLink):
    """`DecideStore` on Redis."""

    async def load_state(self) -> tuple[int, str | None]:
        """As `DecideStore.load_state`."""
        version, body = await self._ask("HMGET", self._keys.state(), "version", "body")
        return (int(version), body.decode()) if version is not None else (0, None)

    async def swap_state(
        self, version: int, state: str, outbox: Sequence[OutboxEntry], log: Sequence[LogEntry]
    ) -> bool:
        """As `DecideStore.swap_state`."""
        keys = [self._keys.state(), *self._keys.outbox()]
        groups = [[(entry.entry_id, _body((entry.topic, entry.key, entry.body)).decode()) for entry in outbox]]
        logs: dict[str, list[tuple[str, str]]] = {}
        for line in log:
            logs.setdefault(line.log, []).append((line.entry_id, line.body))
        for name, entries in logs.items():
            keys.extend(self._keys.log(name))
            groups.append(entries)
        with self._serving():
            return bool(await self._swap(keys=keys, args=[version, state, LOG_CAP, _pack(groups)]))

    async def outbox(self, limit: int) -> list[OutboxEntry]:
        """As `DecideStore.outbox`."""
        order, bodies = self._keys.outbox()
        if limit <= 0:
            return []
        ids = await self._ask("ZRANGE", order, 0, limit - 1)
        found = await self._ask("HMGET", bodies, *ids) if ids else []
        return [
            OutboxEntry(entry_id.decode(), *_unbody(body))
            for entry_id, body in zip(ids, found, strict=True)
            if body is not None  # marked as sent between the two reads
        ]

    async def mark_sent(self, entry_ids: Sequence[str]) -> None:
        """As `DecideStore.mark_sent`."""
        if entry_ids:
            order, bodies = self._keys.outbox()
            await self._ask_all([("ZREM", order, *entry_ids), ("HDEL", bodies, *entry_ids)], atomic=True)

    async def forget(self, kind: str, keys: Sequence[str]) -> None:
        """As `DecideStore.forget`."""
        if keys:
            await self._ask_all(("HDEL", self._keys.facts(shard, kind), *keys) for shard in self._all_shards())

    async def evidence(self, after: EpochMs, before: EpochMs, limit: int | None = None) -> list[EvidenceBucket]:
        """As `DecideStore.evidence`."""
        starts: dict[EpochMs, list[bytes]] = {}
        span = after, f"({before}", "BYSCORE", "LIMIT", 0, -1 if limit is None else limit, "WITHSCORES"
        for found in await self._ask_all(("ZRANGE", self._keys.seconds(shard), *span) for shard in self._all_shards()):
            for key, score in zip(found[::2], found[1::2], strict=True):
                starts.setdefault(EpochMs(int(score)), []).append(key)
        wanted = iter(sorted(starts)[:limit])
        out: list[EvidenceBucket] = []
        while chunk := list(islice(wanted, _CHUNK)):
            out.extend(await self._read_seconds({start: starts[start] for start in chunk}))
        return out

    async def _read_seconds(self, starts: dict[EpochMs, list[bytes]]) -> list[EvidenceBucket]:
        replies = iter(await self._ask_all(("HGETALL", key) for keys in starts.values() for key in keys))
        return [
            EvidenceBucket(start, _paired(sum_fields(next(replies) for _ in keys))) for start, keys in starts.items()
        ]

    async def sweep(self, horizon: EpochMs) -> int:
        """As `DecideStore.sweep`; at most `SWEEP_LIMIT` keys of each kind and shard at once, `SWEEP_ROUNDS` times."""
        gone = 0
        for shard in self._all_shards():
            gone += await self._sweep_index(self._keys.expiries(shard), horizon)
            gone += await self._sweep_index(self._keys.seconds(shard), newest_swept(horizon))
        return gone

    async def _sweep_index(self, index: str, newest: EpochMs) -> int:
        gone = 0
        for _ in range(SWEEP_ROUNDS):
            keys = await self._ask("ZRANGE", index, "-inf", newest, "BYSCORE", "LIMIT", 0, SWEEP_LIMIT)
            if keys:
                _, removed = await self._ask_all([("UNLINK", *keys), ("ZREM", index, *keys)], atomic=True)
                gone += int(removed)
            if len(keys) < SWEEP_LIMIT:
                break
        return gone


def _paired(sums: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {field[2:]: (sums[field], sums.get(f"u:{field[2:]}", 0)) for field in sums if field.startswith("e:")}
