"""The aiokafka consumer that Faust runs in a thread of its own, set up for whole batches."""
# ruff: noqa: SLF001  Faust and aiokafka offer no public way; both are pinned and a contract test guards the names

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaTopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.ports import TopicPartition
from streams.transport.record_batches import read_whole_batches
from streams.transport.wiring import Wired

COMMITTED_S = 5.0
"""Longest wait for what the group committed; the claim is tried again."""
MAX_RUNS = 100
"""Record batches taken from the fetcher at once; what it holds back stays compressed."""


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread with our consumer in it."""

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> AIOKafkaConsumer:
        conf = self.app.conf
        transport = cast(driver.Transport, self.transport)
        # Faust asks this of the consumer when it answers for the topic's partition count.
        self._assignor = RangePartitionAssignor
        return AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=cast(Wired, self.app).wiring.instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            # Range, not round robin: with equal partition counts, partition p of every topic lands on one worker.
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            # The store says where to start. An offset the log does not have must be noticed, never papered over.
            auto_offset_reset="none",
            max_poll_records=MAX_RUNS,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 300.0) * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=cast(Wired, self.app).wiring.fetch_max_wait_ms,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            connections_max_idle_ms=conf.consumer_connections_max_idle_ms,
            isolation_level="read_committed",
            check_crcs=True,
        )

    async def on_start(self) -> None:
        """Connect, then choose whole batches before anything can be fetched."""
        cast(Wired, self.app).loops.append(asyncio.get_running_loop())
        await super().on_start()
        read_whole_batches(self._ensure_consumer())

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit as a hint for lag tools: a refusal is not worth a crash, the store holds the truth."""
        mine = self.assignment()
        wanted = {
            KafkaTopicPartition(tp.topic, tp.partition): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if tp in mine
        }
        if not wanted:
            return False
        try:
            await self._ensure_consumer().commit(wanted)
        except (TimeoutError, KafkaError) as error:
            self.log.info("offset commit refused, tried again later: %r", error)
            return False
        return True

    async def committed_offsets(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Give what the group committed for partitions; those without a commit are absent."""
        found: dict[TopicPartition, int] = await self.call_thread(self._committed_offsets, list(tps))
        return found

    async def _committed_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        # Asked of the group itself: the consumer's own way notes the answer where commits of ours are noted.
        asking = self._ensure_consumer()._coordinator.fetch_committed_offsets([KafkaTopicPartition(*tp) for tp in tps])
        found = await asyncio.wait_for(asking, COMMITTED_S)
        return {TopicPartition(tp.topic, tp.partition): place.offset for tp, place in found.items()}

    async def rejoin(self) -> None:
        """Ask the group for a new assignment; every partition is then claimed anew."""
        await self.call_thread(self._request_rejoin)

    async def _request_rejoin(self) -> None:
        self._ensure_consumer()._coordinator.request_rejoin()

    def readable_end(self, tp: TP) -> int | None:
        """Give the end of what may be read, exclusive: what an open transaction holds back is no backlog yet."""
        end: int | None = self._ensure_consumer().last_stable_offset(KafkaTopicPartition(tp.topic, tp.partition))
        return end if end is not None and end >= 0 else None

    def unreachable(self) -> str | None:
        """Say that no broker is connected; None while one is.

        aiokafka tries again by itself and tells nobody but the log.
        """
        consumer: Any = self._consumer
        if consumer is None or consumer._closed:
            return None
        client = consumer._client
        if any(connection.connected() for connection in list(client._conns.values())):
            return None
        addresses = ",".join(sorted(f"{host}:{port}" for host, port, _ in client.hosts))
        return f"Kafka at {addresses} does not answer"

    def group_fault(self) -> BaseException | None:
        """Give the error that has ended group membership or fetching for good; None while all is well.

        aiokafka parks a fatal group error until someone asks for records in the
        way Faust never does, so without this question a worker stays up and
        reads nothing.
        """
        consumer: Any = self._consumer
        if consumer is None or consumer._closed:
            return None
        coordinator, fetcher = consumer._coordinator, consumer._fetcher
        for task in (coordinator and coordinator._coordination_task, fetcher and fetcher._fetch_task):
            if task is not None and task.done() and not task.cancelled():
                fault: BaseException | None = task.exception()
                if fault is not None:
                    return fault
        if coordinator is None:
            return None
        parked: BaseException | None = coordinator._pending_exception
        return parked
