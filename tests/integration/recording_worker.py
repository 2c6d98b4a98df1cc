"""A worker whose pipeline only remembers: run by tests as a process, to be signalled, starved and killed.

Settings come from the environment as for a real worker. `BEHAVIOUR` is what a
handler does: nothing, `hang` for ever, `spin` without giving the loop a turn,
`fail` with a fault, `bury` too much, or `work` for a thousand turns of the loop. One line of JSON goes to stdout for
everything that happens.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack

from models.errors import DeadLetterLimit
from models.units import EpochMs
from streams.ports import RecordSlice, TopicPartition
from streams.settings import load
from streams.worker import run


def say(**fields: object) -> None:
    """Tell the test."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


class RecordingLine:
    """Implements `streams.app.Line` in memory."""

    def __init__(self) -> None:
        self.next: dict[TopicPartition, int] = {}
        self.behaviour = os.environ.get("BEHAVIOUR", "")

    async def claim(self, tp: TopicPartition) -> int | None:
        """Give what this process has applied."""
        return self.next.get(tp)

    def lead(self, tp: TopicPartition) -> int:
        """Nothing is read again."""
        return 0

    def revoke(self, tp: TopicPartition) -> None:
        """Say so."""
        say(revoked=tp)

    def note_lost(self, tp: TopicPartition, until: int) -> None:
        """Say so."""
        say(lost=tp, until=until)

    async def ingest(self, part: RecordSlice) -> None:
        """Remember the slice, after behaving as told."""
        say(begun=part.tp, first=part.first, next_offset=part.next_offset, records=len(part.values))
        if self.behaviour == "hang":
            await self._never()
        elif self.behaviour == "spin":
            while True:
                pass
        elif self.behaviour == "fail":
            raise RuntimeError("a planted fault")
        elif self.behaviour == "bury":
            raise DeadLetterLimit("a planted limit")
        elif self.behaviour == "work":
            for _ in range(1_000):
                await asyncio.sleep(0)
        self.next[part.tp] = part.next_offset
        say(applied=part.tp, next_offset=part.next_offset)

    async def decide(self, now: EpochMs) -> int:
        """Decide nothing."""
        return 0

    async def _never(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                say(ignored="cancellation")


async def make_line(stack: AsyncExitStack) -> RecordingLine:
    """Nothing to connect to."""
    return RecordingLine()


if __name__ == "__main__":
    code = run(load(), lambda: EpochMs(time.time_ns() // 1_000_000), make_line)
    os._exit(code)
