"""The worker process from its first line to its exit code.

```
health server -> Redis -> Kafka and its topics -> Faust app -> ... -> signal or fault -> drain -> commit -> leave
```

A service that is away is waited for with growing pauses, and /readyz says which
one: a worker that crashed in a loop would tell less and come back later.
"""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from models.errors import ServiceUnavailable, SettingsError
from models.units import EpochMs
from streams import log_setup
from streams.app import BATCHED_AGENTS, CONTROL_AGENTS, Line, build_app, drain
from streams.health import BEAT_S, Health, HealthServer
from streams.lifeline import Lifeline
from streams.lifeline import run as run_process
from streams.observing import WorkerObserver
from streams.settings import Settings
from streams.telemetry import Telemetry
from streams.transport.batch_transport import BatchApp
from streams.watchdog import Watchdog

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 5.0
DRAIN_SHARE: Final = 0.5
"""Part of the shutdown time that slices in hand may take; the rest is for the commit and for leaving the group."""

T = TypeVar("T")
MakeLine = Callable[[AsyncExitStack], Awaitable[Line]]
"""Connects what the pipeline needs, enters it into the stack, and gives the pipeline.

Raises ServiceUnavailable while something is away; it is called again.
"""


def run(settings: Settings, now: Callable[[], EpochMs], make_line: MakeLine) -> int:
    """Run a worker until it is told to stop or fails; give its exit code.

    That is 0, or 1 when there are too many dead letters, or 70.

    Raises:
        SettingsError: the metrics address cannot be listened on.
        UnsafeStore: the store would lose totals.
    """
    log_setup.set_up(settings.worker.log_format, settings.worker.log_level)
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    health = Health(time.monotonic, settings.worker.stall_s)
    host, port = settings.worker.metrics_host, settings.worker.metrics_port
    try:
        server = HealthServer(host, port, health, registry)
    except OSError as error:
        wrong = "port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "host"
        raise SettingsError(
            f"SUBSIDYWATCH_WORKER__METRICS_{wrong.upper()} (worker.metrics_{wrong}): "
            f"cannot listen on {host}:{port}: {error.strerror}"
        ) from None
    structlog.get_logger("streams.worker").info("worker_starting", metrics=f"http://{host}:{server.port}/metrics")

    async def main(lifeline: Lifeline) -> None:
        observer = WorkerObserver(Telemetry(registry), health, lifeline)
        beats = asyncio.create_task(_beat(health, lifeline))
        watchdog = Watchdog(health, lifeline)
        watchdog.start()
        try:
            async with AsyncExitStack() as stack:
                await _serve(settings, now, make_line, stack, observer, lifeline, watchdog)
        finally:
            watchdog.stop()
            beats.cancel()

    try:
        return run_process(main, settings.worker.shutdown_s)
    finally:
        server.close()


async def _serve(
    settings: Settings,
    now: Callable[[], EpochMs],
    make_line: MakeLine,
    stack: AsyncExitStack,
    observer: WorkerObserver,
    lifeline: Lifeline,
    watchdog: Watchdog,
) -> None:
    main_loop = asyncio.get_running_loop()
    watchdog.loops = lambda: [main_loop]
    line = await _until_up("connect", lambda: _connect(make_line, stack), observer, lifeline)
    topics = [*BATCHED_AGENTS.values(), *CONTROL_AGENTS.values()]
    if line is None or not await _until_up("kafka", lambda: _topics_exist(settings, topics), observer, lifeline):
        return
    app = build_app(settings, line, observer, now)
    watchdog.loops = lambda: [main_loop, *app.loops]
    app.finalize()
    try:
        running = asyncio.create_task(_start(app))
        ended = asyncio.create_task(lifeline.ended())
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
        if running.done() and (fault := running.exception()) is not None:
            lifeline.fail(fault)
        await ended
    finally:
        if not await drain(app, settings.worker.shutdown_s * DRAIN_SHARE):
            structlog.get_logger("streams.worker").warning("drain_timed_out", agents=sorted(app.in_hand))
        await app.stop()


async def _connect(make_line: MakeLine, stack: AsyncExitStack) -> Line:
    """Connect; what a failed attempt had opened is closed again."""
    async with AsyncExitStack() as attempt:
        line = await make_line(attempt)
        stack.push_async_exit(attempt.pop_all())
    return line


async def _start(app: BatchApp) -> None:
    """Start the app; raise what makes it crash, now or later."""
    await app.start()
    await app.wait_until_stopped()
    if app.crash_reason is not None:
        raise app.crash_reason


async def _until_up(
    where: str, attempt: Callable[[], Awaitable[T]], observer: WorkerObserver, lifeline: Lifeline
) -> T | None:
    """Try until it works, with growing pauses; None when the process is to end first."""
    pause = FIRST_PAUSE_S
    while not lifeline.ending:
        try:
            result = await attempt()
        except ServiceUnavailable as error:
            observer.trouble(where, str(error))
            observer.retried(where)
            await lifeline.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        else:
            observer.recovered(where)
            return result
    return None


async def _topics_exist(settings: Settings, topics: list[str]) -> bool:
    """Tell that Kafka answers and has the topics.

    Raises:
        ServiceUnavailable: it does not answer, or a topic is missing.
    """
    kafka = settings.kafka
    probe = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, request_timeout_ms=int(kafka.request_timeout_s * 1000), client_id="probe"
    )
    try:
        await probe.start()
        missing = sorted(set(topics) - await probe.topics())
    except (TimeoutError, KafkaError, OSError) as error:
        raise ServiceUnavailable(f"Kafka at {kafka.bootstrap} does not answer: {error}") from error
    finally:
        await probe.stop()
    if missing:
        raise ServiceUnavailable(
            f"Kafka at {kafka.bootstrap} has no topic {', '.join(missing)}; run `subsidywatch topics create`"
        )
    return True


async def _beat(health: Health, lifeline: Lifeline) -> None:
    while not await lifeline.sleep(BEAT_S):
        health.beat()
    health.beat()
