"""Refused records to the dead-letter topic, before progress passes them, up to a bound."""

from collections.abc import Sequence
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

    async def bury(self, part: RecordSlice, rejects: Sequence[tuple[int, InvalidEvent]], since: int) -> None:
        """Bury the refused records of a slice that lie at offset `since` or after it.

        Raises:
            ServiceUnavailable: the store or the broker is away; bury again.
            DeadLetterLimit: the slice would pass the bound; nothing was buried.
        """
        if not rejects:
            return
        await self._hold_to_limit(len(rejects))
        letters = [_letter(part, index, verdict) for index, verdict in rejects if offset_of(part, index) >= since]
        if letters:
            await self._sink.bury(letters)

    async def _hold_to_limit(self, more: int) -> None:
        live = (await self._store.limits()).get(DEAD_LETTERS)
        limit = self._limit if live is None else live.value
        if not limit:
            return
        tallies = await self._store.tallies()
        known = sum(count for name, count in tallies.items() if name.startswith("rejected:"))
        if known + more > limit:
            raise DeadLetterLimit(
                f"dead letters would be {known + more}, more than the limit of {limit} "
                f"({'ingest.dead_letter_limit' if live is None else f'set live by {live.actor}'}): look at them with "
                "`subsidywatch dlq list`, raise the limit with `subsidywatch dlq limit N`, and start the worker again"
            )


def _letter(part: RecordSlice, index: int, verdict: InvalidEvent) -> DeadLetter:
    key = part.keys[index] if part.keys else None
    topic, partition = part.tp
    offset, value = offset_of(part, index), part.values[index]
    past = part.redriven.get(offset)
    return DeadLetter(topic, partition, offset, part.timestamp, key, value, verdict.reason, verdict.detail, past)
