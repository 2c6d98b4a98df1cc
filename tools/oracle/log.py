"""Records of a partition as events, repeats taken out."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

Event = dict[str, Any]


def ads(values: Sequence[bytes], window: int) -> Iterator[Event]:
    """Give impressions or clicks in log order, without those whose id occurred in the last `window` records."""
    last: dict[str, int] = {}
    for place, value in enumerate(values):
        event = json.loads(value)
        before = last.get(event["event_id"])
        last[event["event_id"]] = place
        if before is None or place - before > window:
            yield event


def all_of(values: Sequence[bytes]) -> Iterator[Event]:
    """Give every record in log order."""
    return (json.loads(value) for value in values)
