"""What a demo run is made of: when its story begins, how dense it is, and the settings its processes share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.regions import by_adcode
from models.scenario.market import hour_share
from models.scenario.waves import HOURS_FROM_MS, ZONE_MS
from models.scenario.world import START, World
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from streams.demo.choosing import best_turn

DAYS: Final = 14
"""Length of the story; it begins this long ago or a day more, so event time never overtakes the wall clock."""

PARTITIONS: Final = 4
LEAD_WALL_S: Final = 15
"""The turn that the story is about comes this long after its begin."""

EVENTS_PER_WALL_S: Final = 20_000
HIGHEST_RATE: Final = 320.0
"""Events per second of wall time at the hour of the begin, and per simulated second: enough orders to see a turn in."""

SEARCHED_DAYS: Final = 28

_OPENING_MS: Final = HOURS_FROM_MS - (START + ZONE_MS) % DAY_MS
_MOST_LEAD_MIN: Final = 180
_FIRST_LEAD_MS: Final = 4 * HOUR_MS
"""Turns before this are not chosen: a story needs hours before its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Where a run begins and how it flows.

    Attributes:
        scenario_start: the waves of the market are drawn from here on.
        begin: first simulated minute.
        end: the story ends here, exclusive.
        speed: simulated seconds per second.
        rate: mean events per simulated second.
    """

    seed: int
    scenario_start: EpochMs
    begin: EpochMs
    end: EpochMs
    speed: float
    rate: float

    def world(self) -> World:
        """Make the market."""
        return World(self.seed, self.scenario_start, days=SEARCHED_DAYS + DAYS + 1, rate=self.rate, begin=self.begin)


def tell(seed: int, speed: float, now: EpochMs, searched_days: int = SEARCHED_DAYS) -> Story:
    """Begin a little before the subsidy of a big province runs dry by day, or else before quota hours open.

    The same seed and speed begin at the same hour of the same day of the scenario, whenever they are told.

    Args:
        seed: names the world.
        speed: simulated seconds per second.
        now: wall clock, ms.
        searched_days: how much of the scenario is searched for such a turn.
    """
    lead_min = min(_MOST_LEAD_MIN, max(1, round(LEAD_WALL_S * speed / 60)))
    turn = best_turn(seed, START, searched_days, EpochMs(START + _FIRST_LEAD_MS))
    at = EpochMs(START + DAY_MS + _OPENING_MS) if turn is None else turn.at
    after_start = at // MINUTE_MS * MINUTE_MS - lead_min * MINUTE_MS - START
    latest = now - DAYS * DAY_MS - after_start
    scenario_start = EpochMs(latest - (latest - START) % DAY_MS)
    begin = EpochMs(scenario_start + after_start)
    hour = (begin + ZONE_MS) // HOUR_MS % 24
    rate = min(HIGHEST_RATE, EVENTS_PER_WALL_S / speed / (24 * hour_share(hour)))
    return Story(
        seed=seed,
        scenario_start=scenario_start,
        begin=begin,
        end=EpochMs(begin + DAYS * DAY_MS),
        speed=speed,
        rate=rate,
    )


def settings_toml(bootstrap: str, redis_url: str, port: int) -> str:
    """Give the settings file of the demo's processes: the defaults, but live and with an hour a minute in mind."""
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
            "cooldown_s = 300",
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
