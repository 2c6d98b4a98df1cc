"""What a demo run is made of: when its story begins, how dense it is, and the settings its processes share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.regions import by_adcode
from models.scenario.world import World
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs

DAYS: Final = 14
"""Length of the scenario; it begins this long ago, so event time never overtakes the wall clock."""

PARTITIONS: Final = 4
LEAD_WALL_S: Final = 15
"""The first switches come about this long after the start."""

_QUOTA_OPENS_MS: Final = 8 * HOUR_MS + 30 * MINUTE_MS
_ZONE_MS: Final = 8 * HOUR_MS
_MOST_LEAD_MIN: Final = 180
_EVENTS_PER_WALL_S: Final = 5_000
_HIGHEST_RATE: Final = 96.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Where a run begins and how it flows.

    Attributes:
        start: first simulated minute.
        end: the scenario ends here, exclusive.
        speed: simulated seconds per second.
        rate: mean events per simulated second.
    """

    seed: int
    start: EpochMs
    end: EpochMs
    speed: float
    rate: float

    def world(self) -> World:
        """Make the market."""
        return World(self.seed, self.start, days=DAYS, rate=self.rate)


def tell(seed: int, speed: float, now: EpochMs) -> Story:
    """Begin a little before half past eight of a morning two weeks ago, when quota hours open in several provinces.

    Args:
        seed: names the world.
        speed: simulated seconds per second.
        now: wall clock, ms.
    """
    lead_min = min(_MOST_LEAD_MIN, max(1, round(LEAD_WALL_S * speed / 60)))
    midnight = now - (now + _ZONE_MS) % DAY_MS - (DAYS + 1) * DAY_MS
    start = EpochMs(midnight + _QUOTA_OPENS_MS - lead_min * MINUTE_MS)
    rate = min(_HIGHEST_RATE, _EVENTS_PER_WALL_S / speed)
    return Story(seed=seed, start=start, end=EpochMs(start + DAYS * DAY_MS), speed=speed, rate=rate)


def settings_toml(bootstrap: str, redis_url: str, port: int) -> str:
    """Give the settings file of the demo's processes: the defaults, but live instead of `dry_run`."""
    return "\n".join(
        (
            "# Written by `subsidywatch demo`; gone when it ends.",
            "[kafka]",
            f'bootstrap = "{bootstrap}"',
            f"partitions = {PARTITIONS}",
            "fetch_max_wait_ms = 50",
            "[redis]",
            f'url = "{redis_url}"',
            "[worker]",
            "metrics_port = 0",
            "decide_interval_s = 0.5",
            "[serve]",
            f"port = {port}",
            "[rules.guards]",
            'mode = "auto"',
            "",
        )
    )


def write_settings(path: Path, bootstrap: str, redis_url: str, port: int) -> Path:
    """Write the settings file and give its path."""
    path.write_text(settings_toml(bootstrap, redis_url, port), encoding="utf-8")
    return path


def label(region: str) -> str:
    """Give a region's names for people, or the code when it has none."""
    province = by_adcode(region)
    return f"{province.zh} {province.en}" if province else region
