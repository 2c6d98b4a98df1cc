"""Disturb a recorded stream on purpose, the same way for the same seed.

Each record is, with probability `shuffle`, held back by 1 to 1,000 places, and
with probability `duplicate` given once more 1 to 1,000 places later. Its time
of arrival moves with it.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from random import Random
from typing import Final

from models.errors import SettingsError
from models.units import EpochMs
from streams.files.recorded import Recorded

FARTHEST: Final = 1_000
"""Most places a record is moved."""


def disturb(records: Iterable[Recorded], *, shuffle: float, duplicate: float, seed: int) -> Iterator[Recorded]:
    """Give the records disturbed; shares of 0 give them unchanged.

    Args:
        records: in order of arrival.
        shuffle: share of records held back, 0 to 1.
        duplicate: share of records given twice, 0 to 1.
        seed: names the disturbance.

    Raises:
        SettingsError: a share is not between 0 and 1.
    """
    for name, share in (("shuffle", shuffle), ("duplicate", duplicate)):
        if not 0 <= share <= 1:
            raise SettingsError(f"--{name} is a share from 0 to 1, such as 0.05, not {share}")
    if shuffle == duplicate == 0:
        return iter(records)
    return _disturbed(records, shuffle, duplicate, Random(seed))


def _disturbed(records: Iterable[Recorded], shuffle: float, duplicate: float, rng: Random) -> Iterator[Recorded]:
    held: list[tuple[int, int, Recorded]] = []
    clock, number = EpochMs(0), 0
    for place, record in enumerate(records):
        clock = max(clock, record.arrival)
        copies = 1 + (rng.random() < duplicate)
        if rng.random() >= shuffle:
            copies -= 1
            yield record._replace(arrival=clock)
        for _ in range(copies):
            number += 1
            heappush(held, (place + rng.randint(1, FARTHEST), number, record))
        while held and held[0][0] <= place:
            yield heappop(held)[2]._replace(arrival=clock)
    while held:
        yield heappop(held)[2]._replace(arrival=clock)
