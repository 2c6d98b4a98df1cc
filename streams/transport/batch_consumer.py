"""The Faust consumer: one message per slice, commits of acknowledged prefixes, positions from the store."""
# ruff: noqa: ASYNC109  Faust names the parameter

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Any, Final, cast

from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from mode import Service

from models.errors import OffsetGap, ServiceUnavailable
from streams.ports import TopicPartition
from streams.transport.acks import Ledger
from streams.transport.consumer_thread import BatchConsumerThread
from streams.transport.faust_messages import NoReadOffsets, SliceMessage
from streams.transport.rebuilding import Rebuilds
from streams.transport.slices import slices_of, weight_of
from streams.transport.starts import Start, start_of
from streams.transport.wiring import Wired

CLAIM_PATIENCE_S: Final = 1.0
"""Faust's rebalance waits this long for the claims; slower ones go on while it finishes."""
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
REFUSED_PAUSE_S: Final = 15.0
WATCH_S: Final = 0.5
AWAY_LOOKS: Final = 4


class BatchConsumer(driver.Consumer):
    """Reads whole batches; see the module of each part for its rules: `acks`, `slices`, `starts`."""

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the wiring from the app that owns the transport."""
        super().__init__(*args, **kwargs)
        self._read_offset = NoReadOffsets()
        self._wiring = cast(Wired, self.app).wiring
        self._owner, self._observer = self._wiring.owner, self._wiring.observer
        self.ledger = Ledger()
        self._room = asyncio.Event()
        self._paused = False
        self._claiming: asyncio.Task[None] | None = None
        self._rebuilds = Rebuilds(self._observer)
        self._away_looks = 0

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # --- assignment -----------------------------------------------------------------------------------------------

    async def perform_seek(self) -> None:
        """Claim the partitions just assigned and read on from where the store stands."""
        tps = [TopicPartition(*tp) for tp in self.assignment()]
        self.ledger.close(tps)
        if self._claiming is not None:
            self._claiming.cancel()
        self._claiming = self.loop.create_task(self._take_over(tps, self.app.consumer_generation_id))
        # A store that is away must not hold up the group's rebalance, which has a deadline.
        await asyncio.wait({self._claiming}, timeout=CLAIM_PATIENCE_S)

    async def _take_over(self, tps: Collection[TopicPartition], generation: int) -> None:
        """Claim, seek and open partitions, trying until it works or the group has moved on."""
        waiting, pause = set(tps), FIRST_PAUSE_S
        self.pause_partitions({TP(*tp) for tp in waiting})
        while waiting and not self.should_stop and generation == self.app.consumer_generation_id:
            try:
                waiting -= await self._claim_and_seek(waiting)
            except (TimeoutError, ServiceUnavailable, KafkaError) as error:
                self._observer.trouble("claim", f"partitions cannot be claimed yet: {error}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                continue
            self._observer.recovered("claim")
            if waiting:
                await asyncio.sleep(REFUSED_PAUSE_S)

    async def _claim_and_seek(self, tps: Collection[TopicPartition]) -> set[TopicPartition]:
        """Give the partitions that are open now; one whose log contradicts the store stays closed, loudly."""
        keys = [TP(*tp) for tp in tps]
        stored = {tp: await self._owner.claim(tp) for tp in tps}
        earliest, latest = await self.earliest_offsets(*keys), await self.highwaters(*keys)
        committed = await self._thread.committed_offsets(tps)
        starts: dict[TopicPartition, Start] = {}
        for tp in tps:
            try:
                lead = self._wiring.lead(tp)
                starts[tp] = start_of(tp, stored[tp], earliest[TP(*tp)], latest[TP(*tp)], lead)
            except OffsetGap as error:
                self._observer.trouble(f"log {tp.topic}/{tp.partition}", str(error))
            else:
                self._observer.recovered(f"log {tp.topic}/{tp.partition}")
        await self.seek_wait({TP(*tp): start.begin for tp, start in starts.items()})
        for tp, start in starts.items():
            if start.lost:
                self._observer.lost(tp, start.offset - start.lost, start.offset)
                self._owner.note_lost(tp, start.offset)
            self.ledger.open(tp, start.begin, start.offset)
            self._observer.highwater(tp, latest[TP(*tp)])
        self._rebuilds.begin(starts, committed)
        self._make_room()
        self.resume_partitions({TP(*tp) for tp in starts})
        self._observer.assigned({tp: start.offset for tp, start in starts.items()})
        return set(starts)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Void everything handed out for the partitions before the group moves on."""
        tps = [TopicPartition(*tp) for tp in revoked]
        self.ledger.close(tps)
        self._rebuilds.drop(tps)
        self._make_room()
        for tp in tps:
            self._owner.revoke(tp)
        self._observer.revoked(tps)
        await super().on_partitions_revoked(revoked)

    def reclaim(self, tp: TopicPartition) -> None:
        """Start one partition over from the store's offset, in this generation; goes on in the background."""
        self.ledger.close([tp])
        self.pause_partitions({TP(*tp)})
        self._make_room()
        self.add_future(self._take_over([tp], self.app.consumer_generation_id))

    async def rejoin(self) -> None:
        """Leave what is held void and ask the group anew: another worker owns what we thought was ours."""
        self.ledger.close([TopicPartition(*tp) for tp in self.assignment()])
        self._make_room()
        await self._thread.rejoin()

    # --- fetching -------------------------------------------------------------------------------------------------

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Yield the slices of what is fetched next, as fast as they are acknowledged."""
        try:
            runs_of, _ = await self._wait_next_records(timeout)
        except OffsetOutOfRangeError as error:
            # Retention overtook a running worker: the start is decided again, with the loss counted.
            for tp in error.args[0]:
                self.reclaim(TopicPartition(*tp))
            return
        except ConsumerStoppedError:
            raise
        except KafkaError as error:
            self._observer.trouble("fetch", f"fetched records cannot be read: {error}")
            await self.sleep(1.0)
            return
        self._observer.recovered("fetch")  # nothing to fetch is good news as well: a quiet topic would never tell
        for key, runs in (runs_of or {}).items():
            tp = TopicPartition(key.topic, key.partition)
            async for message in self._deliver(tp, runs, self.highwater(key)):
                yield message.tp, message

    async def _deliver(self, tp: TopicPartition, runs: Iterable[Any], end: int | None) -> AsyncIterator[SliceMessage]:
        generation, limit = self.app.consumer_generation_id, self._wiring.slice_records(tp.topic)
        for part in slices_of(tp, generation, runs, limit, end):
            await self._wait_for_room()
            if not self.flow_active or self.should_stop:
                return  # the rebalance that stopped the flow ends with a new claim and seek
            delivery = self.ledger.deliver(tp, part.first, part.next_offset, weight_of(part))
            if delivery is None:
                await self._refetch(tp)
                return
            yield SliceMessage(part, delivery)

    async def _refetch(self, tp: TopicPartition) -> None:
        """Records came that do not follow what was handed out: fetched before a seek, or lost by the client."""
        at = self.ledger.position(tp)
        if at is not None:
            self.log.info("fetched records of %s/%s do not continue at %s: fetched again", *tp, at)
            await self.seek_wait({TP(*tp): at})

    async def _wait_for_room(self) -> None:
        while self.ledger.unacked() >= self._wiring.max_unacked and self.flow_active and not self.should_stop:
            self._room.clear()
            self._paused = True
            await self.wait_first(self._room.wait(), self.suspend_flow.wait(), timeout=1.0)
        self._paused = False

    def _make_room(self) -> None:
        self._room.set()

    # --- acknowledging and committing -----------------------------------------------------------------------------

    def ack(self, message: Message) -> bool:
        """Settle a slice; True when it counted."""
        message.acked = True
        self._unacked_messages.discard(message)
        delivery = cast(SliceMessage, message).delivery
        counted = self.ledger.ack(delivery)
        self._rebuilds.reached(delivery.tp, self.ledger.done(delivery.tp))
        self._make_room()
        return counted

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Tell the broker the acknowledged prefixes; what it refuses is offered again next time."""
        due = self.ledger.committable()
        if not due:
            return False
        accepted = await self._thread.commit({TP(*tp): offset for tp, offset in due.items()})
        if accepted:
            self.ledger.committed(due)
        self._observer.committed(due, accepted)
        return accepted

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Slices tile the log; there is no gap to remember."""

    async def on_stop(self) -> None:
        """Stop claiming, then commit what was acknowledged."""
        if self._claiming is not None:
            self._claiming.cancel()
        await super().on_stop()

    # --- watchdog -------------------------------------------------------------------------------------------------

    @Service.task
    async def _watch_the_group(self) -> None:
        while not self.should_stop:
            await self.sleep(WATCH_S)
            self._tell_ends()
            self._tell_reach()
            self._observer.pressure(self.ledger.unacked(), self._paused)
            fault = self._thread.group_fault()
            if fault is not None and not self.should_stop:
                self._observer.fatal(fault)
                return

    def _tell_reach(self) -> None:
        """Say that Kafka is away when it was so at some looks in a row: a client may be between two connections."""
        away = self._thread.unreachable()
        self._away_looks = 0 if away is None else self._away_looks + 1
        if away is None:
            self._observer.recovered("kafka")
        elif self._away_looks >= AWAY_LOOKS:
            self._observer.trouble("kafka", away)

    def _tell_ends(self) -> None:
        """Say where the logs end, also while nothing is taken in, or the lag would stand still when it matters."""
        assigned = self.assignment()
        for tp in self.ledger.held():
            key = TP(*tp)
            end = self._thread.readable_end(key) if key in assigned else None
            if end is not None:
                self._observer.highwater(tp, end)
