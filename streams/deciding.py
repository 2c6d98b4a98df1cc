"""The decide line: closed seconds of evidence in, published transitions and shifts out.

```
progress -> watermark        min over partitions that are not idle, less the allowed lateness
facts    -> campaigns, results, announcements
evidence -> advance -> transitions -> standings -> respond -> shifts, vetoes
state + outbox + log         one compare-and-swap; a second runner loses and does nothing
outbox   -> topics           ids are hashes of causes, so sending twice is harmless
```

Time is the watermark: a replay decides the same, whatever the wall clock says.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from models.decisions import (
    SHIFTS_TOPIC,
    STATUS_TOPIC,
    TRANSITIONS_TOPIC,
    BudgetShift,
    HeldShift,
    ShiftResult,
    Transition,
)
from models.events import Announcement, Campaign
from models.totals import Totals
from models.units import MINUTE_MS, SECOND_MS, EpochMs, Region
from models.windows import Scope, cover, minute_of, span_of
from rules.decide import DecideState, absorb, advance, owes, pending, respond, spent
from rules.waking import wakes_at
from streams.ports import EvidenceBucket, LogEntry, OutboxEntry, Progress, Sink, Store, TopicPartition
from streams.settings import Settings

Model = TypeVar("Model", bound=BaseModel)

NEVER: Final = EpochMs(0)

SEND_LIMIT: Final = 500
"""Outbox entries sent in one go, so that one tick stays short."""

SECONDS_PER_RUN: Final = 20_000
"""Seconds of evidence consumed between two writes of the state; a long replay catches up in steps."""


def watermark(
    progress: Mapping[TopicPartition, Progress],
    now: EpochMs,
    idle_ms: int,
    lateness_ms: int,
    woken: EpochMs = NEVER,
) -> EpochMs | None:
    """Give the whole second before which evidence is closed, exclusive; None before the first event.

    A partition that was read to its end and has been silent for `idle_ms` of
    wall time no longer holds the others back. When all are idle, and for as
    long as events may be late, a quiet night ends with the last order decided.
    Silence before `woken` does not count: nobody listened.
    """
    known = [(step.head, step.caught_up, now - max(step.seen, woken)) for step in progress.values()]
    heads = [(head, caught_up and silence > idle_ms, silence) for head, caught_up, silence in known if head is not None]
    if not heads:
        return None
    awake = [head for head, idle, _ in heads if not idle]
    newest = max(head for head, _, _ in heads)
    if not awake and min(silence for _, _, silence in heads) > lateness_ms:
        return EpochMs(newest - newest % SECOND_MS + SECOND_MS)
    mark = min(awake, default=newest) - lateness_ms
    return EpochMs(mark - mark % SECOND_MS)


class FactCache(Generic[Model]):
    """Parses kept records once: most facts of a second are those of the second before."""

    def __init__(self, model: type[Model]) -> None:
        """Remember which contract the bodies follow."""
        self._model = model
        self._parsed: dict[str, tuple[str, Model]] = {}

    def parse(self, bodies: Mapping[str, str]) -> dict[str, Model]:
        """Give key to model, and forget keys that are gone."""
        kept: dict[str, tuple[str, Model]] = {}
        for key, body in bodies.items():
            known = self._parsed.get(key)
            kept[key] = known if known and known[0] == body else (body, self._model.model_validate_json(body))
        self._parsed = kept
        return {key: model for key, (_, model) in kept.items()}


class Decider:
    """Runs the pure rules over the store's closed evidence; holds caches, never state."""

    def __init__(self, store: Store, sink: Sink, settings: Settings) -> None:
        """Take the two ports; nothing is read before the first run."""
        self._store = store
        self._sink = sink
        self._settings = settings
        self._campaigns = FactCache(Campaign)
        self._announcements = FactCache(Announcement)
        self._results = FactCache(ShiftResult)
        self._woken = NEVER

    def wake(self, now: EpochMs) -> None:
        """Judge from now on anew which partitions are idle: one that nobody could read may hold the oldest events."""
        self._woken = now

    async def run(self, now: EpochMs, *, unread: bool = False) -> int:
        """Decide what the watermark has closed, publish it, and give the number of decisions made.

        Args:
            now: wall clock.
            unread: nothing of some partition was read yet; for the idle time after `wake` nothing is decided then.

        Raises:
            ServiceUnavailable: the store or the broker is away; run again, nothing is lost.
        """
        idle_ms = int(self._settings.ingest.idle_s * 1000)
        made = 0 if unread and now - self._woken <= idle_ms else await self._decide(now, idle_ms)
        await self._send()
        return made

    async def _decide(self, now: EpochMs, idle_ms: int) -> int:
        store, rules = self._store, self._settings.rules
        lateness_ms = int(self._settings.ingest.lateness_s * 1000)
        mark = watermark(await store.progress(), now, idle_ms, lateness_ms, self._woken)
        if mark is None:
            return 0
        version, before = await store.load_state()
        state = DecideState.from_json(before) if before else DecideState()
        campaigns = self._campaigns.parse(await store.facts("campaigns"))
        heard = self._announcements.parse(await store.facts("announcements"))
        answers = self._results.parse(await store.facts("results"))
        state = absorb(rules, state, campaigns, tuple(answers.values()), now)
        announcements = pending(rules, state, heard.values())
        out = _Decided()
        stopped = await store.switch()
        seconds = await store.evidence(state.position, mark, SECONDS_PER_RUN)
        until = mark if len(seconds) < SECONDS_PER_RUN else EpochMs(seconds[-1].start + SECOND_MS)
        timeline = _Timeline(seconds, until)
        due = wakes_at(rules, state, announcements)
        late = True  # the first second also hears what should have been heard before
        while (second := timeline.next(state.position, due)) is not None:
            state, transitions = advance(rules, state, second, announcements)
            answering = bool(transitions) or owes(state)
            if answering:
                standings = await self._standings(state.position)
                state, shifts, held = respond(rules, state, transitions, standings, now, stopped)
                out.add(transitions, shifts, held)
            if answering or late or (due is not None and due < state.position):
                due, late = wakes_at(rules, state, announcements), False
        after = state.to_json()
        if after == before and not answers:
            return 0
        outbox, log = out.outbox(), [*out.log(), *_answered(answers)]
        if not await store.swap_state(version, after, outbox, log):
            return 0  # another worker decided this; its state is read next time
        await self._clear_up(state, heard, answers)
        return len(out.transitions) + len(out.shifts)

    async def _clear_up(
        self, state: DecideState, heard: Mapping[str, Announcement], answers: Mapping[str, ShiftResult]
    ) -> None:
        """Drop what is in the state or in the log now, or can never be asked for again."""
        await self._store.forget("results", list(answers))
        await self._store.forget("announcements", spent(self._settings.rules, state, heard))
        await self._store.sweep(state.position)

    async def _standings(self, at: EpochMs) -> Mapping[Region, Totals]:
        """Sum the window that ends with the last whole minute before `at`: closed, so a replay reads the same."""
        zone = self._settings.zone
        head = EpochMs(minute_of(at) - 1)
        span = span_of(self._settings.rules.allocator.window, head, zone)
        if span.end - span.start < MINUTE_MS:
            return {}
        totals = await self._store.totals(Scope.REGION, cover(span, Scope.REGION, head, zone))
        return {Region(member): cell for member, cell in totals.items()}

    async def _send(self) -> None:
        """Publish what the outbox holds; with the kill switch set, shifts stay where they are."""
        entries = await self._store.outbox(SEND_LIMIT)
        if entries and await self._store.switch():
            entries = [entry for entry in entries if entry.topic != SHIFTS_TOPIC]
        if entries:
            await self._sink.publish(entries)
            await self._store.mark_sent([entry.entry_id for entry in entries])


