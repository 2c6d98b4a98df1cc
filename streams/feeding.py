"""From a stream of timed records to Kafka: paced, batched, with progress and an end."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from models.units import EpochMs
from streams.pacing import Pace
from streams.producing import Producing

SHOW_EVERY: Final = 2_000
"""Records between two updates of the progress bar."""

_WORTH_A_FLUSH_S: Final = 0.02


class Timed(NamedTuple):
    """A record to send and when it is due."""

    arrival: EpochMs
    topic: str
    key: bytes
    value: bytes


async def feed(
    records: Iterable[Timed],
    out: Producing,
    *,
    speed: float | None,
    seconds: float | None,
    show: Callable[[EpochMs], None],
) -> Counter[str]:
    """Send the records in their order and give how many went to each topic; all are acknowledged on return.

    Args:
        records: in order of arrival.
        out: where they go.
        speed: multiple of the wall clock; None for as fast as the broker takes them.
        seconds: end after this much wall time; None for all records.
        show: told the time of arrival now and then.

    Raises:
        SettingsError: a topic does not exist.
        ServiceUnavailable: the broker did not take all records.
    """
    pace, sent = Pace(speed, time.monotonic), Counter[str]()
    until = None if seconds is None else time.monotonic() + seconds
    for number, record in enumerate(records):
        left = pace.due_in(record.arrival)
        if left > _WORTH_A_FLUSH_S:
            await out.flush()
            show(record.arrival)
            if until is not None and time.monotonic() + left >= until:
                await asyncio.sleep(max(0.0, until - time.monotonic()))
                break
            await asyncio.sleep(left)
        await out.send(record.topic, record.key, record.value)
        sent[record.topic] += 1
        if number % SHOW_EVERY == 0:
            show(record.arrival)
            await asyncio.sleep(0)
            if until is not None and time.monotonic() >= until:
                break
    await out.flush()
    return sent
