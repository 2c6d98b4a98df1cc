"""One channel per view: what changed since the last refresh, numbered, so that a client can resume.

```
reader -> state -> diff -> numbered events in a ring -> any number of streams
```

A client that fell behind the ring, or that comes from another process, gets a
fresh snapshot. So a slow client costs no memory and blocks nobody.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from pydantic import BaseModel

from models.windows import Scope
from streams.web.answers import MetaAnswer, RowAnswer, StatusList, TableAnswer
from streams.web.feed_items import FeedItem

RING: Final = 120
"""Events kept for clients that resume."""

ID_DIGITS: Final = 15
"""Digits of an event's number at most; a longer one is none of ours."""

HEARTBEAT_S: Final = 5.0
"""A stream without an event for this long gets a heartbeat."""


class View(NamedTuple):
    """What a client looks at."""

    by: Scope
    window: str


class State(NamedTuple):
    """All that one view shows at one moment."""

    meta: MetaAnswer
    table: TableAnswer
    status: StatusList
    feed: list[FeedItem]


class Event(NamedTuple):
    """One server-sent event; `data` is JSON, an event without an id cannot be resumed from."""

    event: str
    data: str
    id: str | None = None


class Channel:
    """The events of one view."""

    def __init__(self, boot: str, view: View) -> None:
        """Start silent.

        Args:
            boot: names this process, so that ids of another are recognised as foreign.
            view: what the clients of this channel look at.
        """
        self._stem = f"{boot}.{view.by.value.replace(',', '+')}.{view.window}"
        self._ring: deque[tuple[int, Event]] = deque(maxlen=RING)
        self._number = 0
        self._state: State | None = None
        self._trouble: str | None = None
        self._news = asyncio.Event()
        self._closed = False
        self.clients = 0
        self.idle_refreshes = 0

    def publish(self, state: State) -> None:
        """Take the newest state and tell the clients what changed."""
        before, self._state = self._state, state
        recovered, self._trouble = self._trouble is not None, None
        if before is None or recovered:
            self._ring.clear()
            self._number += 1
        else:
            self._add("delta", _delta(before, state))
            if fresh := _news(before.feed, state.feed):
                self._add("decision", {"items": [_json(item) for item in fresh]})
        self._wake()

    def fail(self, why: str) -> None:
        """Tell the clients that figures cannot be read, once per trouble."""
        if self._trouble != why:
            self._trouble = why
            self._ring.clear()
            self._number += 1
            self._wake()

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()

    async def stream(self, last_id: str | None) -> AsyncIterator[Event]:
        """Give events for one client until the channel closes.

        Args:
            last_id: id of the last event the client saw; None for a client that starts.
        """
        seen = self._resume(last_id)
        while not self._closed:
            events, seen = self._since(seen)
            for event in events:
                yield event
            if self._has_news(seen):
                continue  # something came, or the end, while the client was slow to take the last
            try:
                await asyncio.wait_for(self._news.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield Event("heartbeat", "{}")

    def _since(self, seen: int | None) -> tuple[list[Event], int | None]:
        """Give the events after `seen`, or a snapshot where the ring does not reach back."""
        if self._trouble is not None:
            return ([] if seen == self._number else [Event("trouble", json.dumps({"detail": self._trouble}))]), (
                self._number
            )
        if self._state is None:
            return [], seen
        reach = self._ring[0][0] if self._ring else self._number + 1
        if seen is None or seen + 1 < reach or seen > self._number:
            return [Event("snapshot", _snapshot(self._state), f"{self._stem}.{self._number}")], self._number
        return [event for number, event in self._ring if number > seen], self._number

    def _has_news(self, seen: int | None) -> bool:
        return self._closed or (seen is not None and seen < self._number)

    def _resume(self, last_id: str | None) -> int | None:
        stem, _, number = (last_id or "").rpartition(".")
        known = stem == self._stem and number.isascii() and number.isdigit() and len(number) <= ID_DIGITS
        return int(number) if known else None

    def _add(self, event: str, body: dict[str, object]) -> None:
        self._number += 1
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        self._ring.append((self._number, Event(event, data, f"{self._stem}.{self._number}")))

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _json(model: BaseModel) -> object:
    return model.model_dump(mode="json", by_alias=True)


def _snapshot(state: State) -> str:
    body = {
        "meta": _json(state.meta),
        "table": _json(state.table),
        "status": _json(state.status),
        "feed": [_json(item) for item in state.feed],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _delta(before: State, after: State) -> dict[str, object]:
    """Say what changed; shares are left to the client, because one click changes all of them."""
    known = {row.member: _own(row) for row in before.table.rows}
    rows = [row for row in after.table.rows if known.pop(row.member, None) != _own(row)]
    told = {row.region: row for row in before.status.regions}
    return {
        "meta": _json(after.meta),
        "start": after.table.start,
        "end": after.table.end,
        "head": after.table.head,
        "rows": [_json(row) for row in rows],
        "gone": list(known),
        "total": _json(after.table.total),
        "status": [_json(row) for row in after.status.regions if told.get(row.region) != row],
    }


def _own(row: RowAnswer) -> tuple[object, ...]:
    return (row.totals, row.last_minute, row.name_zh, row.name_en)


def _news(before: list[FeedItem], after: list[FeedItem]) -> list[FeedItem]:
    """Give items that are new or have changed, for example because an adjuster answered."""
    known = {item.id: item for item in before}
    return [item for item in after if known.get(item.id) != item]
