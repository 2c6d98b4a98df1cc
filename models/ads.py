"""Impressions and clicks to pieces: the loop that runs once per event."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.lateness import KEPT_BY_ALL, Gate
from models.rollup import Fields, Piece
from models.units import MINUTE_MS, EpochMs
from models.windows import minute_of
from models.wire import WireClick, WireImpression

Ad = WireImpression | WireClick
Row = dict[str, list[int]]
"""Member to `[count, spend]`: lists, because they are changed in place per event."""

_SPEND: Final = "spend_micros:"


def ad_pieces(
    kind: Kind, decoded: Decoded[WireImpression] | Decoded[WireClick], gate: Gate
) -> tuple[list[Piece], list[tuple[int, InvalidEvent]]]:
    """Give what impressions or clicks add, and position and verdict of those the gate refused."""
    events: Sequence[Ad] = decoded.events
    ats = [event.at for event in events]
    if gate.admit_all(ats):
        return [_piece(kind, minute, KEPT_BY_ALL, group) for minute, group in _by_minute(events, ats)], []
    groups: dict[tuple[EpochMs, int], list[Ad]] = defaultdict(list)
    refused = []
    for position, event in zip(decoded.positions, events, strict=True):
        at = EpochMs(event.at)
        try:
            kept = gate.judge(at, at)
        except InvalidEvent as verdict:
            refused.append((position, verdict))
        else:
            gate.enter(at)
            groups[minute_of(at), kept].append(event)
    return [_piece(kind, minute, kept, group) for (minute, kept), group in groups.items()], refused


def _by_minute(events: Sequence[Ad], ats: Sequence[int]) -> Iterator[tuple[EpochMs, Sequence[Ad]]]:
    """Split events by minute; most slices lie within one and are not touched."""
    if not ats:
        return
    first = minute_of(EpochMs(min(ats)))
    if max(ats) < first + MINUTE_MS:
        yield first, events
        return
    groups: dict[int, list[Ad]] = defaultdict(list)
    for event in events:
        groups[event.at // MINUTE_MS].append(event)
    for minute, group in groups.items():
        yield EpochMs(minute * MINUTE_MS), group


def _piece(kind: Kind, minute: EpochMs, kept: int, events: Sequence[Ad]) -> Piece:
    """Count one minute's events; names of fields are built per cell, not per event."""
    cells: dict[str, Row] = defaultdict(dict)
    for event in events:
        row = cells[event.region]
        campaign = event.campaign_id
        if campaign in row:
            cell = row[campaign]
            cell[0] += 1
            cell[1] += event.spend_micros
        else:
            row[campaign] = [1, event.spend_micros]
    by_both: Fields = {}
    regions: Row = {}
    campaigns: Row = {}
    for region, row in cells.items():
        regions[region] = _name_row(kind, region, row, campaigns, by_both)
    return Piece(minute, kept, (_named(kind, regions), _named(kind, campaigns), by_both))


def _name_row(kind: Kind, region: str, row: Row, campaigns: Row, by_both: Fields) -> list[int]:
    """Name a region's cells, add them to the campaigns, and give their sum."""
    counts, spends = f"{kind}:{region}:", f"{_SPEND}{region}:"
    total_count = total_spend = 0
    for campaign, (count, spend) in row.items():
        total_count += count
        by_both[counts + campaign] = count
        if spend:
            total_spend += spend
            by_both[spends + campaign] = spend
        if campaign in campaigns:
            cell = campaigns[campaign]
            cell[0] += count
            cell[1] += spend
        else:
            campaigns[campaign] = [count, spend]
    return [total_count, total_spend]


def _named(kind: Kind, cells: Row) -> Fields:
    counts = {f"{kind}:{member}": cell[0] for member, cell in cells.items()}
    return counts | {_SPEND + member: cell[1] for member, cell in cells.items() if cell[1]}
