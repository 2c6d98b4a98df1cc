"""The market at work: simulated minutes at a steady pace, counted as they leave, spending what the platform allows.

It begins when the worker has applied what is known at the begin, and waits where the worker is far behind: the
embedded broker drops its oldest records beyond some megabytes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from models.scenario.emitted import ANNOUNCEMENTS, Emitted
from models.scenario.ledger import Ledger
from models.scenario.world import World
from models.units import MINUTE_MS, EpochMs
from streams.demo.plan import Story
from streams.pacing import Pace
from streams.producing import Producing

TICK_S: Final = 0.1
"""Records leave in portions of this much wall time."""

RECALLED_MIN: Final = 30
"""Simulated minutes before the begin whose clicks still lead to orders."""

MOST_BEHIND: Final = 60_000
LONGEST_START_S: Final = 30.0
_ASK_S: Final = 1.0
_POLL_S: Final = 0.1


class Simulator:
    """Sends a world to Kafka.

    Attributes:
        ledger: the simulator's own sums over exactly the records that were sent.
        news: announcements that were sent after the begin, in order.
        at: event time reached.
        done: the story is over.
    """

    def __init__(
        self,
        story: Story,
        world: World,
        out: Producing,
        budgets: Callable[[], Mapping[str, int]],
        behind: Callable[[], Awaitable[int]],
    ) -> None:
        """Take the market, the way out, the place where budgets are read each minute, and a count of the backlog."""
        self._story = story
        self._world = world
        self._out = out
        self._budgets = budgets
        self._behind = behind
        self._asked = 0.0
        self.ledger = Ledger()
        self.news: list[Emitted] = []
        self.at = story.begin
        self.done = False

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop or the story is over; then return once the broker has everything.

        Raises:
            ServiceUnavailable: the broker did not take all records, or the store is away.
        """
        await self._begin(stop)
        pace = Pace(self._story.speed, time.monotonic)
        await pace.wait(self.at)
        while not stop.is_set() and self.at < self._story.end:
            minute = self.at
            records = self._world.step(minute, self._budgets())
            await self._minute(minute, records, pace, stop)
            if await self._held(stop):
                pace = Pace(self._story.speed, time.monotonic)
                await pace.wait(self.at)
        self.done = self.at >= self._story.end
        await self._out.flush()

    async def _begin(self, stop: asyncio.Event) -> None:
        """Send what is known, then let the worker come up while the market remembers."""
        await self._send(self._world.opening())
        await self._out.flush()
        self.news.clear()
        await asyncio.to_thread(self._world.recall, RECALLED_MIN)
        until = time.monotonic() + LONGEST_START_S
        await self._pause(stop, lambda behind: behind > 0 and time.monotonic() < until)

    async def _held(self, stop: asyncio.Event) -> bool:
        """Wait while the worker is far behind; tell whether that was so."""
        if time.monotonic() - self._asked < _ASK_S:
            return False
        self._asked = time.monotonic()
        if await self._behind() <= MOST_BEHIND:
            return False
        await self._pause(stop, lambda behind: behind > MOST_BEHIND // 2)
        return True

    async def _pause(self, stop: asyncio.Event, goes_on: Callable[[int], bool]) -> None:
        while goes_on(await self._behind()) and not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _POLL_S)

    async def _minute(self, minute: EpochMs, records: list[Emitted], pace: Pace, stop: asyncio.Event) -> None:
        portion_ms = max(1, int(TICK_S * 1000 * self._story.speed))
        first = 0
        for end in range(minute + portion_ms, minute + MINUTE_MS + portion_ms, portion_ms):
            end = min(end, minute + MINUTE_MS)
            last = first
            while last < len(records) and records[last].arrival < end:
                last += 1
            await self._send(records[first:last])
            await self._out.flush()
            first = last
            self.at = EpochMs(end)
            await pace.wait(self.at)
            if stop.is_set() or end == minute + MINUTE_MS:
                return

    async def _send(self, records: list[Emitted]) -> None:
        encode = msgspec.json.encode
        for record in records:
            await self._out.send(record.topic, record.key.encode(), encode(record.body))
            self.ledger.add(record)
            if record.topic == ANNOUNCEMENTS:
                self.news.append(record)
