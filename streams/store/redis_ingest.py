"""The ingest line's writes: one script call for everything a slice changes.

The call is built without looking at single events. A part of the blob is one
hash and what to add to it, or the fields and texts to set. Hour and day of a
slice mostly gain the same, and often its only minute too, so the amounts stand
in tables that parts point to: sent, checked and unpacked once.

```
adds   buckets      index 2 (expiries)   score = when it may go
       seconds      index 3 (seconds)    score = start of the second
       tallies      index 0 (none)
sets   lines        index 2 (expiries)   with the old states, compared before anything is written
       facts        index 0 (none)
```
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from models.units import EpochMs
from streams.ports import Applied, BatchWrite, Claim, Fact, LineSwap, Reply, TopicPartition
from streams.store.keys import CARRY, LIMB, fence_field
from streams.store.limits import EXACT, bucket_expiry, check, lines_expiry
from streams.store.redis_link import RedisLink

_EXPIRIES: Final = 2
_SECONDS: Final = 3
_LIMB_BITS: Final = LIMB.bit_length() - 1
_pack = msgspec.msgpack.Encoder().encode


Table = tuple[Sequence[str], Sequence[int | str]]
"""Fields and the amount each gains."""


class _Add(NamedTuple):
    within: int
    score: int
    table: int


class _Set(NamedTuple):
    within: int
    score: int
    fields: Sequence[str]
    values: Sequence[str]
    olds: Sequence[str | bool] | bool


def _as_sent(fields: list[str], amounts: list[int]) -> Table:
    """Give fields and amounts as the script takes them: text where Lua would round, carries where 64 bits end."""
    if max(amounts) <= EXACT and min(amounts) >= -EXACT:
        return fields, amounts
    wide: list[str] = []
    sent: list[int | str] = []
    for field, amount in zip(fields, amounts, strict=True):
        carry = (amount + LIMB // 2) >> _LIMB_BITS
        rest = amount - (carry << _LIMB_BITS)
        wide.append(field)
        sent.append(str(rest))
        if carry:
            wide.append(CARRY + field)
            sent.append(str(carry))
    return wide, sent


class RedisIngest(RedisLink):
    """`IngestStore` on Redis."""

    async def claim(self, tp: TopicPartition) -> Claim:
        """As `IngestStore.claim`."""
        with self._serving():
            reply = await self._claim(keys=[self._keys.fences(self._keys.shard_of(tp))], args=[fence_field(tp)])
        epoch, next_offset, head = reply
        return Claim(epoch, next_offset, head)

    async def apply(self, write: BatchWrite) -> Applied:
        """As `IngestStore.apply`; after `ServiceUnavailable` the outcome is unknown, so repeat the same write.

        Raises:
            ServiceUnavailable: no answer; `DUPLICATE` on the repetition means that the first had arrived.
            UnsafeStore: a key of ours holds foreign data; nothing was written.
            ValueError: offsets run backwards, or a delta names no counter; nothing was written.
        """
        check(write)
        shard = self._keys.shard_of(write.tp)
        keys = [self._keys.fences(shard), self._keys.expiries(shard), self._keys.seconds(shard)]
        tables: list[Table] = []
        adds, sets = [], []
        for key, add in self._adds(shard, write, tables):
            keys.append(key)
            adds.append(add)
        for key, part in self._sets(shard, write):
            keys.append(key)
            sets.append(part)
        head = "" if write.head is None else write.head
        flags = int(write.allow_gap), int(write.caught_up)
        place = fence_field(write.tp), write.epoch, write.first, write.next_offset
        with self._serving():
            code, stored = await self._apply(
                keys=keys, args=[*place, flags[0], head, write.now, flags[1], _pack((tables, adds, sets))]
            )
        return Applied(Reply(code), stored)

    def _adds(self, shard: int, write: BatchWrite, tables: list[Table]) -> Iterator[tuple[str, _Add]]:
        """Give the hashes that gain something; what they gain is appended to `tables`."""
        numbers: dict[int, int] = {}
        for ref, cells in write.deltas.items():
            if not cells:
                continue
            number = numbers.get(id(cells))
            if number is None:
                number = numbers[id(cells)] = len(tables)
                tables.append(_as_sent(list(map(self._fields.__getitem__, cells)), list(cells.values())))
            yield self._keys.bucket(shard, ref), _Add(_EXPIRIES, bucket_expiry(ref, self._zone), number)
        for start, counts in write.evidence.items():
            if counts:
                fields = [f"{code}:{region}" for region in counts for code in "eu"]
                tables.append(_as_sent(fields, [number for pair in counts.values() for number in pair]))
                yield self._keys.second(shard, start), _Add(_SECONDS, start, len(tables) - 1)
        if write.tallies:
            tables.append(_as_sent(list(write.tallies), list(write.tallies.values())))
            yield self._keys.tallies(shard), _Add(0, 0, len(tables) - 1)

    def _sets(self, shard: int, write: BatchWrite) -> Iterator[tuple[str, _Set]]:
        for day, lines in _by_day(write.lines).items():
            fields, news = [line.key for line in lines], [line.new for line in lines]
            olds = [False if line.old is None else line.old for line in lines]
            yield self._keys.lines(shard, day), _Set(_EXPIRIES, lines_expiry(day, self._zone), fields, news, olds)
        for kind, facts in _by_kind(write.facts).items():
            yield self._keys.facts(shard, kind), _Set(0, 0, list(facts), list(facts.values()), False)

    async def lines(self, tp: TopicPartition, keys: Sequence[tuple[EpochMs, str]]) -> list[str | None]:
        """As `IngestStore.lines`."""
        shard = self._keys.shard_of(tp)
        days: dict[EpochMs, list[str]] = {}
        for day, key in keys:
            days.setdefault(day, []).append(key)
        if not days:
            return []
        replies = await self._ask_all(("HMGET", self._keys.lines(shard, day), *wanted) for day, wanted in days.items())
        found = {day: iter(states) for day, states in zip(days, replies, strict=True)}
        states = [next(found[day]) for day, _ in keys]
        return [None if state is None else state.decode() for state in states]


def _by_day(lines: Iterable[LineSwap]) -> dict[EpochMs, list[LineSwap]]:
    days: dict[EpochMs, list[LineSwap]] = {}
    for line in lines:
        days.setdefault(line.day, []).append(line)
    return days


def _by_kind(facts: Iterable[Fact]) -> dict[str, dict[str, str]]:
    kinds: dict[str, dict[str, str]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, {})[fact.key] = fact.body
    return kinds
