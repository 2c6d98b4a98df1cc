"""Refused records to the dead-letter topic, before progress passes them, up to a bound."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from models.errors import DeadLetterLimit, InvalidEvent
from streams.cutting import offset_of
from streams.ports import DeadLetter, ReadStore, RecordSlice, Sink

DEAD_LETTERS: Final = "dead_letters"
"""Name of the bound where it is set live."""


class Burial:
    """Buries what is refused; counts over all workers and restarts, because the store counts."""

    def __init__(self, store: ReadStore, sink: Sink, limit: int) -> None:
        """Take the ports.

        Args:
            store: knows how many records were refused so far, and the bound that was set live.
            sink: where dead letters go.
            limit: most dead letters where none was set live; 0 for no bound.
        """
        self._store = store
        self._sink = sink
        self._limit = limit
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, rejects: Sequence[tuple[int, InvalidEvent]]) -> AsyncIterator[None]:
        """Let a slice pass from burial to the store; where there is a bound, those with refused records one by one.

        Each then counts those before it. Slices of other workers may still pass
        at the same time.

        Raises:
            ServiceUnavailable: the store is away.
            DeadLetterLimit: the slice would pass the bound; nothing was buried.
        """
        limit, origin = await self._bound() if rejects else (0, "")
        if not limit:
            yield
            return
        async with self._turn:
            await self._hold_to(limit, origin, len(rejects))
            yield

    async def bury(self, part: RecordSlice, rejects: Sequence[tuple[int, InvalidEvent]], since: int) -> None:
        """Bury the refused records of a slice that lie at offset `since` or after it.

        Raises:
            ServiceUnavailable: the broker is away; bury again.
        """
        letters = [_letter(part, index, verdict) for index, verdict in rejects if offset_of(part, index) >= since]
        if letters:
            await self._sink.bury(letters)

    async def _bound(self) -> tuple[int, str]:
        """Give the bound in force, 0 for none, and where it comes from."""
        live = (await self._store.limits()).get(DEAD_LETTERS)
        return (self._limit, "ingest.dead_letter_limit") if live is None else (live.value, f"set live by {live.actor}")

    async def _hold_to(self, limit: int, origin: str, more: int) -> None:
        tallies = await self._store.tallies()
        known = sum(count for name, count in tallies.items() if name.startswith("rejected:"))
        if known + more > limit:
            raise DeadLetterLimit(
                f"dead letters would be {known + more}, more than the limit of {limit} "
                f"({origin}): look at them with "
                "`subsidywatch dlq list`, raise the limit with `subsidywatch dlq limit N`, and start the worker again"
            )


def _letter(part: RecordSlice, index: int, verdict: InvalidEvent) -> DeadLetter:
    key = part.keys[index] if part.keys else None
    topic, partition = part.tp
    offset, value = offset_of(part, index), part.values[index]
    past = part.redriven.get(offset)
    return DeadLetter(topic, partition, offset, part.timestamp, key, value, verdict.reason, verdict.detail, past)
