"""How many records a second are read, over the last seconds of the wall clock."""

from collections import deque
from typing import Final

from models.units import EpochMs

SPAN_MS: Final = 10_000


class RecordRate:
    """Keeps a few (time, count) points; a count that went down, as in a new store, starts anew."""

    def __init__(self) -> None:
        """Start without points."""
        self._points: deque[tuple[EpochMs, int]] = deque()

    def take(self, now: EpochMs, records: int) -> float | None:
        """Note a count and give records per second since the oldest point of the span; None for the first."""
        if self._points and records < self._points[-1][1]:
            self._points.clear()
        self._points.append((now, records))
        while len(self._points) > 2 and now - self._points[0][0] > SPAN_MS:
            self._points.popleft()
        since, before = self._points[0]
        return None if now <= since else round((records - before) * 1000 / (now - since), 1)
