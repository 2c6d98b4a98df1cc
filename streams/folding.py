"""A slice to what it changes: decode, leave out repeats, hold clicks and orders against each other, fold."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from models import codec
from models.attribution import Attribution
from models.codec import Decoded
from models.events import KINDS, Kind
from models.fold import Folded, Folder
from models.orders import Eligibility
from models.recent import Recent
from models.units import DAY_MS, SECOND_MS, DurationMs, EpochMs
from models.wire import WireClick, WireImpression
from streams.cutting import from_offset, until_offset
from streams.joining import Joiner
from streams.keeping import KEPT, keep
from streams.ports import Fact, RecordSlice, Store
from streams.repeats import note
from streams.settings import Settings
from streams.sparing import Asking, one_by_one

A = TypeVar("A", WireImpression, WireClick)


class Change(NamedTuple):
    """What a slice comes to: what it changes, the facts it holds, and the version of the join it was computed from."""

    folded: Folded
    facts: Sequence[Fact] = ()
    join: int | None = None


class Folding:
    """Folds the slices of every topic under one worker's settings."""

    def __init__(self, store: Store, settings: Settings, now: Callable[[], EpochMs]) -> None:
        """Take what clicks and orders are held against.

        Args:
            store: asked for lines, visits and campaigns.
            settings: bounds of what is accepted.
            now: wall clock, for the age of what was read.
        """
        self._folder = _folder(settings)
        self._joiner = Joiner(Asking(store), self._folder, now)
        self._max_bytes = settings.ingest.max_event_bytes

    def look_back(self, part: RecordSlice, window: Recent | None, fence: int | None) -> None:
        """Note the ids of records before the fence: what comes later may repeat them."""
        if window is None or fence is None or part.first >= fence:
            return
        known = from_offset(until_offset(part, fence), window.end)
        if known is None:
            return
        try:
            self._note(window, known)
        except Exception:  # noqa: BLE001  a record that crashes the decoder was refused, and has no id
            for one in one_by_one(from_offset(known, window.end) or known):
                try:
                    self._note(window, one)
                except Exception:  # noqa: BLE001  this is the record
                    note(window, one, Decoded([], [], []))

    def _note(self, window: Recent, part: RecordSlice) -> None:
        if KINDS[part.tp.topic] is Kind.CLICKS:
            note(window, part, codec.decode(Kind.CLICKS, part.values, self._max_bytes))
        else:
            note(window, part, codec.decode(Kind.IMPRESSIONS, part.values, self._max_bytes))

    async def fold(self, part: RecordSlice, head: EpochMs | None, window: Recent | None) -> Change:
        """Decode a slice and say what it changes.

        Args:
            part: the slice, at the fence.
            head: newest event time applied from its partition.
            window: ids of the partition's last records; None for a topic without a window.

        Raises:
            ServiceUnavailable: the store is away.
        """
        kind, time = KINDS[part.tp.topic], EpochMs(part.timestamp)
        if kind in KEPT:
            if kind is Kind.CAMPAIGNS:
                self._joiner.campaigns_changed()
            return Change(*keep(kind, part.values, head, self._max_bytes))
        if kind is Kind.ORDERS:
            orders = codec.decode(Kind.ORDERS, part.values, self._max_bytes)
            folded, join = await self._joiner.orders(part.tp, orders, head, time)
            return Change(folded, join=join)
        if kind is Kind.CLICKS:
            clicks, copies = _without_repeats(part, codec.decode(Kind.CLICKS, part.values, self._max_bytes), window)
            folded, join = await self._joiner.clicks(part.tp, clicks, head, time, copies)
            return Change(folded, join=join)
        shown, copies = _without_repeats(part, codec.decode(Kind.IMPRESSIONS, part.values, self._max_bytes), window)
        return Change(self._folder.fold_ads(Kind.IMPRESSIONS, shown, head, time, copies))


def _without_repeats(part: RecordSlice, decoded: Decoded[A], window: Recent | None) -> tuple[Decoded[A], int]:
    return (decoded, 0) if window is None else note(window, part, decoded)


def _folder(settings: Settings) -> Folder:
    ingest, eligible, credit = settings.ingest, settings.rules.eligibility, settings.attribution
    return Folder(
        settings.zone,
        DurationMs(ingest.max_future_s * SECOND_MS),
        Eligibility(eligible.category, eligible.price_cap_micros),
        Attribution(
            window_ms=DurationMs(credit.window_days * DAY_MS),
            lateness_ms=DurationMs(credit.lateness_s * SECOND_MS),
            halo=credit.halo,
            brand=credit.brand,
            cap_micros=credit.cap_micros,
        ),
    )
