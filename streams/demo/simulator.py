"""The market at work: simulated minutes at a steady pace, counted as they leave, spending what the platform allows."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from models.scenario.emitted import Emitted
from models.scenario.ledger import Ledger
from models.scenario.world import World
from models.units import MINUTE_MS, EpochMs
from streams.demo.plan import Story
from streams.pacing import Pace
from streams.producing import Producing

TICK_S: Final = 0.1
"""Records leave in portions of this much wall time."""


class Simulator:
    """Sends a world to Kafka.

    Attributes:
        ledger: the simulator's own sums over exactly the records that were sent.
        at: event time reached.
        done: the scenario is over.
    """

    def __init__(self, story: Story, world: World, out: Producing, budgets: Callable[[], Mapping[str, int]]) -> None:
        """Take the market, the way out and the place where budgets are read each minute."""
        self._story = story
        self._world = world
        self._out = out
        self._budgets = budgets
        self.ledger = Ledger()
        self.at = story.start
        self.done = False

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop or the scenario is over; then return once the broker has everything.

        Raises:
            ServiceUnavailable: the broker did not take all records.
        """
        pace = Pace(self._story.speed, time.monotonic)
        await self._send(self._world.opening())
        await self._out.flush()
        await pace.wait(self.at)
        while not stop.is_set() and self.at < self._story.end:
            minute = self.at
            records = self._world.step(minute, self._budgets())
            await self._minute(minute, records, pace, stop)
        self.done = self.at >= self._story.end
        await self._out.flush()

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
