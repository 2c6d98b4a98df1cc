"""From pieces (one minute's deltas) to the deltas of every bucket that is written."""

from collections.abc import Callable, Iterable, Mapping
from operator import add, neg
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from models.attribution import Contribution
from models.lateness import LEVELS, SCOPES, kept_by
from models.units import MINUTE_MS, EpochMs
from models.windows import Bucket, BucketRef, day_of, hour_of

V = TypeVar("V")
Fields = dict[str, int]
Sums = dict[str, tuple[int, ...]]
Deltas = dict[BucketRef, Mapping[str, int]]
Vectors = dict[BucketRef, Mapping[str, tuple[int, ...]]]


class Piece(NamedTuple, Generic[V]):
    """What events of one minute, kept by the same buckets, add.

    Attributes:
        minute: start of the minute.
        kept: mask of `models.lateness`.
        by_scope: per scope of `SCOPES`, `"counter:member"` to an amount, or `"group:member"` to amounts.
    """

    minute: EpochMs
    kept: int
    by_scope: tuple[dict[str, V], ...]


def roll_up(pieces: Iterable[Piece[int]], zone: ZoneInfo) -> Deltas:
    """Add counts up to minutes, hours and days, each scope where it is kept.

    Buckets with the same content share one mapping, so the result must not be
    changed: most slices lie within one minute, and cost one mapping per scope
    instead of three.
    """
    return _rolled(pieces, zone, _added)


def roll_up_vectors(pieces: Iterable[Piece[tuple[int, ...]]], zone: ZoneInfo) -> Vectors:
    """Add vectors up likewise."""
    return _rolled(pieces, zone, _added_vectors)


def _rolled(
    pieces: Iterable[Piece[V]], zone: ZoneInfo, added: Callable[[list[dict[str, V]]], dict[str, V]]
) -> dict[BucketRef, Mapping[str, V]]:
    parts: dict[tuple[int, int, EpochMs], list[dict[str, V]]] = {}
    for piece in pieces:
        starts = (piece.minute, hour_of(piece.minute), day_of(piece.minute, zone))
        for scope, fields in enumerate(piece.by_scope):
            for level, start in enumerate(starts):
                if fields and piece.kept >> (scope * len(LEVELS) + level) & 1:
                    parts.setdefault((scope, level, start), []).append(fields)
    known: dict[tuple[int, ...], dict[str, V]] = {}
    out: dict[BucketRef, Mapping[str, V]] = {}
    for (scope, level, start), group in parts.items():
        ids = tuple(map(id, group))
        if ids not in known:
            known[ids] = group[0] if len(group) == 1 else added(group)
        out[BucketRef(SCOPES[scope], Bucket(LEVELS[level], start))] = known[ids]
    return out


def _added(group: list[Fields]) -> Fields:
    out = group[0].copy()
    known = out.get
    for fields in group[1:]:
        for name, amount in fields.items():
            out[name] = known(name, 0) + amount
    return out


def _added_vectors(group: list[Sums]) -> Sums:
    out = group[0].copy()
    for vectors in group[1:]:
        _add_all(out, vectors.items())
    return out


def _add_all(sums: Sums, vectors: Iterable[tuple[str, tuple[int, ...]]]) -> None:
    known = sums.get
    for name, amounts in vectors:
        before = known(name)
        sums[name] = amounts if before is None else tuple(map(add, before, amounts))


class Cells:
    """Sums up what order lines add, minute by minute."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._minutes: dict[int, dict[tuple[str, str, str | None], tuple[int, ...]]] = {}

    def gain(self, parts: Iterable[Contribution]) -> None:
        """Add what a line adds."""
        minutes = self._minutes
        for at, group, region, campaign, amounts in parts:
            minute = at // MINUTE_MS
            if minute not in minutes:
                minutes[minute] = {}
            cells, cell = minutes[minute], (group, region, campaign)
            cells[cell] = tuple(map(add, cells[cell], amounts)) if cell in cells else amounts

    def lose(self, parts: Iterable[Contribution]) -> None:
        """Take back what a line added."""
        self.gain(part._replace(amounts=tuple(map(neg, part.amounts))) for part in parts)

    def vectors(self, head: EpochMs | None, zone: ZoneInfo) -> Vectors:
        """Give what every bucket gains that is kept when the newest event time is `head`."""
        pieces = []
        for minute, cells in self._minutes.items():
            start = EpochMs(minute * MINUTE_MS)
            kept = kept_by(start, start if head is None else head, zone)
            if kept:
                pieces.append(Piece(start, kept, _by_scope(cells)))
        return roll_up_vectors(pieces, zone)


def _by_scope(cells: Mapping[tuple[str, str, str | None], tuple[int, ...]]) -> tuple[Sums, Sums, Sums]:
    """Sum cells up by region and by campaign; a line that counts for no campaign counts for its region alone."""
    by_region: Sums = {}
    by_campaign: Sums = {}
    by_both: Sums = {}
    for (group, region, campaign), amounts in cells.items():
        if any(amounts):
            _add_all(by_region, ((f"{group}:{region}", amounts),))
            if campaign is not None:
                _add_all(by_campaign, ((f"{group}:{campaign}", amounts),))
                by_both[f"{group}:{region}:{campaign}"] = amounts
    return by_region, by_campaign, by_both