class _Timeline:
    """The seconds to feed, in order: those with orders, those that are due by time, and the last one before the end."""

    def __init__(self, seconds: Sequence[EvidenceBucket], until: EpochMs) -> None:
        """Take the seconds with orders, all before `until`, which is a whole second."""
        self._seconds = deque(seconds)
        self._until = until

    def next(self, position: EpochMs, due: EpochMs | None) -> EvidenceBucket | None:
        """Give the next second; None when everything before the end is fed."""
        ahead = self._seconds[0].start if self._seconds else EpochMs(self._until - SECOND_MS)
        if due is not None and position <= due < ahead:
            return EvidenceBucket(due, {})
        if self._seconds:
            return self._seconds.popleft()
        return EvidenceBucket(ahead, {}) if position <= ahead else None


class _Decided:
    """What one run decided, in the order it was decided."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []
        self.shifts: list[BudgetShift] = []
        self.held: list[HeldShift] = []

    def add(self, transitions: Iterable[Transition], shifts: Iterable[BudgetShift], held: Iterable[HeldShift]) -> None:
        """Take what one second decided."""
        self.transitions.extend(transitions)
        self.shifts.extend(shifts)
        self.held.extend(held)

    def outbox(self) -> list[OutboxEntry]:
        """Give the records to publish: each transition, the status it leaves, each shift."""
        entries = []
        for change in self.transitions:
            body, key = _body(change), f"{change.category}:{change.region}"
            entries.append(OutboxEntry(change.transition_id, TRANSITIONS_TOPIC, key, body))
            entries.append(OutboxEntry(f"{change.transition_id}.status", STATUS_TOPIC, key, body))
        entries.extend(OutboxEntry(shift.shift_id, SHIFTS_TOPIC, shift.plan_id, _body(shift)) for shift in self.shifts)
        return entries

    def log(self) -> list[LogEntry]:
        """Give the lines of the logs that people read."""
        return [
            *(LogEntry("transitions", change.transition_id, _body(change)) for change in self.transitions),
            *(LogEntry("shifts", shift.shift_id, _body(shift)) for shift in self.shifts),
            *(LogEntry("held", veto.held_id, _body(veto)) for veto in self.held),
        ]


def _answered(answers: Mapping[str, ShiftResult]) -> Sequence[LogEntry]:
    """Log every answer once; the store drops entries whose id it knows."""
    return [LogEntry("results", f"{key}.{answer.result}", _body(answer)) for key, answer in answers.items()]


def _body(model: BaseModel) -> str:
    return model.model_dump_json(by_alias=True)
