"""Clicks and orders held against each other: what a slice needs is read, then it is folded.

The version that comes with the first reading covers all of them: a write of the
other topic in between is a conflict when the slice is applied, and it is read
again. Inside one worker a lock keeps the two apart, so conflicts come from
other workers only.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from models.asking import ask_alike
from models.codec import Decoded
from models.fold import Folded, Folder
from models.orders import LineId
from models.units import SECOND_MS, EpochMs
from models.visits import Known, VisitTexts, together
from models.wire import WireClick, WireOrder
from streams.ports import Joined, TopicPartition
from streams.sparing import Asked

STALE_MS: Final = SECOND_MS
"""Campaigns older than this are read again when a click without a SKU is credited."""


class _Campaign(msgspec.Struct):
    skus: list[str] | None = None


class Promoted(Mapping[str, frozenset[str]]):
    """Campaign id to the SKUs it promotes; knows whether anyone asked."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        """Take the campaigns as they are kept: id to JSON."""
        read = msgspec.json.Decoder(_Campaign).decode
        self._skus = {campaign: frozenset(read(body).skus or ()) for campaign, body in facts.items()}
        self.asked = False

    def __getitem__(self, campaign: str) -> frozenset[str]:
        self.asked = True
        return self._skus[campaign]

    def __iter__(self) -> Iterator[str]:
        return iter(self._skus)

    def __len__(self) -> int:
        return len(self._skus)


class Joiner:
    """Reads what slices of clicks and orders need of a store, and folds them."""

    def __init__(self, store: Asked, folder: Folder, now: Callable[[], EpochMs]) -> None:
        """Know nothing yet.

        Args:
            store: where the other side's visits and lines are.
            folder: says what is needed, and what comes of it.
            now: wall clock, for the age of the campaigns that were read.
        """
        self._store = store
        self._folder = folder
        self._now = now
        self._promoted = Promoted({})
        self._read_at: EpochMs | None = None
        self._orders_heads: dict[int, EpochMs | None] = {}

    def campaigns_changed(self) -> None:
        """Read the campaigns again before they are used."""
        self._read_at = None

    async def clicks(
        self, tp: TopicPartition, decoded: Decoded[WireClick], head: EpochMs | None, time: EpochMs, duplicates: int
    ) -> tuple[Folded, int]:
        """Fold a slice of clicks; give with it the version it was computed from.

        Raises:
            ServiceUnavailable: the store is away.
        """
        folder, clicks = self._folder, decoded.events
        orders_head = self._orders_heads.get(tp.partition)
        joined = await self._store.join(tp, (), folder.visits_of(clicks, orders_head))
        while not ask_alike(orders_head, joined.orders_head, folder.zone):  # orders went on to another day
            orders_head = joined.orders_head
            joined = await self._store.join(tp, (), folder.visits_of(clicks, orders_head))
        self._orders_heads[tp.partition] = orders_head
        line_ids = folder.lines_of(clicks, joined.visits)
        lines: dict[LineId, str | None] = {}
        if line_ids:
            lines = dict(zip(line_ids, (await self._store.join(tp, line_ids, {})).lines, strict=True))
        known = _known(joined, lines, joined.visits)
        folded = await self._fold(known, lambda known: folder.fold_clicks(decoded, known, head, time, duplicates))
        return folded, joined.version

    async def orders(
        self, tp: TopicPartition, decoded: Decoded[WireOrder], head: EpochMs | None, time: EpochMs
    ) -> tuple[Folded, int]:
        """Fold a slice of orders; give with it the version it was computed from.

        Raises:
            ServiceUnavailable: the store is away.
        """
        folder, orders = self._folder, decoded.events
        line_ids = folder.line_ids(orders)
        joined = await self._store.join(tp, line_ids, folder.visit_ids(orders))
        lines = dict(zip(line_ids, joined.lines, strict=True))
        visits = joined.visits
        more = folder.more_visit_ids(orders, lines)
        if more:
            visits = together(visits, (await self._store.join(tp, (), more)).visits)
        known = _known(joined, lines, visits)
        folded = await self._fold(known, lambda known: folder.fold_orders(decoded, known, head, time))
        return folded, joined.version

    async def _fold(self, known: Known, fold: Callable[[Known], Folded]) -> Folded:
        """Fold with the campaigns at hand; once more with fresh ones if a credit asked for them and they are old."""
        self._promoted.asked = False
        folded = fold(replace(known, promoted=self._promoted))
        if self._promoted.asked and self._is_stale():
            self._promoted = Promoted(await self._store.facts("campaigns"))
            self._read_at = self._now()
            folded = fold(replace(known, promoted=self._promoted))
        return folded

    def _is_stale(self) -> bool:
        return self._read_at is None or abs(self._now() - self._read_at) > STALE_MS


def _known(joined: Joined, lines: Mapping[LineId, str | None], visits: VisitTexts) -> Known:
    return Known(lines=lines, visits=visits, orders_head=joined.orders_head, clicks_head=joined.clicks_head)
