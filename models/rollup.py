"""From pieces (one minute's deltas) to the deltas of every bucket that is written."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from models.lateness import LEVELS, SCOPES
from models.units import EpochMs
from models.windows import Bucket, BucketRef, day_of, hour_of

Fields = dict[str, int]
Deltas = dict[BucketRef, Mapping[str, int]]


class Piece(NamedTuple):
    """What events of one minute, kept by the same buckets, add.

    Attributes:
        minute: start of the minute.
        kept: mask of `models.lateness`.
        by_scope: per scope of `SCOPES`, `"counter:member"` to an amount.
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
