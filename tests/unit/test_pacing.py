"""Speed of a replay: a multiple of the wall clock, or none."""

import pytest

from models.errors import SettingsError
from models.units import EpochMs
from streams.pacing import Pace, parse_speed
from streams.producing import partition_of


@pytest.mark.parametrize(("text", "expected"), [("max", None), ("1x", 1.0), ("60x", 60.0), ("2.5", 2.5)])
def test_speed_is_max_or_a_factor(text: str, expected: float | None) -> None:
    """`60x` is sixty times as fast as it happened."""
    assert expected == parse_speed(text)


@pytest.mark.parametrize("text", ["", "fast", "0x", "-1x", "1e9x"])
def test_other_speeds_are_refused(text: str) -> None:
    """Anything else is one sentence."""
    with pytest.raises(SettingsError, match="--speed is max, or a factor"):
        parse_speed(text)


def test_pace_follows_the_first_record() -> None:
    """A record is due when as much sped-up wall time has passed as arrival time since the first."""
    clock = iter([100.0, 100.0, 100.5, 102.0])
    pace = Pace(60.0, lambda: next(clock))

    assert 0.0 == pace.due_in(EpochMs(1_000_000))
    assert 0.5 == pytest.approx(pace.due_in(EpochMs(1_060_000)))
    assert pace.due_in(EpochMs(1_060_000)) < 0


def test_no_speed_no_waiting() -> None:
    """At full speed everything is due."""
    assert 0.0 == Pace(None, lambda: 0.0).due_in(EpochMs(10**13))


@pytest.mark.parametrize(("key", "expected"), [(b"u0000001", 1), (b"440000", 1), ("手机".encode(), 2)])
def test_partition_is_the_default_of_every_client(key: bytes, expected: int) -> None:
    """The partition of a key never changes between releases: these are Kafka's own, of four."""
    assert expected == partition_of(key, 4)
