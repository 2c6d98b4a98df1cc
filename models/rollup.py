"""From pieces (one minute's deltas) to the deltas of every bucket that is written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import add
from typing import NamedTuple
from zoneinfo import ZoneInfo

from models.attribution import contributions
from models.lateness import LEVELS, SCOPES, kept_by
from models.orders import Line
from models.packed import LARGEST, reader
from models.totals import GROUPS
from models.units import MINUTE_MS, EpochMs
from models.windows import Bucket, BucketRef, day_of, hour_of

Fields = dict[str, int]
Deltas = dict[BucketRef, Mapping[str, int]]
Vectors = dict[BucketRef, Mapping[str, tuple[int, ...]]]

_Regions = dict[str, dict[str, dict[str | None, int]]]
"""Group letter to region to campaign to what they gain."""


class Piece(NamedTuple):
    """What events of one minute, kept by the same buckets, add.

    Attributes:
        minute: start of the minute.
        kept: mask of `models.lateness`.
        by_scope: per scope of `SCOPES`, `"counter:member"` to an amount, or `"group:member"` to a packed vector.
    """

    minute: EpochMs
    kept: int
    by_scope: tuple[Fields, ...]


def roll_up(pieces: Iterable[Piece], zone: ZoneInfo) -> Deltas:
    """Add pieces up to minutes, hours and days, each scope where it is kept.

    Buckets with the same content share one mapping, so the result must not be
    changed: most slices lie within one minute, and cost one mapping per scope
    instead of three.
    """
    parts: dict[tuple[int, int, EpochMs], list[Fields]] = {}
    for piece in pieces:
        starts = (piece.minute, hour_of(piece.minute), day_of(piece.minute, zone))
        for scope, fields in enumerate(piece.by_scope):
            for level, start in enumerate(starts):
                if fields and piece.kept >> (scope * len(LEVELS) + level) & 1:
                    parts.setdefault((scope, level, start), []).append(fields)
    known: dict[tuple[int, ...], Fields] = {}
    out: Deltas = {}
    for (scope, level, start), group in parts.items():
        ids = tuple(map(id, group))
        if ids not in known:
            known[ids] = _added(group)
        out[BucketRef(SCOPES[scope], Bucket(LEVELS[level], start))] = known[ids]
    return out


def _added(group: list[Fields]) -> Fields:
    if len(group) == 1:
        return group[0]
    out = group[0].copy()
    known = out.get
    for fields in group[1:]:
        for name, amount in fields.items():
            out[name] = known(name, 0) + amount
    return out


class Cells:
    """Sums up what order lines add, minute by minute."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Start with nothing; days are of the zone."""
        self._zone = zone
        self._minutes = _minutes()
        self._weight = 0
        self._full: list[dict[int, _Regions]] = []

    def gain(self, line: Line) -> None:
        """Add what a line adds."""
        self._make_room(line)
        minutes = self._minutes
        for at, group, region, campaign, amounts in contributions(line, self._zone):
            row = minutes[at // MINUTE_MS][group][region]
            row[campaign] = row[campaign] + amounts if campaign in row else amounts

    def lose(self, line: Line) -> None:
        """Take back what a line added."""
        self._make_room(line)
        minutes = self._minutes
        for at, group, region, campaign, amounts in contributions(line, self._zone):
            row = minutes[at // MINUTE_MS][group][region]
            row[campaign] = row[campaign] - amounts if campaign in row else -amounts

    def vectors(self, head: EpochMs | None) -> Vectors:
        """Give what every bucket gains that is kept when the newest event time is `head`."""
        out: Vectors = {}
        for minutes in (*self._full, self._minutes):
            pieces = []
            for minute, groups in minutes.items():
                start = EpochMs(minute * MINUTE_MS)
                kept = kept_by(start, start if head is None else head, self._zone)
                if kept:
                    pieces.append(Piece(start, kept, _by_scope(groups)))
            rolled = _laid_out(roll_up(pieces, self._zone))
            out = _joined(out, rolled) if out else rolled
        return out

    def _make_room(self, line: Line) -> None:
        """Begin anew before a counter could outgrow its place in a packed vector."""
        weight = line.amount_micros + line.paid_micros + (line.refunded_micros if line.refunds else 0) + 1
        if self._weight + weight > LARGEST:
            self._full.append(self._minutes)
            self._minutes, self._weight = _minutes(), 0
        self._weight += weight


def _minutes() -> dict[int, _Regions]:
    return defaultdict(lambda: {group: defaultdict(dict) for group in GROUPS})


def _by_scope(groups: _Regions) -> tuple[Fields, Fields, Fields]:
    """Sum a minute up by region and by campaign; a line that counts for no campaign counts for its region alone."""
    by_region: Fields = {}
    by_campaign: Fields = {}
    by_both: Fields = {}
    for group, regions in groups.items():
        campaigns: dict[str | None, int] = {}
        for region, row in regions.items():
            by_region[f"{group}:{region}"] = sum(row.values())
            prefix = f"{group}:{region}:"
            for campaign, amounts in row.items():
                if campaign is not None:
                    by_both[prefix + campaign] = amounts
                    campaigns[campaign] = campaigns[campaign] + amounts if campaign in campaigns else amounts
        for campaign, amounts in campaigns.items():
            by_campaign[f"{group}:{campaign}"] = amounts
    return by_region, by_campaign, by_both


def _laid_out(packed: Deltas) -> Vectors:
    """Lay packed vectors out, each mapping once; what cancels out is left out."""
    read = {group: reader(group) for group in GROUPS}
    known = {id(fields): fields for fields in packed.values()}
    laid = {key: {name: read[name[0]](sums) for name, sums in fields.items() if sums} for key, fields in known.items()}
    return {ref: laid[id(fields)] for ref, fields in packed.items()}


def _joined(one: Vectors, other: Vectors) -> Vectors:
    out: Vectors = dict(one)
    for ref, vectors in other.items():
        sums = dict(out.get(ref, {}))
        for name, amounts in vectors.items():
            sums[name] = tuple(map(add, sums[name], amounts)) if name in sums else amounts
        out[ref] = sums
    return out
