"""The job itself as a good programmer writes it by hand: decode a batch, join, count views, write once a second."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import marks
import msgspec
import redis

WINDOW_DIGITS = 4
"""A time in ms without its last four digits is the number of its 10 s."""
MINUTE_MS = 60_000
FLUSH_S = 1.0
DECODED_AT_ONCE = 256
"""Records joined to one JSON array: few calls, and small enough to stay in the processor's cache."""


class View(msgspec.Struct, gc=False):
    """The fields that the job reads; the decoder skips the others."""

    ad_id: str
    event_type: str
    event_time: str


_decode = msgspec.json.Decoder(list[View]).decode


def count(values: Sequence[bytes], campaign_of: Mapping[str, str]) -> Mapping[tuple[str, str], int]:
    """Give the views per campaign and ten seconds (as text) of a batch; both jobs are sums of these."""
    joined = campaign_of.__getitem__
    return Counter(
        [
            (joined(view.ad_id), view.event_time[:-WINDOW_DIGITS])
            for first in range(0, len(values), DECODED_AT_ONCE)
            for view in _decode(b"[" + b",".join(values[first : first + DECODED_AT_ONCE]) + b"]")
            if view.event_type == "view"
        ]
    )


def connect() -> Any:
    """Give a client of the benchmark's Redis."""
    return redis.Redis.from_url(marks.REDIS, decode_responses=True)


def campaigns(client: Any) -> dict[str, str]:
    """Read the campaign of each ad, all at once: the cache that the benchmark's own join keeps."""
    ads = sorted(client.smembers("ads"))
    return dict(zip(ads, client.mget(ads), strict=True))


def start_of(window: str) -> int:
    """Give the start of J1's window or of J2's minute, ms."""
    start = int(window) * 10_000
    return start if marks.JOB == "J1" else start - start % MINUTE_MS


class Results:
    """Sums in memory, brought to Redis as absolute values once a second: a replay overwrites, it does not add."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._campaign_of = campaigns(client)
        self._cells: dict[str, dict[int, int]] = {campaign: {} for campaign in self._campaign_of.values()}
        self._dirty: set[tuple[str, int]] = set()
        self._due = time.monotonic() + FLUSH_S

    def add(self, values: Sequence[bytes]) -> None:
        """Count a batch of records, and flush when it is time."""
        for (campaign, window), views in count(values, self._campaign_of).items():
            self.add_one(campaign, start_of(window), views)
        self.flush_if_due()

    def add_one(self, campaign: str, start: int, views: int) -> None:
        """Add views to one cell."""
        row = self._cells[campaign]
        row[start] = row.get(start, 0) + views
        self._dirty.add((campaign, start))

    def campaign_of(self, ad: str) -> str:
        """Join an ad to its campaign."""
        return self._campaign_of[ad]

    def flush_if_due(self) -> None:
        """Write if the last time is a second ago."""
        if time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write every cell changed since the last time."""
        changed: dict[str, dict[int, int]]
        if marks.JOB == "J1":
            changed = {}
            for campaign, start in self._dirty:
                changed.setdefault(campaign, {})[start] = self._cells[campaign][start]
        else:
            changed = self._hours()
        pipe = self._client.pipeline(transaction=False)
        for campaign, row in changed.items():
            pipe.hset(f"result:{campaign}", mapping=row)
        pipe.execute()
        self._dirty.clear()
        self._due = time.monotonic() + FLUSH_S

    def _hours(self) -> dict[str, dict[int, int]]:
        """Work the rolling hours out anew from the first minute that changed to the newest one."""
        if not self._dirty:
            return {}
        low = min(start for _, start in self._dirty)
        high = max(max(row, default=0) for row in self._cells.values())
        hour = 60 * MINUTE_MS
        changed: dict[str, dict[int, int]] = {}
        for campaign, cells in self._cells.items():
            total = sum(cells.get(minute, 0) for minute in range(low - hour, low, MINUTE_MS))
            row = changed[campaign] = {}
            for minute in range(low, high + MINUTE_MS, MINUTE_MS):
                total += cells.get(minute, 0) - cells.get(minute - hour, 0)
                row[minute + MINUTE_MS] = total
        return changed
