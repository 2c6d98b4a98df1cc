"""What `dlq redrive` and `dlq limit` do and print."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kafka import KafkaConsumer

from models.errors import SettingsError
from streams.bootstrap import open_store, wall_clock
from streams.burying import DEAD_LETTERS
from streams.dead_reading import DeadPlace, Letter, open_reader, parse_place, read_from, read_span, span_of
from streams.ports import Limit
from streams.redriving import Run, choose, read_marks, redrive, settle
from streams.resending import open_resender
from streams.settings import Settings
from streams.topics import INPUTS
from streams.wording import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which letters are meant.

    Attributes:
        places: these alone, as `dlq list` prints them; empty for all.
        topics: input topics.
        reason: only what was refused for it; None for any.
        start: first offset on the dead-letter topic, inclusive.
        stop: last offset, exclusive; None for all that is there.
        most: at most this many.
        rounds: how often a record may be put back; None for any number.
    """

    places: tuple[DeadPlace, ...]
    topics: tuple[str, ...]
    reason: str | None
    start: int
    stop: int | None
    most: int
    rounds: int | None


def input_topics(topic: str | None) -> tuple[str, ...]:
    """Give the input topics that are meant.

    Raises:
        SettingsError: there is no such topic.
    """
    names = tuple(spec.name for spec in INPUTS if topic in (None, spec.name))
    if not names:
        raise SettingsError(f"{topic!r} is no input topic; take one of {', '.join(spec.name for spec in INPUTS)}")
    return names


def parse_places(places: Sequence[str]) -> tuple[DeadPlace, ...]:
    """Read places, each once.

    Raises:
        SettingsError: one is none.
    """
    return tuple(dict.fromkeys(map(parse_place, places)))


def run_redrive(settings: Settings, filters: Filters, *, dry: bool) -> Run:
    """Choose, and unless it is a dry run send.

    Raises:
        ServiceUnavailable: Kafka or Redis is away; run again, nothing is sent twice.
    """
    return asyncio.run(_redrive(settings, filters, dry=dry))


async def _redrive(settings: Settings, filters: Filters, *, dry: bool) -> Run:
    async with open_store(settings) as store:
        now = wall_clock()
        if dry:
            with open_reader(settings.kafka) as consumer:
                letters = _candidates(consumer, filters)
                return choose(letters, await read_marks(store), most=filters.most, rounds=filters.rounds)
        with open_resender(settings.kafka) as sender:
            await settle(store, sender, now)
            letters = _candidates(sender.consumer, filters)
            run = choose(letters, await read_marks(store), most=filters.most, rounds=filters.rounds)
            await redrive(store, sender, run, now)
            return run


def _candidates(consumer: KafkaConsumer, filters: Filters) -> Iterator[Letter]:
    found: Iterator[Letter]
    if filters.places:
        found = (letter for place in filters.places for letter in read_span(consumer, *span_of(consumer, place)))
    else:
        found = read_from(consumer, filters.topics, filters.start, filters.stop)
    return (letter for letter in found if filters.reason in (None, letter.headers.get("reason")))


def told(run: Run, *, dry: bool) -> dict[str, object]:
    """Give a run as JSON."""
    return {
        "dry_run": dry,
        "chosen": [
            {"place": str(letter.place), "original": str(letter.origin), "rounds": letter.rounds}
            for letter in run.chosen
        ],
        "sent": run.sent,
        "sent_before": run.before,
        "refused": [{"place": str(letter.place), "why": why} for letter, why in run.refused],
    }


def words(run: Run, *, dry: bool) -> list[str]:
    """Give a run in words."""
    lines = [printable(f"not sent: {letter.place}: {why}") for letter, why in run.refused]
    if dry:
        counts: dict[str, int] = {}
        for letter in run.chosen:
            what = f"{letter.origin.topic if letter.origin else '?'}  {letter.headers.get('reason', '?')}"
            counts[what] = counts.get(what, 0) + 1
        lines += [printable(f"{count:>8}  {what}") for what, count in counts.items()]
    did = "would be sent, nothing was: --yes sends them" if dry else "sent"
    count = len(run.chosen) if dry else run.sent
    before = f"; {run.before} were sent before" if run.before else ""
    return [*lines, f"{count} refused records {did}{before}"]


def run_limit(settings: Settings, value: int | None, actor: str | None) -> tuple[Limit | None, int]:
    """Set the live limit if `actor` is given, None giving it back to the settings; give it and the count so far.

    Raises:
        ServiceUnavailable: Redis is away.
    """

    async def run() -> tuple[Limit | None, int]:
        async with open_store(settings) as store:
            if actor is not None:
                await store.set_limit(DEAD_LETTERS, value, actor)
            tallies = await store.tallies()
            count = sum(amount for name, amount in tallies.items() if name.startswith("rejected:"))
            return (await store.limits()).get(DEAD_LETTERS), count

    return asyncio.run(run())
