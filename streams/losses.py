"""Records the log dropped before they were counted: which spans of event time may miss them, and how many.

What they held nobody knows. They came after the newest event counted before and, as far as records come in order,
before the newest of the slice behind the hole; windows that touch this span are incomplete.
"""

import json
from typing import Final

from models.units import EpochMs
from models.windows import Span
from streams.ports import Fact, ReadStore, RecordSlice

KIND: Final = "losses"
"""Kind of the facts that keep them."""


def loss(part: RecordSlice, missing: int, before: EpochMs | None, after: EpochMs | None) -> Fact:
    """Give the fact that keeps a loss.

    Args:
        part: the slice behind the hole.
        missing: records that were dropped.
        before: newest event time of the partition before the hole; None when there was none.
        after: newest event time behind it; None when there is none yet.
    """
    first = part.first - missing
    body = {"first": first, "until": part.first, "after": before, "before": after}
    return Fact(KIND, f"{part.tp.topic}/{part.tp.partition}/{first}", json.dumps(body))


async def lost_in(store: ReadStore, span: Span) -> int:
    """Count the dropped records whose event time may lie in a span.

    Raises:
        ServiceUnavailable: the store is away.
    """
    lost = 0
    for text in (await store.facts(KIND)).values():
        body = json.loads(text)
        begins_before_end = body["after"] is None or body["after"] < span.end
        ends_after_start = body["before"] is None or body["before"] >= span.start
        if begins_before_end and ends_after_start:
            lost += body["until"] - body["first"]
    return lost
