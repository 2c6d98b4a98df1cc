"""When the subsidy of a region is on: waves of days, and quota hours inside them.

```
wave     ____########____#############____      on 4 days, off 2 days in the mean
hours    |--#--|--#--|--#--|--#--|--#--|--#     08:30 to 22:00 local
quota    ______#_#_________#__#__#________      what a buyer meets where both apply
```
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from models.regions import PROVINCES
from models.scenario.draws import substream
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs, Region

ZONE_MS: Final = 8 * HOUR_MS
"""China has one zone without summer time, so local time is plain arithmetic."""

HOURS_FROM_MS: Final = 8 * HOUR_MS + 30 * MINUTE_MS
HOURS_TO_MS: Final = 22 * HOUR_MS
DAILY_HOURS: Final = "08:30-22:00"

_MEAN_ON_MS: Final = 4 * DAY_MS
_MEAN_OFF_MS: Final = 2 * DAY_MS
_SHORTEST_MS: Final = 2 * HOUR_MS
_ON_AT_START: Final = 0.6
_QUOTA_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A true change of what a buyer in the region meets, at the instant `at` (inclusive)."""

    region: Region
    was_on: bool
    is_on: bool
    at: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """The truth about one region.

    Attributes:
        quota_hours: on only from 08:30 to 22:00 while the wave is on.
        starts_on: whether the wave is on before its first turn.
        turns: times at which the wave turns, ascending.
    """

    region: Region
    quota_hours: bool
    starts_on: bool
    turns: tuple[EpochMs, ...]

    def is_open(self, at: EpochMs) -> bool:
        """Tell whether the wave is on at `at`, whatever the hour."""
        return self.starts_on ^ (bisect_right(self.turns, at) % 2 == 1)

    def is_on(self, at: EpochMs) -> bool:
        """Tell whether a buyer at `at` meets the subsidy."""
        return self.is_open(at) and (not self.quota_hours or in_hours(at))

    def switches(self, start: EpochMs, end: EpochMs) -> list[Switch]:
        """Give the changes in `(start, end)`, in order of time."""
        times = {turn for turn in self.turns if start < turn < end}
        if self.quota_hours:
            times.update(at for at in _hour_edges(start, end) if start < at < end)
        out = []
        for at in sorted(times):
            before, after = self.is_on(EpochMs(at - 1)), self.is_on(at)
            if before != after:
                out.append(Switch(region=self.region, was_on=before, is_on=after, at=at))
        return out


def in_hours(at: EpochMs) -> bool:
    """Tell whether quota is handed out at this time of the day: 08:30 inclusive to 22:00 exclusive."""
    return HOURS_FROM_MS <= (at + ZONE_MS) % DAY_MS < HOURS_TO_MS


def on_schedule(at: EpochMs) -> bool:
    """Tell whether quota hours open or close at this very instant."""
    return (at + ZONE_MS) % DAY_MS in (HOURS_FROM_MS, HOURS_TO_MS)


def _hour_edges(start: EpochMs, end: EpochMs) -> list[EpochMs]:
    midnight = start - (start + ZONE_MS) % DAY_MS
    days = range(midnight, end, DAY_MS)
    return [EpochMs(day + edge) for day in days for edge in (HOURS_FROM_MS, HOURS_TO_MS)]


def waves(seed: int, start: EpochMs, days: int) -> dict[Region, Wave]:
    """Draw the wave of every region from `start` on for `days` days.

    A longer run of the same seed begins with the same turns.
    """
    return {province.adcode: _wave(seed, province.adcode, start, days) for province in PROVINCES}


def _wave(seed: int, region: Region, start: EpochMs, days: int) -> Wave:
    rng = substream(seed, "wave", region)
    quota_hours = rng.random() < _QUOTA_SHARE
    starts_on = rng.random() < _ON_AT_START
    turns: list[EpochMs] = []
    at, state = float(start), starts_on
    while True:
        mean = _MEAN_ON_MS if state else _MEAN_OFF_MS
        at += _SHORTEST_MS + rng.expovariate(1 / (mean - _SHORTEST_MS))
        if at >= start + days * DAY_MS:
            return Wave(region=region, quota_hours=quota_hours, starts_on=starts_on, turns=tuple(turns))
        turns.append(EpochMs(int(at) // 1000 * 1000))
        state = not state
