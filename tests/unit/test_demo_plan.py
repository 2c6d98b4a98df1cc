"""When a demo's story begins and how dense it is."""

import tomllib
from pathlib import Path

import pytest

from models.scenario.waves import on_schedule
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from streams.demo.broker_watch import Edges, behind, dropped
from streams.demo.plan import settings_toml, tell
from streams.ports import Progress, TopicPartition
from streams.settings import load

NOW = EpochMs(1_790_000_123_456)


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0, 600.0, 3_600.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_story_ends_before_now_and_starts_on_a_minute(seed: int, speed: float) -> None:
    """Event time never overtakes the wall clock, whatever the speed."""
    story = tell(seed, speed, NOW)

    assert NOW - DAY_MS < story.end <= NOW
    assert 0 == story.begin % MINUTE_MS
    assert NOW - 15 * DAY_MS < story.begin == story.end - 14 * DAY_MS
    assert story.scenario_start <= story.begin


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6, 7])
def test_first_turn_comes_soon_and_unannounced(seed: int) -> None:
    """At the usual speed a province runs dry a quarter of an hour into the story, by day, before the feed says so."""
    story = tell(seed, 60.0, NOW)
    world = story.world()
    truth = world.truth(EpochMs(story.begin + 17 * MINUTE_MS))
    turn = next(switch for switch in truth.switches if switch.at >= story.begin + 15 * MINUTE_MS)
    said = [record for record in world.opening() if record.body["region"] == turn.region]

    assert not turn.is_on
    assert truth.initially_on[turn.region]
    assert not on_schedule(turn.at)
    assert 9 <= (turn.at + 8 * HOUR_MS) % DAY_MS // HOUR_MS < 21
    assert "off" not in [record.body.get("state") for record in said]


def test_without_such_a_turn_quota_hours_open() -> None:
    """A market that shows no such turn begins a quarter of an hour before half past eight."""
    story = tell(1, 60.0, NOW, searched_days=0)
    switches = story.world().truth(EpochMs(story.begin + 16 * MINUTE_MS)).switches

    assert {(story.begin + 15 * MINUTE_MS, True)} == {(switch.at, switch.is_on) for switch in switches}
    assert all(on_schedule(switch.at) for switch in switches)
    assert story.end <= NOW


def test_same_seed_same_hour_whenever_it_is_told() -> None:
    """A day later the same story is told, a day later."""
    one, two = tell(1, 60.0, NOW), tell(1, 60.0, EpochMs(NOW + DAY_MS))

    assert (one.begin + DAY_MS, one.rate) == (two.begin, two.rate)


def test_story_is_thinned_to_what_a_laptop_can_take() -> None:
    """Twenty thousand events a second at the hour of the begin, and at a slow pace no market of giants."""
    fast, usual, slow = (tell(1, speed, NOW) for speed in (600.0, 60.0, 1.0))

    assert 10_000 < usual.rate * 60 < 25_000
    assert 10_000 < fast.rate * 600 < 25_000
    assert 320 == slow.rate


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
