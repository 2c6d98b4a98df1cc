"""Reads the store once a second and prints what is new."""

import asyncio
import time

from models.decisions import Status
from models.regions import PROVINCES
from models.scenario.world import World
from streams.demo.broker_watch import BrokerWatch, behind, dropped
from streams.demo.fleet import Fleet
from streams.demo.printing import feed_line, result_line, say, shift_line, status_line, transition_lines, truth_lines
from streams.demo.simulator import Simulator
from streams.ports import ReadStore
from streams.readlog import feed
from streams.readstatus import read_decided

PERIOD_S = 1.0


class Watcher:
    """Prints the run.

    Attributes:
        lost: records that the broker dropped before they were counted.
    """

    def __init__(self, fleet: Fleet, simulator: Simulator, world: World, store: ReadStore, broker: BrokerWatch) -> None:
        """Take what is watched."""
        self._fleet = fleet
        self._simulator = simulator
        self._world = world
        self._store = store
        self._broker = broker
        self._seen: set[str] = set()
        self._switched: set[str] = set()
        self._truths = 0
        self._began = time.monotonic()
        self._before = (self._began, 0)
        self.lost = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Print a line a second until told to stop or the story is over.

        Raises:
            ChildDied: a process of the demo has ended by itself.
            ServiceUnavailable: the store or the broker is away.
        """
        while not stop.is_set():
            self._fleet.check()
            await self.look()
            try:
                await asyncio.wait_for(stop.wait(), PERIOD_S)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Print what is new, then the line of this second."""
        await self.news()
        edges = await asyncio.to_thread(self._broker.edges)
        progress = await self._store.progress()
        lost = dropped(edges, progress)
        if lost > self.lost:
            self.lost = lost
            say(
                f"        broker  dropped {lost:,} records before they were counted, because it keeps about 5 MB a"
                " partition: totals will not be exact; run with a lower --speed"
            )
        decided = await read_decided(self._store)
        states = [
            decided.statuses[place.adcode].status if place.adcode in decided.statuses else Status.UNKNOWN
            for place in PROVINCES
        ]
        now, sent = time.monotonic(), self._simulator.ledger.records
        then, had = self._before
        self._before = (now, sent)
        rate = (sent - had) / max(0.001, now - then)
        elapsed = now - self._began
        say(status_line(elapsed, self._simulator.at, rate, sent, behind(edges, progress), states))

    async def news(self) -> None:
        """Print what was not printed yet, oldest first: what happened, what was said, decisions, answers."""
        truth = self._world.truth(self._simulator.at)
        for line in truth_lines(truth.switches[self._truths :], truth.quota_hours):
            say(line)
        self._truths = len(truth.switches)
        while self._simulator.news:
            say(feed_line(self._simulator.news.pop(0).body))
        logs = await feed(self._store)
        changes = [change for change in reversed(logs.transitions) if self._is_new(change.transition_id)]
        self._switched.update(change.region for change in changes if change.from_ is not Status.UNKNOWN)
        lines = [
            *transition_lines(changes),
            *(shift_line(shift, self._switched) for shift in reversed(logs.shifts) if self._is_new(shift.shift_id)),
            *(result_line(one) for one in reversed(logs.results) if self._is_new(f"{one.shift_id}.{one.result}")),
        ]
        for line in lines:
            say(line)

    def _is_new(self, key: str) -> bool:
        new = key not in self._seen
        self._seen.add(key)
        return new
