"""Impressions and clicks to pieces: the loop that runs once per event."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.lateness import KEPT_BY_ALL, Gate
from models.rollup import Fields, Piece
from models.units import MINUTE_MS, EpochMs
from models.windows import minute_of
from models.wire import WireClick, WireImpression

Ad = WireImpression | WireClick


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
    cells: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for event in events:
        row = cells[event.region]
        campaign = event.campaign_id
        cell = row.get(campaign)
        if cell is None:
            row[campaign] = [1, event.spend_micros]
        else:
            cell[0] += 1
            cell[1] += event.spend_micros
    by_region: Fields = {}
    by_campaign: Fields = {}
    by_both: Fields = {}
    for region, row in cells.items():
        _add_row(f"{kind}:", 0, region, row, (by_region, by_campaign, by_both))
        _add_row("spend_micros:", 1, region, row, (by_region, by_campaign, by_both))
    return Piece(minute, kept, (by_region, by_campaign, by_both))


def _add_row(
    counter: str, index: int, region: str, row: dict[str, list[int]], by_scope: tuple[Fields, Fields, Fields]
) -> None:
    by_region, by_campaign, by_both = by_scope
    prefix = f"{counter}{region}:"
    known = by_campaign.get
    total = 0
    for campaign, cell in row.items():
        if amount := cell[index]:
            total += amount
            name = counter + campaign
            by_campaign[name] = known(name, 0) + amount
            by_both[prefix + campaign] = amount
    if total:
        by_region[counter + region] = total
