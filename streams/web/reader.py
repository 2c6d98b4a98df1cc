"""The one task that reads for all live pages: connects, refreshes what is looked at, survives a store that is away."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

import structlog

from models.decisions import Status
from models.errors import MonitorError, ServiceUnavailable
from models.regions import PROVINCES
from models.units import EpochMs
from streams.ports import ReadStore
from streams.readstatus import Decided, RegionStatus
from streams.settings import Settings
from streams.web.answering import meta_answer, status_answer, table_answer
from streams.web.answers import MetaAnswer, StatusList
from streams.web.channels import Channel, State, View
from streams.web.feed_items import feed_items
from streams.web.snapshots import Base, Snapshots, window_names

OpenStore = Callable[[], AbstractAsyncContextManager[ReadStore]]

RETRY_S: Final = 2.0
"""Pause before connecting to a store again."""

KEPT_REFRESHES: Final = 60
"""A view nobody looks at is kept this many refreshes, unread, so that a short interruption can resume."""

STREAM_ROWS: Final = 300
"""Rows of a streamed table, most spend first; the rest is in `GET /api/v1/table`."""


class Reader:
    """Keeps every open view up to date."""

    def __init__(self, settings: Settings, open_store: OpenStore, now: Callable[[], EpochMs]) -> None:
        """Take what is needed; nothing is connected before `run`."""
        self.settings = settings
        self.snapshots = Snapshots(settings, now)
        self.trouble: str | None = "the store is not connected yet"
        self.streams = 0
        self._open_store = open_store
        self._boot = uuid.uuid4().hex[:8]
        self._channels: dict[View, Channel] = {}
        self.stopping = False
        self._wanted = asyncio.Event()
        self._log = structlog.get_logger("streams.web.reader")

    async def run(self) -> None:
        """Connect and refresh until cancelled."""
        while not self.stopping:
            try:
                async with self._open_store() as store:
                    self.snapshots.attach(store)
                    await self._refresh_forever()
            except MonitorError as error:
                self._fail(error)
                self.snapshots.detach(str(error))
                await asyncio.sleep(RETRY_S)

    def stop(self) -> None:
        """End every stream, so that the server can close; callable once."""
        self.stopping = True
        for channel in self._channels.values():
            channel.close()

    def channel(self, view: View) -> Channel:
        """Give the channel of a view, refreshed from now on as long as a client is counted in it."""
        self._wanted.set()
        channel = self._channels.setdefault(view, Channel(self._boot, view))
        channel.idle_refreshes = 0  # else it could be dropped before the client is counted
        return channel

    async def meta(self) -> MetaAnswer:
        """Give the state of the whole.

        Raises:
            ServiceUnavailable: the store is away.
        """
        return self._meta(await self.snapshots.base())

    async def _refresh_forever(self) -> None:
        while not self.stopping:
            try:
                await self._refresh()
            except ServiceUnavailable as error:
                self._fail(error)
            with suppress(TimeoutError):
                self._wanted.clear()
                await asyncio.wait_for(self._wanted.wait(), self.settings.serve.refresh_s)

    async def _refresh(self) -> None:
        base = await self.snapshots.base()
        if self.trouble is not None:
            self._log.info("store_readable")
            self.trouble = None
        items = feed_items(base.feed, base.names)
        status = status_list(base.meta.category, base.decided)
        for view, channel in list(self._channels.items()):
            if channel.clients:
                table = table_answer(await self.snapshots.table(view.by, view.window), STREAM_ROWS)
                channel.publish(State(self._meta(base), table, status, items))
                channel.idle_refreshes = 0
            elif channel.idle_refreshes >= KEPT_REFRESHES:
                del self._channels[view]
            else:
                channel.idle_refreshes += 1

    def _meta(self, base: Base) -> MetaAnswer:
        return meta_answer(base.meta, base.decided, self.settings.ingest.zone, base.rate, window_names())

    def _fail(self, error: MonitorError) -> None:
        if self.trouble != str(error):
            self._log.warning("store_unreadable", why=str(error))
            self.trouble = str(error)
        for channel in self._channels.values():
            channel.fail(str(error))


def status_list(category: str, decided: Decided) -> StatusList:
    """Give all provinces and whatever other region was decided on, in order of their codes."""
    codes = sorted({*(str(province.adcode) for province in PROVINCES), *decided.statuses})
    rows = [decided.statuses.get(code) or unknown_status(code) for code in codes]
    regions = [status_answer(row) for row in rows]
    return StatusList(category=category, decided_to=decided.position, regions=regions)


def unknown_status(region: str) -> RegionStatus:
    """Give the row of a region nobody has heard of."""
    return RegionStatus(region=region, status=Status.UNKNOWN)
