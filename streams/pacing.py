"""How fast recorded time passes: as fast as possible, or a multiple of the wall clock."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from models.errors import SettingsError
from models.units import EpochMs

_SPEED: Final = re.compile(r"(\d+(?:\.\d+)?)x?")


def parse_speed(text: str) -> float | None:
    """Turn `max` into None, `1x` or `60x` into the factor.

    Raises:
        SettingsError: it is neither.
    """
    if text == "max":
        return None
    match = _SPEED.fullmatch(text)
    if match is None or float(match[1]) == 0:
        raise SettingsError(f"--speed is max, or a factor such as 1x or 60x, not {text!r}")
    return float(match[1])


class Pace:
    """Holds records back until their time of arrival, sped up.

    The first record sets the origin of both clocks.
    """

    def __init__(self, speed: float | None, monotonic: Callable[[], float]) -> None:
        """Take the factor (None for no waiting) and a clock in seconds that never goes back."""
        self._speed = speed
        self._monotonic = monotonic
        self._origin: tuple[EpochMs, float] | None = None

    def due_in(self, arrival: EpochMs) -> float:
        """Give how many seconds of wall time are left until `arrival`; 0 or less when it is due."""
        if self._speed is None:
            return 0.0
        if self._origin is None:
            self._origin = (arrival, self._monotonic())
        start, wall = self._origin
        return wall + (arrival - start) / 1000 / self._speed - self._monotonic()

    async def wait(self, arrival: EpochMs) -> None:
        """Return when `arrival` is due."""
        left = self.due_in(arrival)
        if left > 0:
            await asyncio.sleep(left)
