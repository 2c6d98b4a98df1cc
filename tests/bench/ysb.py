"""The Yahoo Streaming Benchmark's events, seeded, and the true answer of both jobs, counted while they are made.

```
J1  views per campaign and 10 s of event time        {campaign: {start of the 10 s, ms: views}}
J2  views per campaign in the hour that ends with each minute the events touch
                                                     {campaign: {end of the hour, ms: views}}
```

100 campaigns of 10 ads, 100 users and pages, all values strings, about 245
bytes. Times jitter by up to 50 ms and one event in 100,000 is late by up to
60 s, as the original generator does it.
"""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

START: Final = 1_750_000_020_000
"""Time of the first event, ms; a whole minute."""
CAMPAIGNS: Final = 100
ADS_EACH: Final = 10
WINDOW_MS: Final = 10_000
MINUTE_MS: Final = 60_000
HOUR_MINUTES: Final = 60
SPAN_MS: Final = {"J1": 200_000, "J2": 7_200_000}
"""Event time that a full topic spans."""
JITTER_MS: Final = 50
LATE_ONE_IN: Final = 100_000
LATE_MS: Final = 60_000
SEED: Final = 20_260_101

Answer = dict[str, dict[int, int]]
"""Campaign to time to views."""


def ads() -> dict[str, str]:
    """Give the campaign of each ad."""
    chance = random.Random(SEED)
    campaigns = [_uuid(chance) for _ in range(CAMPAIGNS)]
    return {_uuid(chance): campaign for campaign in campaigns for _ in range(ADS_EACH)}


def events(job: str, count: int, answer: Counter[tuple[str, int]]) -> Iterator[tuple[str, bytes]]:
    """Give (ad id, JSON) for `count` events, and count the views per ad and window or minute into `answer`."""
    chance = random.Random(SEED + 1)
    known = list(ads())
    heads = [f'{{"user_id":"{_uuid(chance)}","page_id":"{_uuid(chance)}","ad_id":"' for _ in range(1_000)]
    kinds = [(a, k) for a in ("banner", "modal", "sponsored-search", "mail", "mobile") for k in _KINDS]
    middles = [(f'","ad_type":"{a}","event_type":"{k}","event_time":"', k == "view") for a, k in kinds]
    width = WINDOW_MS if job == "J1" else MINUTE_MS
    draw, span = chance.random, SPAN_MS[job]
    for number in range(count):
        at = START + number * span // count + int(draw() * (2 * JITTER_MS + 1)) - JITTER_MS
        if draw() * LATE_ONE_IN < 1:
            at -= int(draw() * LATE_MS)
        ad = known[int(draw() * 1_000)]
        middle, view = middles[int(draw() * 15)]
        if view:
            answer[ad, at - at % width] += 1
        yield ad, f'{heads[int(draw() * 1_000)]}{ad}{middle}{at}","ip_address":"1.2.3.4"}}'.encode()


_KINDS: Final = ("view", "click", "purchase")


def answer_of(job: str, views: Counter[tuple[str, int]]) -> Answer:
    """Give the job's answer from views per ad and window (J1) or minute (J2)."""
    campaign_of = ads()
    cells: Answer = {}
    for (ad, start), count in views.items():
        row = cells.setdefault(campaign_of[ad], {})
        row[start] = row.get(start, 0) + count
    return cells if job == "J1" else {campaign: rolling(row, _minutes(cells)) for campaign, row in cells.items()}


def rolling(row: dict[int, int], minutes: range) -> dict[int, int]:
    """Give for the end of each minute the sum of the 60 minutes before it."""
    total, sums = 0, {}
    for minute in minutes:
        total += row.get(minute, 0) - row.get(minute - HOUR_MINUTES * MINUTE_MS, 0)
        sums[minute + MINUTE_MS] = total
    return sums


def _minutes(cells: Answer) -> range:
    starts = [start for row in cells.values() for start in row]
    return range(min(starts), max(starts) + MINUTE_MS, MINUTE_MS)


def complaint(expected: Answer, actual: Answer) -> str:
    """Say in words how an engine's answer differs; nothing when every cell is right.

    Cells of zero may be left out, and windows beyond the last event (of engines that let windows close) are not
    looked at.
    """
    last = max(start for row in expected.values() for start in row)
    missing = wrong = extra = off = 0
    for campaign in expected.keys() | actual.keys():
        want, got = expected.get(campaign, {}), actual.get(campaign, {})
        for start in want.keys() | {start for start in got if start <= last}:
            if want.get(start, 0) != got.get(start, 0):
                off += got.get(start, 0) - want.get(start, 0)
                missing += start not in got
                extra += start not in want
                wrong += start in got and start in want
    if missing or wrong or extra:
        return f"WRONG COUNT: {wrong} cells differ, {missing} missing, {extra} not true, {off:+} in all: disqualified"
    return ""


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


Fill = Callable[[str, int, bytes], None]
