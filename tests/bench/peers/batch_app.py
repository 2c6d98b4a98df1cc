"""Ours: a Faust application on the product's transport and fenced store; its effect in Redis is exactly once.

Each slice goes to Redis in one call of the product's script: the fence is
checked, the sums are added, the offset is stored, or nothing is. J2 keeps
minutes the same way, and writes the rolling hour of each minute that no late
event can change any more, worked out from Redis alone: absolute values, so
writing them twice changes nothing.
"""

import asyncio
import gc
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import job
import marks
import redis.asyncio
from faust import Stream
from faust.types import StreamT

from models.units import MINUTE_MS, EpochMs
from models.windows import Bucket, BucketRef, Level, Scope
from streams.ports import BatchWrite, RecordSlice, Reply, TopicPartition
from streams.settings import RedisSettings, load
from streams.store.redis_store import RedisStore
from streams.transport.batch_transport import SCHEME, BatchApp
from streams.transport.wiring import Wiring

SLICE_RECORDS = 20_000
MAX_UNACKED = 80_000
GC_THRESHOLD = 2_000
"""Faust's events and messages are cycles that hold a slice: found often, their memory is used again soon."""
LATENESS_MS = 120_000
"""J2 waits this long for late events before it writes an hour."""
HOUR_MS = 60 * MINUTE_MS


class Counting:
    """Owns partitions and counts their slices; the store is the truth about progress."""

    def __init__(self, store: RedisStore, campaign_of: Mapping[str, str]) -> None:
        self._store = store
        self._campaign_of = campaign_of
        self._epochs: dict[TopicPartition, int] = {}
        self.heads: dict[TopicPartition, EpochMs] = {}

    async def claim(self, tp: TopicPartition) -> int | None:
        """Take the fence."""
        claim = await self._store.claim(tp)
        self._epochs[tp] = claim.epoch
        meter.begin()
        return claim.next_offset

    def revoke(self, tp: TopicPartition) -> None:
        """Forget a partition."""
        self._epochs.pop(tp, None)

    def note_lost(self, tp: TopicPartition, until: int) -> None:
        """A benchmark's topic loses nothing."""
        raise RuntimeError(f"{tp.topic}/{tp.partition} lost records before {until}")

    async def count(self, part: RecordSlice) -> None:
        """Add a slice's views to Redis, once."""
        cells = job.count(cast(Sequence[bytes], part.values), self._campaign_of)
        deltas: dict[BucketRef, dict[str, int]] = {}
        rows: dict[str, dict[str, int]] = {}
        for (campaign, window), views in cells.items():
            row = rows.get(window)
            if row is None:
                ref = BucketRef(Scope.CAMPAIGN, Bucket(Level.MINUTE, EpochMs(job.start_of(window))))
                row = rows[window] = deltas.setdefault(ref, {})
            field = FIELDS[campaign]
            row[field] = row.get(field, 0) + views
        head = EpochMs(max(ref.bucket.start for ref in deltas))
        write = BatchWrite(
            tp=part.tp,
            epoch=self._epochs[part.tp],
            first=part.first,
            next_offset=part.next_offset,
            head=head,
            now=head,
            deltas=deltas,
        )
        reply, _ = await self._store.apply(write)
        if reply is not Reply.APPLIED:
            raise RuntimeError(f"the store answered {reply.name}")
        self.heads[part.tp] = max(head, self.heads.get(part.tp, head))


