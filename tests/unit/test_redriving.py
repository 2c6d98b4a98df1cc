"""Dead letters put back: each once, also when a run dies half-way, and not for ever."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from models.errors import ServiceUnavailable
from models.units import EpochMs
from streams.dead_reading import DeadPlace, Letter
from streams.ports import TopicPartition
from streams.redriving import ASIDE_MS, IN_HAND, MARKS_KEPT_MS, Resent, Run, choose, read_marks, redrive, settle
from streams.store.memory_store import MemoryStore

NOW = EpochMs(1_750_000_000_000)
LATER = EpochMs(NOW + ASIDE_MS)
CLICKS = TopicPartition("ads.clicks.v1", 2)


class Log:
    """A partition in memory that takes records, and may fall silent after some."""

    def __init__(self, takes: int = 1_000) -> None:
        self.records: list[Resent] = []
        self.takes = takes

    def target(self, letter: Letter) -> TopicPartition:
        """Give the partition the letter names."""
        assert letter.origin is not None
        return TopicPartition(letter.origin.topic, letter.origin.partition)

    def end(self, tp: TopicPartition) -> int:
        """Give how many there are."""
        return 100 + len(self.records)

    def send(self, records: Sequence[Resent]) -> list[int]:
        """Take as many as it takes, then answer no more."""
        before = len(self.records)
        self.records += records[: self.takes]
        if len(records) > self.takes:
            raise ServiceUnavailable("gone")
        return [100 + number for number in range(before, len(self.records))]

    def find(self, tp: TopicPartition, since: int, keys: Sequence[str]) -> dict[str, int]:
        """Look at what was taken."""
        names = [dict(record.headers)["redriven-from"].decode() for record in self.records]
        return {name: 100 + at for at, name in enumerate(names) if name in keys and 100 + at >= since}


def letter(number: int, origin: int = 7, /, **headers: str) -> Letter:
    """A refused click that lay at an offset of its partition."""
    told = {"reason": "not_json", "topic": CLICKS.topic, "partition": "2", "offset": str(origin), **headers}
    return Letter(DeadPlace("ads.clicks.v1.dead", 0, number), told, b"{", b"u1", 5)


async def run(store: MemoryStore, log: Log, letters: Sequence[Letter], now: EpochMs = NOW, rounds: int = 3) -> Run:
    """Redrive as the command does."""
    await settle(store, log, now)
    chosen = choose(letters, await read_marks(store), most=1_000, rounds=rounds)
    await redrive(store, log, chosen, now)
    return chosen


async def test_a_letter_goes_back_once_with_its_key_bytes_and_history() -> None:
    """The record is as it was, headers tell the rest, and a second run finds nothing to do."""
    store, log = MemoryStore(), Log()

    assert 1 == (await run(store, log, [letter(0)])).sent
    again = await run(store, log, [letter(0)])
    headers = [
        ("redriven", b"1"),
        ("redriven-from", b"ads.clicks.v1.dead/0/0@5"),
        ("redriven-last", b"ads.clicks.v1/2/7"),
        ("redriven-first", b"ads.clicks.v1/2/7"),
    ]
    assert (0, 1, []) == (again.sent, again.before, again.refused)
    assert [Resent(CLICKS, b"u1", b"{", headers)] == log.records


async def test_a_letter_of_a_topic_made_anew_is_another_letter() -> None:
    """Offsets start again, so the place alone would call it sent."""
    store, log = MemoryStore(), Log()
    await run(store, log, [letter(0)])

    assert 1 == (await run(store, log, [replace(letter(0), timestamp=6)])).sent


async def test_rounds_are_counted_by_the_headers_that_a_letter_carries() -> None:
    """It goes back with one round more and its first place, until the rounds are used up, and then if it is forced."""
    past = {"redriven": "2", "redriven-first": "ads.clicks.v1/2/3"}
    store, log = MemoryStore(), Log()
    await run(store, log, [letter(0, 101, **past)])
    last = await run(store, log, [letter(1, 102, **past | {"redriven": "3"})])
    forced = choose([letter(1, 102, **past | {"redriven": "3"})], {}, most=1, rounds=None)

    headers = dict(log.records[0].headers)
    assert (b"3", b"ads.clicks.v1/2/3") == (headers["redriven"], headers["redriven-first"])
    assert b"ads.clicks.v1/2/101" == headers["redriven-last"]
    assert (0, 1) == (last.sent, len(last.refused))
    assert "put back 3 times" in last.refused[0][1]
    assert [3] == [one.rounds for one in forced.chosen]


async def test_a_run_that_died_is_finished_without_sending_twice() -> None:
    """Two of three had arrived when the broker fell silent: after a while only the third is sent."""
    store, log, letters = MemoryStore(), Log(takes=2), [letter(0), letter(1, 8), letter(2, 9)]
    with pytest.raises(ServiceUnavailable):
        await run(store, log, letters)
    log.takes = 1_000

    early = await run(store, log, letters, EpochMs(LATER - 1))
    assert (0, [IN_HAND] * 3) == (early.sent, [why for _, why in early.refused])
    late = await run(store, log, letters, LATER)
    assert (1, 2, 3) == (late.sent, late.before, len(log.records))


async def test_of_two_runs_at_once_one_sends() -> None:
    """Both chose the letter before either had noted it."""
    store, log = MemoryStore(), Log()
    one, two = (choose([letter(0)], {}, most=1, rounds=3) for _ in range(2))
    await redrive(store, log, one, NOW)
    await redrive(store, log, two, NOW)

    assert (1, 0, 1) == (one.sent, two.sent, len(log.records))
    assert [IN_HAND] == [why for _, why in two.refused]


async def test_marks_are_forgotten_long_after_their_letters() -> None:
    """The store does not grow for ever."""
    store, log = MemoryStore(), Log()
    await run(store, log, [letter(0)])
    await settle(store, log, EpochMs(NOW + MARKS_KEPT_MS))
    kept = len(await read_marks(store))
    await settle(store, log, EpochMs(NOW + MARKS_KEPT_MS + 1))

    assert (1, {}) == (kept, await read_marks(store))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"topic": "elsewhere"}, "do not say where"),
        ({"offset": "x"}, "do not say where"),
        ({"truncated": "9"}, "beginning"),
    ],
)
def test_what_cannot_be_put_back_whole_is_refused(wrong: dict[str, str], words: str) -> None:
    """A record without an origin or with only a part of its bytes stays where it is."""
    run = choose([letter(0, 7, **wrong)], {}, most=5, rounds=3)

    assert ([], 1) == (run.chosen, len(run.refused))
    assert words in run.refused[0][1]


def test_no_more_is_read_than_is_sent() -> None:
    """A million letters are not read for the first two."""
    letters = iter([letter(0), letter(1), letter(2)])
    run = choose(letters, {}, most=2, rounds=3)

    assert [0, 1] == [one.place.offset for one in run.chosen]
    assert 2 == next(letters).place.offset
