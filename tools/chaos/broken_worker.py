"""A worker with a planted bug or a handler that misbehaves: `python -m chaos.broken_worker NAME`.

The product has no switch for any of this: the parts are replaced here, where the worker is put together.

```
no_fence      the script adds whatever comes, from whomever            double after a zombie or a lost answer
commit_first  the offset is written before the totals                  lost after a kill in between
float_money   yuan in binary floats on the way in                      micros differ without any fault
skip_error    a slice that the store could not take is let go          lost after an outage
concurrency   two handlers for each partition                          slices overtake each other
hang          a handler that never comes back                          must not hold up SIGTERM
spin          a handler that never gives the loop a turn               the same
poison        a handler that crashes on records holding POISON         one dead letter, the rest goes on
lag           the product, printing how long its loop was ever blocked
```
"""

import asyncio
import gc
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import MISSING, fields, replace
from typing import Any, Final

from models import codec
from models.errors import ServiceUnavailable
from models.events import Kind
from streams import app, bootstrap
from streams.pipeline import Pipeline
from streams.ports import Applied, BatchWrite, RecordSlice, Reply, TopicPartition
from streams.settings import Settings, load
from streams.sinks.kafka_sink import KafkaSink
from streams.store.redis_store import RedisStore
from streams.transport.batch_transport import BatchApp
from streams.worker import run

MONEY: Final = re.compile(rb'("[a-z_]+_micros": ?)([0-9]+)')
NOTHING: Final[dict[str, Any]] = {
    field.name: field.default if field.default_factory is MISSING else field.default_factory()
    for field in fields(BatchWrite)
    if field.name not in ("allow_gap", "begun", "caught_up")
    and (field.default, field.default_factory) != (MISSING, MISSING)
}
"""What a write holds beside its place, emptied."""
POISON: Final = b"POISON"
LAG_PREFIX: Final = "loop blocked for "


class NoFence(RedisStore):
    """Asks neither who writes nor what is there already."""

    async def apply(self, write: BatchWrite) -> Applied:
        """Claim the partition anew at the write's own offset, so that nothing is ever refused."""
        claim = await self.claim(write.tp)
        fences = self._keys.fences(self._keys.shard_of(write.tp))
        at = f"{write.tp.topic}:{write.tp.partition}:"
        await self._ask("HSET", fences, f"{at}next", write.first, f"{at}seen", write.now, f"{at}end", 0)
        return await super().apply(replace(write, epoch=claim.epoch))


class CommitFirst(RedisStore):
    """Moves the offset, then adds the totals, under an offset of their own."""

    async def apply(self, write: BatchWrite) -> Applied:
        """Write in two steps what belongs into one."""
        moved = await super().apply(replace(write, **NOTHING))
        if moved.reply is Reply.APPLIED:
            apart = TopicPartition(f"sums.{write.tp.topic}", write.tp.partition)
            epoch = (await self.claim(apart)).epoch
            await super().apply(replace(write, tp=apart, epoch=epoch, allow_gap=True, begun=False))
        return moved


class FloatMoney(Pipeline):
    """Carries money as yuan in binary floats."""

    async def ingest(self, part: RecordSlice) -> None:
        """Turn micros into yuan and back, as so many programs do."""
        values = [None if value is None else MONEY.sub(_through_yuan, value) for value in part.values]
        await super().ingest(part._replace(values=values))


def _through_yuan(found: re.Match[bytes]) -> bytes:
    return found[1] + b"%d" % int(int(found[2]) * 1e-6 * 1e6)


class SkipError(Pipeline):
    """Lets a slice go when the store is away."""

    async def ingest(self, part: RecordSlice) -> None:
        """Say that the log lost what could not be written."""
        try:
            await super().ingest(part)
        except ServiceUnavailable:
            self.note_lost(part.tp, part.next_offset)


class Hang(Pipeline):
    """Holds its first slice for ever."""

    async def ingest(self, part: RecordSlice) -> None:
        """Ignore even cancellation."""
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


class Spin(Pipeline):
    """Never gives the loop a turn."""

    async def ingest(self, part: RecordSlice) -> None:
        """Block."""
        while True:
            pass


class TwoAtOnce(BatchApp):
    """Runs two handlers for each agent."""

    def agent(self, *args: Any, **options: Any) -> Any:
        """Overrule the concurrency of one."""
        return super().agent(*args, **{**options, "concurrency": 2})


STORES: Final[dict[str, type[RedisStore]]] = {
    "no_fence": NoFence,
    "commit_first": CommitFirst,
}
PIPELINES: Final[dict[str, type[Pipeline]]] = {
    "float_money": FloatMoney,
    "skip_error": SkipError,
    "hang": Hang,
    "spin": Spin,
}
BUGS: Final = ("no_fence", "commit_first", "float_money", "skip_error", "concurrency")


def main(behaviour: str) -> int:
    """Run a worker that behaves as named; gives its exit code."""
    settings = load()
    if behaviour == "concurrency":
        vars(app)["BatchApp"] = TwoAtOnce  # the one place where the app's class is named
    if behaviour == "poison":
        _plant_poison()
    gc.freeze()
    gc.set_threshold(bootstrap.GC_THRESHOLD, 20, 20)

    async def make_line(stack: AsyncExitStack) -> Pipeline:
        store = await STORES.get(behaviour, RedisStore).connect(settings.redis, settings.zone)
        stack.push_async_callback(store.close)
        sink = KafkaSink(settings.kafka)
        await sink.start()
        stack.push_async_callback(sink.stop)
        if behaviour == "lag":
            watch = asyncio.create_task(_watch_the_loop())
            stack.callback(watch.cancel)
        return _pipeline(behaviour, settings)(store, sink, settings, bootstrap.wall_clock)

    return run(settings, bootstrap.wall_clock, make_line)


def _pipeline(behaviour: str, settings: Settings) -> type[Pipeline]:
    return PIPELINES.get(behaviour, Pipeline)


def _plant_poison() -> None:
    """Make the decoder crash, as a mistake in it would, on every batch that holds a poisoned record."""
    decode: Callable[..., Any] = codec.decode

    def crashing(kind: Kind, values: Any, *rest: Any) -> Any:
        if any(value is not None and POISON in value for value in values):
            raise ZeroDivisionError("a planted mistake")
        return decode(kind, values, *rest)

    vars(codec)["decode"] = crashing


async def _watch_the_loop() -> None:
    """Print each new longest time in which the event loop took no turn."""
    worst, last = 0.25, time.monotonic()
    while True:
        await asyncio.sleep(0.05)
        now = time.monotonic()
        if now - last - 0.05 > worst:
            worst = now - last - 0.05
            print(f"{LAG_PREFIX}{worst:.2f} s", flush=True)
        last = now


if __name__ == "__main__":
    os._exit(main(sys.argv[1]))
