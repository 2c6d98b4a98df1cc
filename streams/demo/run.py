"""One demo from its first process to its exit code.

```
servers -> worker, page, adjuster -> market runs -> Ctrl-C or time is up -> market stops -> drain -> summary
```
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Final

from models.errors import MonitorError
from models.units import CampaignId
from streams.adjuster.ad_platform import Budget, BudgetPlatform
from streams.bootstrap import open_store, wall_clock
from streams.demo.broker_watch import BrokerWatch, behind, counted
from streams.demo.fleet import Fleet, launch
from streams.demo.plan import Story, tell
from streams.demo.printing import clock, day, say
from streams.demo.simulator import Simulator
from streams.demo.summary import draw_up, print_summary
from streams.demo.watching import Watcher
from streams.ports import ReadStore
from streams.producing import open_producing
from streams.readlog import EXPLAIN_LIMIT, feed
from streams.settings import PREFIX, load
from streams.topics import INPUTS

DRAIN_S: Final = 20.0
ANSWERS_S: Final = 5.0
LONGEST_FOLDER: Final = 80
"""A socket's path ends at 107 bytes, so a longer temporary folder is made under /tmp."""


async def run(seed: int, speed: float, seconds: float | None, port: int) -> int:
    """Run a demo; give 0 when every total was exact, else 1.

    Raises:
        SettingsError: the port is in use, or the extra `demo` is not installed.
        ChildDied: a process of the demo ended by itself.
    """
    _forget_environment()
    story = tell(seed, speed, wall_clock())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    folder = _folder()
    keep = False
    try:
        with launch(folder, port) as fleet:
            _introduce(story, fleet, port)
            return await _play(story, fleet, stop, seconds)
    except MonitorError:
        keep = True  # the sentence names a log in it
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _forget_environment() -> None:
    """Drop our variables here and for the children: they would override the settings of the demo's own services."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        del os.environ[name]


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="subsidywatch-"))
    if len(str(folder)) <= LONGEST_FOLDER:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="subsidywatch-", dir="/tmp"))


def _introduce(story: Story, fleet: Fleet, port: int) -> None:
    say(f"page    http://127.0.0.1:{port}")
    say(f"market  wave-31, seed {story.seed}, from {day(story.begin)} {clock(story.begin)} at {story.speed:g}x")
    say(f"also    subsidywatch table --watch --config {fleet.config}")
    say("note    Kafka and Redis live in memory here; what they hold is lost when this ends")
    say("")


async def _play(story: Story, fleet: Fleet, stop: asyncio.Event, seconds: float | None) -> int:
    settings = load(fleet.config)
    world = story.world()
    platform = BudgetPlatform(fleet.budgets, wall_clock)
    platform.open_campaigns({CampaignId(plan.campaign_id): Budget(plan.budget_micros, 1) for plan in world.plans})
    broker = BrokerWatch(fleet.bootstrap)
    try:
        async with open_store(settings) as store, open_producing(settings.kafka) as out:
            simulator = Simulator(
                story, world, out, lambda: _spendable(platform), lambda: _behind(fleet, store, broker)
            )
            watcher = Watcher(fleet, simulator, world, store, broker)
            await _until(stop, seconds, simulator, watcher)
            say("")
            say("the market has stopped; counting what is left")
            await _drain(fleet, store, broker)
            await watcher.news()
            done = counted(await store.progress(), _sent_topics())
            summary = await draw_up(store, settings.zone, simulator.ledger, world.truth(simulator.at), done)
    finally:
        broker.close()
        platform.close()
    print_summary(summary)
    return 0 if summary.exact else 1


async def _behind(fleet: Fleet, store: ReadStore, broker: BrokerWatch) -> int:
    fleet.check()
    edges = await asyncio.to_thread(broker.edges)
    return behind(edges, await store.progress())


def _spendable(platform: BudgetPlatform) -> dict[str, int]:
    return {campaign: budget.micros for campaign, budget in platform.budgets().items()}


def _sent_topics() -> list[str]:
    """Topics that only the simulator writes."""
    return [spec.name for spec in INPUTS if spec.name != "budget.shift-results.v1"]


async def _until(stop: asyncio.Event, seconds: float | None, simulator: Simulator, watcher: Watcher) -> None:
    """Run market and watcher until stopped, the time is up, the story is over, or one of them fails."""
    tasks = [asyncio.create_task(simulator.run(stop)), asyncio.create_task(watcher.run(stop))]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.gather(*tasks)


async def _drain(fleet: Fleet, store: ReadStore, broker: BrokerWatch) -> None:
    """Wait until the worker has applied the whole log, then until the adjuster has answered every shift; bounded."""

    async def applied() -> bool:
        return await _behind(fleet, store, broker) == 0

    async def answered() -> bool:
        logs = await feed(store, EXPLAIN_LIMIT)
        return {shift.shift_id for shift in logs.shifts} <= {answer.shift_id for answer in logs.results}

    for condition, limit in ((applied, DRAIN_S), (answered, ANSWERS_S), (applied, ANSWERS_S)):
        deadline = time.monotonic() + limit
        while not await condition() and time.monotonic() < deadline:
            fleet.check()
            await asyncio.sleep(0.1)