class Hours:
    """J2's results: the rolling hour of each campaign at the end of each minute."""

    def __init__(self, store: RedisStore, client: Any) -> None:
        self._store = store
        self._client = client
        self._sums: dict[str, int] = {}
        self._minutes: dict[EpochMs, dict[str, int]] = {}
        self._next: EpochMs | None = None
        self._turn = asyncio.Lock()

    async def write(self, first: EpochMs, until: EpochMs) -> None:
        """Write the hours that end with the minutes up to `until`, exclusive; `first` is where the events begin."""
        async with self._turn:
            minute = first if self._next is None else self._next
            rows: dict[str, dict[str, int]] = {campaign: {} for campaign in FIELDS}
            while minute < until:
                totals = await self._store.totals(Scope.CAMPAIGN, [Bucket(Level.MINUTE, minute)])
                new = self._minutes[minute] = {campaign: total.impressions for campaign, total in totals.items()}
                old = self._minutes.pop(EpochMs(minute - HOUR_MS), {})
                minute = EpochMs(minute + MINUTE_MS)
                for campaign in new.keys() | old.keys():
                    self._sums[campaign] = self._sums.get(campaign, 0) + new.get(campaign, 0) - old.get(campaign, 0)
                for campaign, views in self._sums.items():
                    rows[campaign][str(minute)] = views
            if minute != self._next and any(rows.values()):
                pipe = self._client.pipeline(transaction=False)
                for campaign, row in rows.items():
                    pipe.hset(f"result:{campaign}", mapping=row)
                await pipe.execute()
            self._next = minute


class Quiet:
    """Nobody listens but when something is wrong."""

    def trouble(self, where: str, sentence: str) -> None:
        """Say it."""
        print(f"{where}: {sentence}", file=sys.stderr)

    def lost(self, tp: TopicPartition, first: int, until: int) -> None:
        """A benchmark's topic loses nothing; `note_lost` ends the run."""

    def fatal(self, error: BaseException) -> None:
        """End the run."""
        raise error

    def _nothing(self, *_: object) -> None:
        """Not of interest here."""

    assigned = revoked = recovered = highwater = committed = pressure = _nothing


async def main() -> None:
    """Count all events, then leave."""
    store = await RedisStore.connect(RedisSettings(url=marks.REDIS), load().zone)
    client = redis.asyncio.Redis.from_url(marks.REDIS, decode_responses=True)
    counting, hours = Counting(store, CAMPAIGN_OF), Hours(store, client)
    app = BatchApp(
        marks.GROUP,
        Wiring(
            owner=counting,
            observer=Quiet(),
            batched=frozenset({marks.TOPIC}),
            slice_size=SLICE_RECORDS,
            max_unacked=MAX_UNACKED,
            fetch_max_wait_ms=100,
        ),
        broker=f"{SCHEME}://{marks.BOOTSTRAP}",
        broker_commit_interval=1.0,
        consumer_max_fetch_size=4 << 20,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        autodiscover=False,
    )
    seen = 0

    @app.agent(app.topic(marks.TOPIC, key_serializer="raw", value_serializer="raw"))
    async def views(stream: StreamT[RecordSlice]) -> None:
        nonlocal seen
        async for event in cast("Stream[RecordSlice]", stream).noack().events():
            part = cast(RecordSlice, event.value)
            await counting.count(part)
            event.ack()
            seen += len(part.values)
            if marks.JOB == "J2" and seen >= marks.EVENTS:
                await hours.write(first_minute, EpochMs(max(counting.heads.values()) + MINUTE_MS))
            meter.step(len(part.values))

    if marks.JOB == "J2":

        @app.timer(1.0)  # type: ignore[untyped-decorator]
        async def roll() -> None:
            if len(counting.heads) == marks.PARTITIONS:
                await hours.write(first_minute, EpochMs(min(counting.heads.values()) - LATENESS_MS))

    first_minute = EpochMs(int(FIRST) - int(FIRST) % MINUTE_MS)
    app.finalize()
    await app.start()
    await app.wait_until_stopped()


with job.connect() as setup:
    CAMPAIGN_OF = job.campaigns(setup)
    FIRST = setup.get("first") or "0"
FIELDS = {campaign: f"impressions:{campaign}" for campaign in CAMPAIGN_OF.values()}
meter = marks.Meter(lambda: None)
gc.freeze()
gc.set_threshold(GC_THRESHOLD, 20, 20)
asyncio.run(main())
