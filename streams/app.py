"""The Faust app: an agent per input topic that feeds the pipeline, and the timer of the decide line.

An agent hands a slice to the pipeline and acknowledges it when the pipeline
returns, so what is not in the store is never committed. A store that is away
is waited for; a partition that belongs to another worker is given up; any
other fault ends the process, because going on would lose data.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol, cast

import structlog
from faust import Stream
from faust.types import EventT, StreamT

from models.errors import Fenced, OffsetGap, ServiceUnavailable
from models.units import EpochMs
from streams.cutting import values_from
from streams.observing import WorkerObserver
from streams.ports import RecordSlice, TopicPartition
from streams.settings import Settings
from streams.transport.batch_consumer import BatchConsumer
from streams.transport.batch_transport import SCHEME, BatchApp
from streams.transport.faust_messages import SliceMessage
from streams.transport.wiring import Owner, Wiring

BATCHED_AGENTS: Final = {
    "ingest.impressions": "ads.impressions.v1",
    "ingest.clicks": "ads.clicks.v1",
    "ingest.orders": "shop.orders.v1",
}
"""Agents that take slices of many records; the names are part of what operators see and do not follow the code."""

CONTROL_AGENTS: Final = {
    "control.announcements": "subsidy.announcements.v1",
    "control.stock": "shop.stock.v1",
    "control.campaigns": "ads.campaigns.v1",
    "control.results": "budget.shift-results.v1",
}
"""Agents of topics with few records, each weighty: one record a slice."""

DECIDER: Final = TopicPartition("shop.orders.v1", 0)
"""Whoever reads this partition runs the decide line."""

SLICE_RECORDS: Final = 20_000
MAX_UNACKED: Final = 80_000
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0


class Line(Owner, Protocol):
    """What the app needs of the pipeline."""

    def lead(self, tp: TopicPartition) -> int:
        """Give how many offsets before its fence a partition just claimed is read from."""

    async def ingest(self, part: RecordSlice) -> None:
        """Count a slice, exactly once; what lies before the fence is looked at only."""

    async def decide(self, now: EpochMs) -> int:
        """Run the decide line; give the number of decisions."""


def build_app(settings: Settings, line: Line, observer: WorkerObserver, now: Callable[[], EpochMs]) -> BatchApp:
    """Build the worker's Faust app; nothing connects before it is started.

    Args:
        settings: Kafka's and the worker's section are used.
        line: the pipeline; it owns the partitions.
        observer: hears of everything that happens.
        now: wall clock.
    """
    kafka = settings.kafka
    app = BatchApp(
        kafka.group,
        Wiring(
            owner=line,
            observer=observer,
            batched=frozenset(BATCHED_AGENTS.values()),
            slice_size=SLICE_RECORDS,
            max_unacked=MAX_UNACKED,
            fetch_max_wait_ms=kafka.fetch_max_wait_ms,
            instance_id=kafka.instance_id,
            lead=line.lead,
        ),
        broker=[f"{SCHEME}://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_client_id="subsidywatch-worker",
        broker_session_timeout=kafka.session_timeout_s,
        broker_heartbeat_interval=kafka.heartbeat_s,
        broker_request_timeout=max(kafka.request_timeout_s, kafka.session_timeout_s),
        broker_commit_interval=kafka.commit_interval_s,
        broker_max_poll_interval=300.0,
        consumer_max_fetch_size=kafka.fetch_max_bytes,
        producer_request_timeout=kafka.request_timeout_s,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        autodiscover=False,
    )
    for name, topic in {**BATCHED_AGENTS, **CONTROL_AGENTS}.items():
        channel = app.topic(topic, key_serializer="raw", value_serializer="raw")
        app.agent(channel, name=name, concurrency=1)(_agent(app, line, observer, name, now))
    app.timer(settings.worker.decide_interval_s, name="decide")(_decider(app, line, observer, now))
    return app


def _agent(
    app: BatchApp, line: Line, observer: WorkerObserver, name: str, now: Callable[[], EpochMs]
) -> Callable[[StreamT[RecordSlice]], Awaitable[None]]:
    async def agent(stream: StreamT[RecordSlice]) -> None:
        async for event in cast("Stream[RecordSlice]", stream).noack().events():
            began = observer.slice_begun(name)
            app.take(name)
            part = cast(RecordSlice, event.value)
            fence = _consumer(app).ledger.fence(part.tp) or 0
            outcome = await _settle(app, line, observer, event, part)
            app.put_down(name)
            if outcome == "applied" and part.next_offset <= fence:
                outcome = "looked_back"
            observer.slice_ended(name, began, outcome, part.tp, values_from(part, fence))
            if outcome == "applied" and part.oldest is not None:
                observer.visible(part.tp, (now() - part.oldest) / 1000)

    return agent


async def _settle(
    app: BatchApp, line: Line, observer: WorkerObserver, event: EventT[RecordSlice], part: RecordSlice
) -> str:
    """Bring one slice into the store, or find that it is no longer ours; give what became of it."""
    consumer, message = _consumer(app), event.message
    assert isinstance(message, SliceMessage)  # noqa: S101  only our transport feeds these agents
    pause = FIRST_PAUSE_S
    while app.flow_control.is_active() and consumer.ledger.is_current(message.delivery):
        try:
            await line.ingest(part)
        except ServiceUnavailable as error:
            observer.trouble("store", str(error))
            observer.retried("store")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            continue
        except Fenced:
            observer.fenced(part.tp)
            if consumer.ledger.is_current(message.delivery):
                # Not so when we claimed the partition anew ourselves while this slice was in hand.
                await consumer.rejoin()
            return "fenced"
        except OffsetGap as error:
            # The store went back, after a restore: read again from where it stands.
            structlog.get_logger("streams.worker").error("offset_gap", reason=str(error))
            consumer.reclaim(part.tp)
            return "gap"
        except Exception as fault:  # noqa: BLE001  the agent's boundary: the process ends, nothing is committed
            observer.fatal(fault)
            return "dropped"
        observer.recovered("store")
        event.ack()
        done = consumer.ledger.done(part.tp)
        if done is not None:
            observer.applied(part.tp, done)
        return "applied"
    return "dropped"


def _decider(
    app: BatchApp, line: Line, observer: WorkerObserver, now: Callable[[], EpochMs]
) -> Callable[[], Awaitable[None]]:
    async def decide() -> None:
        if not _consumer(app).ledger.is_open(DECIDER):
            return
        began = time.perf_counter()
        try:
            decisions = await line.decide(now())
        except ServiceUnavailable as error:
            observer.trouble("decide", str(error))
            observer.decide_put_off()
        except Exception as fault:  # noqa: BLE001  the timer's boundary: the process ends
            observer.fatal(fault)
        else:
            observer.recovered("decide")
            observer.decided(began, decisions)

    return decide


def _consumer(app: BatchApp) -> BatchConsumer:
    consumer = app.consumer
    assert isinstance(consumer, BatchConsumer)  # noqa: S101  the app's transport makes no other
    return consumer


async def drain(app: BatchApp, seconds: float) -> bool:
    """Take in nothing more, let slices in hand finish, commit; False when one did not finish in time."""
    consumer = _consumer(app)
    consumer.stop_flow()
    app.flow_control.suspend()
    app.flow_control.clear()
    with suppress(TimeoutError):
        await asyncio.wait_for(app.idle.wait(), seconds)
    await consumer.commit()
    return app.idle.is_set()
