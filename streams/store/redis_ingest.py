"""The ingest line's writes: one script call for everything a slice changes.

The call is built without looking at single events. A part of the blob is one
hash and what to add to it, or the fields and texts to set. Hour and day of a
slice mostly gain the same, and often its only minute too, so the amounts stand
in tables that parts point to: sent, checked and unpacked once.

```
adds   buckets      index 2 (expiries)   score = when it may go; plain integers, vectors or both
       seconds      index 3 (seconds)    score = start of the second
       tallies      index 0 (none)
sets   lines        index 2 (expiries)   with the old states, compared before anything is written
       visits       index 2 (expiries)   the version of the join stands for what was read
       facts        index 0 (none)
```
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec
from redis.exceptions import ResponseError

from models.events import TOPICS, Kind
from models.units import EpochMs
from models.visits import UsersOfDays
from streams.ports import Applied, BatchWrite, Claim, Fact, Joined, Reply, TopicPartition
from streams.store.blob import Add, Set, Tables
from streams.store.keys import fence_field, join_field
from streams.store.limits import bucket_expiry, check, lines_expiry, visits_expiry
from streams.store.redis_link import RedisLink
from streams.store.vectors import check_vectors

_EXPIRIES: Final = 2
_SECONDS: Final = 3
_JOINED: Final = (Kind.ORDERS, Kind.CLICKS)
_pack = msgspec.msgpack.Encoder().encode

Places = Sequence[tuple[EpochMs, str]]
T = TypeVar("T")


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
        check_vectors(write.vectors, self._sizes)
        with self._serving():
            try:
                code, stored = await self._send(write, wide=False)
            except (OverflowError, ResponseError) as error:
                if not isinstance(error, OverflowError) and not str(error).startswith("SWWIDE"):
                    raise
                code, stored = await self._send(write, wide=True)
        return Applied(Reply(code), stored)

    async def _send(self, write: BatchWrite, *, wide: bool) -> tuple[int, int | None]:
        """Build the call and give the script's answer; OverflowError or SWWIDE where `wide` is needed."""
        shard = self._keys.shard_of(write.tp)
        keys = [self._keys.fences(shard), self._keys.expiries(shard), self._keys.seconds(shard)]
        tables = Tables(wide=wide)
        adds, sets = [], []
        for key, add in self._adds(shard, write, tables):
            keys.append(key)
            adds.append(add)
        for key, part in self._sets(shard, write):
            keys.append(key)
            sets.append(part)
        head, join = ("" if number is None else number for number in (write.head, write.join))
        place = fence_field(write.tp), write.epoch, write.first, write.next_offset, write.allow_gap + 2 * write.begun
        step = head, write.now, int(write.caught_up), join_field(write.tp.partition), join
        blob = _pack((tables.plain, tables.vectors, adds, sets))
        answer: tuple[int, int | None] = await self._apply(keys=keys, args=[*place, *step, blob])
        return answer

    def _adds(self, shard: int, write: BatchWrite, tables: Tables) -> Iterator[tuple[str, Add]]:
        """Give the hashes that gain something; what they gain is put into `tables`."""
        for ref in chain(write.deltas, (ref for ref in write.vectors if ref not in write.deltas)):
            table = tables.of_cells(write.deltas.get(ref), self._fields)
            vectors = tables.of_vectors(write.vectors.get(ref))
            if table or vectors:
                key = self._keys.bucket(shard, ref)
                yield key, Add(_EXPIRIES, bucket_expiry(ref, self._zone), table, vectors)
        for start, counts in write.evidence.items():
            if counts:
                fields = [f"{code}:{region}" for region in counts for code in "eu"]
                number = tables.add(fields, [number for pair in counts.values() for number in pair])
                yield self._keys.second(shard, start), Add(_SECONDS, start, number)
        if write.tallies:
            number = tables.add(list(write.tallies), list(write.tallies.values()))
            yield self._keys.tallies(shard), Add(0, 0, number)

    def _sets(self, shard: int, write: BatchWrite) -> Iterator[tuple[str, Set]]:
        for day, lines in _grouped((line.day, line) for line in write.lines).items():
            news = [line.new for line in lines]
            olds = [False if line.old is None else line.old for line in lines]
            part = Set(_EXPIRIES, lines_expiry(day, self._zone), [line.key for line in lines], news, olds)
            yield self._keys.lines(shard, day), part
        for day, visits in write.visits.items():
            if visits:
                part = Set(_EXPIRIES, visits_expiry(day, self._zone), list(visits), list(visits.values()), False)
                yield self._keys.visits(shard, day), part
        for kind, facts in _by_kind(write.facts).items():
            yield self._keys.facts(shard, kind), Set(0, 0, list(facts), list(facts.values()), False)

    async def lines(self, tp: TopicPartition, keys: Places) -> list[str | None]:
        """As `IngestStore.lines`."""
        shard = self._keys.shard_of(tp)
        days = _grouped(keys)
        replies = await self._ask_all(("HMGET", self._keys.lines(shard, day), *wanted) for day, wanted in days.items())
        return _in_order(keys, days, replies)

    async def join(self, tp: TopicPartition, lines: Places, visits: UsersOfDays) -> Joined:
        """As `IngestStore.join`: one round trip, answered in order by the one server that holds the shard."""
        shard = self._keys.shard_of(tp)
        heads = (fence_field(TopicPartition(TOPICS[kind], tp.partition)) + ":head" for kind in _JOINED)
        commands: list[Sequence[Any]] = [("HMGET", self._keys.fences(shard), join_field(tp.partition), *heads)]
        days = _grouped(lines)
        visited = {day: users for day, users in visits.items() if users}
        commands += (("HMGET", self._keys.lines(shard, day), *keys) for day, keys in days.items())
        commands += (("HMGET", self._keys.visits(shard, day), *users) for day, users in visited.items())
        known, *replies = await self._ask_all(commands, in_order=True)
        version, orders, clicks = (None if number is None else int(number) for number in known)
        return Joined(
            version or 0,
            None if orders is None else EpochMs(orders),
            None if clicks is None else EpochMs(clicks),
            _in_order(lines, days, replies[: len(days)]),
            {**{day: {} for day in visits}, **_found(visited, replies[len(days) :])},
        )


def _grouped(pairs: Iterable[tuple[EpochMs, T]]) -> dict[EpochMs, list[T]]:
    days: dict[EpochMs, list[T]] = defaultdict(list)
    for day, value in pairs:
        days[day].append(value)
    return days


def _found(days: UsersOfDays, replies: Iterable[Sequence[bytes | None]]) -> dict[EpochMs, Mapping[str, str]]:
    """Give the visits that there are; of most days there are none."""
    return {
        day: {user: text.decode() for user, text in zip(users, texts, strict=True) if text is not None}
        for (day, users), texts in zip(days.items(), replies, strict=True)
        if any(texts)
    }


def _in_order(places: Places, days: Iterable[EpochMs], replies: Iterable[list[bytes | None]]) -> list[str | None]:
    """Give texts that were read by day in the order they were asked for."""
    found = {day: iter(texts) for day, texts in zip(days, replies, strict=True)}
    texts = [next(found[day]) for day, _ in places]
    return [None if text is None else text.decode() for text in texts]


def _by_kind(facts: Iterable[Fact]) -> dict[str, dict[str, str]]:
    kinds: dict[str, dict[str, str]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, {})[fact.key] = fact.body
    return kinds
