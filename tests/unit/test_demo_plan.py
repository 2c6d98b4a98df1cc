"""When a demo's story begins and how dense it is."""

import tomllib
from pathlib import Path

import pytest

from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from streams.demo.broker_watch import Edges, behind, dropped
from streams.demo.plan import settings_toml, tell
from streams.ports import Progress, TopicPartition
from streams.settings import load

NOW = EpochMs(1_790_000_123_456)


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, 600.0, 3_600.0])
def test_story_ends_before_now_and_starts_on_a_minute(speed: float) -> None:
    """Event time never overtakes the wall clock, whatever the speed."""
    story = tell(1, speed, NOW)

    assert story.end < NOW
    assert 0 == story.start % MINUTE_MS
    assert story.start > NOW - 17 * DAY_MS


def test_first_switches_come_soon() -> None:
    """At the usual speed quota hours open a quarter of an hour into the story, a quarter of a minute for people."""
    story = tell(1, 60.0, NOW)
    switches = story.world().truth(EpochMs(story.start + HOUR_MS)).switches

    assert switches
    assert {15 * MINUTE_MS} == {switch.at - story.start for switch in switches}


def test_fast_story_is_thinned() -> None:
    """About five thousand events a second reach the broker at most, on the average of a day."""
    assert 5_000 >= tell(1, 600.0, NOW).rate * 600
    assert 5_000 >= tell(1, 60.0, NOW).rate * 60


def test_settings_of_the_demo_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the demo writes is one that its processes accept."""
    path = tmp_path / "demo.toml"
    path.write_text(settings_toml("127.0.0.1:1234", "unix:///tmp/v.sock?db=0", 8099))
    settings = load(path)

    assert ("auto", 8099, 0) == (settings.rules.guards.mode, settings.serve.port, settings.worker.metrics_port)
    assert "127.0.0.1:1234" == tomllib.loads(path.read_text())["kafka"]["bootstrap"]


def test_lag_and_loss_are_told_apart() -> None:
    """What is still in the log is behind; what the log has dropped before it was applied is lost."""
    first, second, third = (TopicPartition("ads.clicks.v1", number) for number in range(3))
    edges = {first: Edges(0, 10), second: Edges(7, 20), third: Edges(2, 4)}
    progress = {
        first: Progress(next_offset=10, head=None, seen=EpochMs(0), caught_up=True),
        second: Progress(next_offset=5, head=None, seen=EpochMs(0), caught_up=False),
    }

    assert (15 + 4, 2 + 2) == (behind(edges, progress), dropped(edges, progress))
