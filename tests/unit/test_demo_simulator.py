"""The market of the demo: it waits for the worker, and never runs far ahead of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from models.scenario.emitted import ANNOUNCEMENTS
from models.units import MINUTE_MS, EpochMs
from streams.demo.plan import Story, tell
from streams.demo.simulator import MOST_BEHIND, Simulator
from streams.producing import Producing


class Out:
    """A way out that only counts."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.topics: list[str] = []

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Take a record."""
        self.topics.append(topic)

    async def flush(self) -> None:
        """Have everything already."""


def story(minutes: int) -> Story:
    """Give a short and thin story at the highest speed."""
    told = tell(1, 3_600.0, EpochMs(1_790_000_123_456))
    return replace(told, rate=0.5, end=EpochMs(told.begin + minutes * MINUTE_MS))


def simulator(told: Story, out: Out, behind: Callable[[], Awaitable[int]]) -> Simulator:
    """Make a market without budgets of its own."""
    return Simulator(told, told.world(), cast("Producing", out), dict, behind)


def test_time_stands_still_until_the_worker_has_the_opening() -> None:
    """Nothing but what is known at the begin is sent before the backlog is empty."""
    out, told = Out(), story(5)
    answers = [3, 2, 1, 0]
    before: list[int] = []

    async def behind() -> int:
        before.append(len(out.topics))
        return answers.pop(0) if answers else 0

    market = simulator(told, out, behind)
    asyncio.run(market.run(asyncio.Event()))

    assert [len(before[:4]) * [before[0]]] == [before[:4]]
    assert ANNOUNCEMENTS in out.topics[: before[0]]
    assert len(out.topics) > before[0]
    assert (told.end, True) == (market.at, market.done)


def test_market_waits_for_a_worker_that_is_far_behind() -> None:
    """No record leaves between a long backlog and half of it."""
    out, told = Out(), story(3)
    answers = [0, MOST_BEHIND + 1, MOST_BEHIND, MOST_BEHIND // 2]
    sent: list[int] = []

    async def behind() -> int:
        sent.append(len(out.topics))
        return answers.pop(0) if answers else 0

    asyncio.run(simulator(told, out, behind).run(asyncio.Event()))

    assert not answers
    assert sent[1] == sent[2] == sent[3] < len(out.topics)


def test_stop_ends_a_market_that_waits() -> None:
    """Ctrl-C is heard before the first minute, too."""
    out, told = Out(), story(3)

    async def run() -> Simulator:
        stop = asyncio.Event()

        async def behind() -> int:
            stop.set()
            return 1

        market = simulator(told, out, behind)
        await market.run(stop)
        return market

    market = asyncio.run(run())

    assert (told.begin, False) == (market.at, market.done)
