"""A store that went back is said, partition by partition, until each is where it was."""

from streams.ports import TopicPartition
from streams.transport.rebuilding import Rebuilds
from streams.transport.starts import Start

FIRST, SECOND = TopicPartition("ads.clicks.v1", 0), TopicPartition("ads.clicks.v1", 1)


class Ear:
    """Keeps the troubles that last; everything else an observer hears is nothing to it."""

    def __init__(self) -> None:
        self.troubles: dict[str, str] = {}

    def trouble(self, where: str, sentence: str) -> None:
        """Note it."""
        self.troubles[where] = sentence

    def recovered(self, where: str) -> None:
        """Forget it."""
        self.troubles.pop(where, None)

    def __getattr__(self, name: str) -> object:
        return lambda *args: None


def rebuilds() -> tuple[Ear, Rebuilds]:
    """Give an ear and what tells it."""
    ear = Ear()
    return ear, Rebuilds(ear)  # type: ignore[arg-type]  # hears the rest by __getattr__


def test_a_step_back_lasts_until_the_old_place_is_reached() -> None:
    """Named with where reading begins and what was reached before; another partition is not mixed up with it."""
    ear, rebuilds_ = rebuilds()
    rebuilds_.begin({FIRST: Start(10, 0, 0), SECOND: Start(70, 0, 0)}, {FIRST: 100, SECOND: 70})
    said = dict(ear.troubles)
    rebuilds_.reached(FIRST, 99)
    rebuilds_.reached(SECOND, 200)
    still = list(ear.troubles)
    rebuilds_.reached(FIRST, 100)

    assert ["rebuild ads.clicks.v1/0"] == list(said) == still
    assert "read again from 10, 100 was reached" in said["rebuild ads.clicks.v1/0"]
    assert {} == ear.troubles


def test_a_partition_that_goes_to_another_worker_is_no_longer_ours_to_tell() -> None:
    """Nor is one that never was committed worth a word."""
    ear, rebuilds_ = rebuilds()
    rebuilds_.begin({FIRST: Start(10, 0, 0), SECOND: Start(0, 0, 0)}, {FIRST: 100})
    rebuilds_.drop([FIRST, SECOND])

    assert {} == ear.troubles
