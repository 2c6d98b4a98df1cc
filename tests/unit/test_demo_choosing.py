"""Which turn of a market the demo shows."""

from models.scenario.waves import waves
from models.scenario.world import START
from models.units import DAY_MS, HOUR_MS, EpochMs
from streams.demo.choosing import best_turn


def test_turn_is_an_unannounced_end_by_day() -> None:
    """It is a turn of a wave that was on, between half past nine and nine in the evening."""
    for seed in range(20):
        turn = best_turn(seed, START, 28, START)
        assert turn is not None
        wave = waves(seed, START, 28)[turn.region]
        clock = (turn.at + 8 * HOUR_MS) % DAY_MS

        assert turn.at in wave.turns
        assert [True, False] == [wave.is_on(EpochMs(turn.at - 1)), wave.is_on(turn.at)]
        assert 9.5 * HOUR_MS <= clock < 21 * HOUR_MS


def test_longer_search_finds_nothing_worse() -> None:
    """The best of four weeks is at least as good as the best of one."""
    week, month = (best_turn(3, START, days, START) for days in (7, 28))

    assert week is not None
    assert month is not None
    assert month.worth >= week.worth


def test_early_turns_can_be_left_out() -> None:
    """A turn before the limit is never chosen."""
    first = best_turn(3, START, 28, START)
    assert first is not None

    later = best_turn(3, START, 28, EpochMs(first.at + 1))

    assert later is not None
    assert later.at > first.at


def test_no_turn_no_choice() -> None:
    """A world too short for a turn has none to show."""
    assert best_turn(1, START, 0, START) is None
