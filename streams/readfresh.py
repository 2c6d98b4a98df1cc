"""When each member last had an event: to the minute within the hour, to the hour within a day."""

from collections.abc import Mapping
from typing import Final

from models.totals import Totals
from models.units import HOUR_MS, MINUTE_MS, EpochMs
from models.windows import Bucket, Level, Scope, hour_of, minute_of
from streams.ports import ReadStore

FRESH_MINUTES: Final = 60
"""Minutes looked at one by one for the last event of a member; before that, whole hours."""

FRESH_HOURS: Final = 24
"""Hours looked at behind those; a member silent for longer has no freshness."""


async def freshness(
    store: ReadStore, by: Scope, head: EpochMs, known: Mapping[str, EpochMs] | None = None, since: EpochMs | None = None
) -> dict[str, EpochMs]:
    """Find the newest minute of each member that holds an event, walking back from `head`.

    Args:
        store: where the totals are.
        by: what a member is.
        head: newest event time.
        known: what an earlier call found; kept for members without anything newer.
        since: head of that earlier call: minutes before it are not read again.

    Raises:
        ServiceUnavailable: the store is away.
    """
    found: dict[str, EpochMs] = {}
    last = minute_of(head)
    first = EpochMs(last - (FRESH_MINUTES - 1) * MINUTE_MS)
    if since is not None:
        first = max(first, minute_of(since))
    for start in range(last, first - 1, -MINUTE_MS):
        _note(found, await store.totals(by, (Bucket(Level.MINUTE, EpochMs(start)),)), EpochMs(start))
    if since is None:
        hour = hour_of(first)
        for start in range(hour, hour - FRESH_HOURS * HOUR_MS, -HOUR_MS):
            _note(found, await store.totals(by, (Bucket(Level.HOUR, EpochMs(start)),)), EpochMs(start))
    return {**(known or {}), **found}


def _note(found: dict[str, EpochMs], cells: Mapping[str, Totals], start: EpochMs) -> None:
    for member, cell in cells.items():
        if member not in found and not cell.is_empty():
            found[member] = start
