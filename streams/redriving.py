"""Puts refused records back on the topic they came from: each once, and not for ever.

```
letter -> sent before? by another run? cut short? too many rounds? -> note "on its way" -> send -> note "lies at"
```

What was sent is noted in the store, under the letter's place. A run that dies
between sending and noting leaves notes of records on their way; the next run
looks on the topic whether they arrived, and sends only those that did not.
Headers of the record carry its rounds, and the worker hands them on to the
next letter when it refuses the record again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from models.units import DAY_MS, EpochMs
from streams.dead_reading import Letter
from streams.ports import Fact, ReadStore, Store, TopicPartition

MARKS: Final = "redriven"
"""Kind of the notes in the store."""

ASIDE_MS: Final = 120_000
"""A note of a record on its way is another run's for this long; then that run has died."""

MARKS_KEPT_MS: Final = 90 * DAY_MS
"""Three times what a dead-letter topic keeps: a letter is gone long before its mark."""

CHUNK: Final = 500
"""Records that are on their way at once."""

IN_HAND: Final = f"another run has it in hand, or died with it; run again in {ASIDE_MS // 60_000} minutes"


class Resent(NamedTuple):
    """A record as it is put back: its own key and value; headers say how often, from which letter, and where first."""

    tp: TopicPartition
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Sender(Protocol):
    """The broker's side. All methods raise `ServiceUnavailable` when it is away."""

    def target(self, letter: Letter) -> TopicPartition:
        """Give where a record belongs: its own partition, else that of its key when the topic is narrower now."""

    def end(self, tp: TopicPartition) -> int:
        """Give an offset of a partition before which nothing lies that this run sends."""

    def send(self, records: Sequence[Resent]) -> list[int]:
        """Send, and give where each lies once all are acknowledged."""

    def find(self, tp: TopicPartition, since: int, keys: Sequence[str]) -> dict[str, int]:
        """Give where records lie that were sent from the letters of these keys, at offset `since` or after it."""


class Mark(Struct, frozen=True, omit_defaults=True):
    """What became of a letter.

    Attributes:
        topic: where it was put.
        partition: likewise.
        since: an offset of that partition before which the record does not lie.
        at: wall clock, in ms.
        offset: where it lies now; None while it is on its way.
    """

    topic: str
    partition: int
    since: int
    at: int
    offset: int | None = None


@dataclass(slots=True)
class Run:
    """What a run did, or would do.

    Attributes:
        chosen: letters to send, in order.
        sent: how many of them were acknowledged.
        before: letters that an earlier run has sent.
        refused: letters that are not sent, and why.
    """

    chosen: list[Letter] = field(default_factory=list)
    sent: int = 0
    before: int = 0
    refused: list[tuple[Letter, str]] = field(default_factory=list)


def mark_key(letter: Letter) -> str:
    """Name a letter among all that ever were: a topic that is made anew counts its offsets from 0 again."""
    return f"{letter.place}@{letter.timestamp}"


async def read_marks(store: ReadStore) -> dict[str, Mark]:
    """Give what became of letters, by `mark_key`.

    Raises:
        ServiceUnavailable: the store is away.
    """
    found = await store.facts(MARKS)
    return {key: msgspec.json.decode(body, type=Mark) for key, body in found.items()}


def choose(letters: Iterable[Letter], marks: Mapping[str, Mark], *, most: int, rounds: int | None) -> Run:
    """Sort letters out: to be sent, sent before, refused.

    Args:
        letters: candidates, in order; read no further than is needed.
        marks: as `read_marks` gives them.
        most: send at most this many.
        rounds: how often a record may be put back; None for any number.
    """
    out = Run()
    for letter in letters:
        mark = marks.get(mark_key(letter))
        if mark is not None and mark.offset is not None:
            out.before += 1
            continue
        why = _why_not(letter, mark, rounds)
        if why is None:
            out.chosen.append(letter)
        else:
            out.refused.append((letter, why))
        if len(out.chosen) >= most:
            break
    return out


def _why_not(letter: Letter, mark: Mark | None, rounds: int | None) -> str | None:
    if mark is not None:
        return IN_HAND
    if letter.origin is None:
        return "its headers do not say where it came from"
    if "truncated" in letter.headers:
        return "only its beginning was kept, because the broker takes no longer record there"
    if rounds is not None and letter.rounds >= rounds:
        return f"it was put back {letter.rounds} times and refused each time; --force does it once more"
    return None


async def settle(store: Store, sender: Sender, now: EpochMs) -> None:
    """Finish what runs that died have left, and forget marks that nothing can ask for any more.

    Raises:
        ServiceUnavailable: store or broker is away.
    """
    marks = await read_marks(store)
    left = {key: mark for key, mark in marks.items() if mark.offset is None and mark.at + ASIDE_MS <= now}
    targets = {TopicPartition(mark.topic, mark.partition) for mark in left.values()}
    for tp in sorted(targets):
        keys = [key for key, mark in left.items() if (mark.topic, mark.partition) == tp]
        found = sender.find(tp, min(left[key].since for key in keys), keys)
        placed = [(key, msgspec.structs.replace(left[key], offset=offset)) for key, offset in found.items()]
        await _note(store, placed, replace=True)
        await store.forget(MARKS, [key for key in keys if key not in found])
    old = [key for key, mark in marks.items() if mark.offset is not None and mark.at + MARKS_KEPT_MS < now]
    await store.forget(MARKS, old)


async def redrive(store: ReadStore, sender: Sender, run: Run, now: EpochMs) -> None:
    """Send what was chosen; count it in `run.sent`, and what another run was faster with in `run.refused`.

    Raises:
        ServiceUnavailable: store or broker is away; the next run knows what was sent.
    """
    for low in range(0, len(run.chosen), CHUNK):
        part = run.chosen[low : low + CHUNK]
        marks = [(mark_key(letter), _mark(letter, sender, now)) for letter in part]
        ours = await _note(store, marks, replace=False)
        run.refused += [(letter, IN_HAND) for letter, is_ours in zip(part, ours, strict=True) if not is_ours]
        mine = [(letter, *mark) for letter, mark, is_ours in zip(part, marks, ours, strict=True) if is_ours]
        offsets = sender.send([_resent(letter, key, mark) for letter, key, mark in mine])
        there = [
            (key, msgspec.structs.replace(mark, offset=at)) for (_, key, mark), at in zip(mine, offsets, strict=True)
        ]
        await _note(store, there, replace=True)
        run.sent += len(there)


def _mark(letter: Letter, sender: Sender, now: EpochMs) -> Mark:
    tp = sender.target(letter)
    return Mark(tp.topic, tp.partition, sender.end(tp), now)


def _resent(letter: Letter, key: str, mark: Mark) -> Resent:
    last = str(letter.origin)
    headers = {
        "redriven": str(letter.rounds + 1),
        "redriven-from": key,
        "redriven-last": last,
        "redriven-first": letter.headers.get("redriven-first", last),
    }
    tp = TopicPartition(mark.topic, mark.partition)
    return Resent(tp, letter.key, letter.value, [(name, text.encode()) for name, text in headers.items()])


async def _note(store: ReadStore, marks: Sequence[tuple[str, Mark]], *, replace: bool) -> list[bool]:
    facts = [Fact(MARKS, key, msgspec.json.encode(mark).decode()) for key, mark in marks]
    return await store.note(facts, replace=replace) if facts else []
