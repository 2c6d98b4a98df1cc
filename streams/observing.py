"""What the worker's parts go through, turned into metrics, health and log lines in one place."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from streams.health import Health
from streams.lifeline import Lifeline
from streams.ports import TopicPartition
from streams.telemetry import Telemetry


class WorkerObserver:
    """Implements `streams.transport.wiring.Observer` and is told by the agents as well."""

    def __init__(self, telemetry: Telemetry, health: Health, lifeline: Lifeline) -> None:
        """Watch a worker that holds nothing yet."""
        self._telemetry = telemetry
        self._health = health
        self._lifeline = lifeline
        self._log = structlog.get_logger("streams.worker")
        self._ends: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._held: set[TopicPartition] = set()

    def assigned(self, held: Mapping[TopicPartition, int]) -> None:
        """Partitions now read; the worker is ready once it has some."""
        self._held.update(held)
        self._telemetry.assigned.set(len(self._held))
        self._telemetry.assignments.inc()
        self.recovered("start")
        for tp, offset in held.items():
            self._position(tp, offset)
        self._log.info("partitions_assigned", offsets={f"{tp.topic}/{tp.partition}": at for tp, at in held.items()})

    def revoked(self, tps: Sequence[TopicPartition]) -> None:
        """Partitions gone; their series go too, because another worker reports them now."""
        self._held.difference_update(tps)
        self._telemetry.assigned.set(len(self._held))
        for tp in tps:
            self._ends.pop(tp, None)
            if self._positions.pop(tp, None) is not None:
                self._drop(tp)
        self._tell_backlog()

    def trouble(self, where: str, sentence: str) -> None:
        """Say it in /readyz while it lasts and in the log when it is new."""
        if self._health.trouble(where, sentence):
            self._log.warning("trouble", where=where, reason=sentence)
        self._telemetry.ready.set(0)

    def recovered(self, where: str) -> None:
        """Say that it is over."""
        if self._health.recovered(where):
            self._log.info("recovered", where=where)
        self._telemetry.ready.set(0 if self._health.not_ready() else 1)

    def lost(self, tp: TopicPartition, first: int, until: int) -> None:
        """Loss is never silent: an error line and a counter."""
        self._telemetry.lost.labels(tp.topic).inc(until - first)
        self._log.error("records_lost", topic=tp.topic, partition=tp.partition, first=first, until=until)

    def highwater(self, tp: TopicPartition, offset: int) -> None:
        """Say how far behind the log's end the store is."""
        self._ends[tp] = offset
        self._show_lag(tp)
        self._tell_backlog()

    def committed(self, offsets: Mapping[TopicPartition, int], accepted: bool) -> None:
        """Count commits."""
        self._telemetry.commits.labels("accepted" if accepted else "refused").inc()

    def fatal(self, error: BaseException) -> None:
        """End the process with 70."""
        self._lifeline.fail(error)

    def slice_begun(self, agent: str) -> float:
        """A slice is in hand; give its start for `slice_ended`."""
        self._health.begin(agent)
        return time.perf_counter()

    def slice_ended(self, agent: str, began: float, outcome: str, tp: TopicPartition, records: int) -> None:
        """A slice is settled or void: one of `telemetry.OUTCOMES`; `records` of it were new."""
        self._health.end(agent)
        if outcome in ("applied", "looked_back"):
            self._health.moved()
        self._telemetry.slices.labels(outcome).inc()
        if outcome == "applied":
            self._telemetry.records.labels(tp.topic).inc(records)
            self._telemetry.slice_seconds.labels(tp.topic).observe(time.perf_counter() - began)

    def visible(self, tp: TopicPartition, seconds: float) -> None:
        """A slice's totals can be read, so long after its oldest records were appended."""
        self._telemetry.visible_seconds.labels(tp.topic).observe(seconds)
        self._log.debug("slice_visible", topic=tp.topic, partition=tp.partition, seconds=seconds)

    def pressure(self, unacked: int, paused: bool) -> None:
        """Show what is in hand, and whether it keeps more from being taken in."""
        self._telemetry.unacked.set(unacked)
        self._telemetry.paused.set(int(paused))

    def applied(self, tp: TopicPartition, next_offset: int) -> None:
        """The store stands at `next_offset`."""
        self._position(tp, next_offset)

    def fenced(self, tp: TopicPartition) -> None:
        """Another worker owns the partition."""
        self._telemetry.fenced.inc()
        self._log.warning("fenced", topic=tp.topic, partition=tp.partition)

    def retried(self, service: str) -> None:
        """A call is repeated because a service is away."""
        self._telemetry.retries.labels(service).inc()

    def decided(self, began: float, decisions: int) -> None:
        """The decide line ran."""
        self._telemetry.decide_seconds.observe(time.perf_counter() - began)
        self._telemetry.decisions.inc(decisions)

    def decide_put_off(self) -> None:
        """The decide line could not run now."""
        self._telemetry.decide_failures.inc()

    def _position(self, tp: TopicPartition, offset: int) -> None:
        labels = (tp.topic, str(tp.partition))
        self._telemetry.position.labels(*labels).set(offset)
        self._positions[tp] = offset
        self._show_lag(tp)
        self._tell_backlog()

    def _tell_backlog(self) -> None:
        ends, positions = self._ends, self._positions
        self._health.backlog(sum(max(0, ends.get(tp, 0) - at) for tp, at in positions.items()))

    def _show_lag(self, tp: TopicPartition) -> None:
        end, at = self._ends.get(tp), self._positions.get(tp)
        if end is not None and at is not None:
            # A slice may be applied before the next look at the log's end.
            self._telemetry.lag.labels(tp.topic, str(tp.partition)).set(max(0, end - at))

    def _drop(self, tp: TopicPartition) -> None:
        for metric in (self._telemetry.position, self._telemetry.lag):
            with suppress(KeyError):
                metric.remove(tp.topic, str(tp.partition))
