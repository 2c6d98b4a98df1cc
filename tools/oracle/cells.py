"""Cells: counters by scope, bucket and member, summed up from minutes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
LEVELS = ("minute", "hour", "day")

Counts = dict[str, int]
"""Counter to its sum; what is zero is left out."""

Cells = dict[tuple[str, str, int], dict[str, Counts]]
"""(scope, level, start of the bucket in ms) to member to counts; a cell in which all is zero is left out."""


class Minutes:
    """Counts per minute, region and campaign, from which everything else is a sum."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: defaultdict[tuple[int, str, str | None], Counts] = defaultdict(dict)

    def add(self, at: int, region: str, campaign: str | None, counts: Mapping[str, int]) -> None:
        """Add counts that belong to an instant, a region, and a campaign if any."""
        cell = self._counts[at // MINUTE_MS * MINUTE_MS, region, campaign]
        for name, value in counts.items():
            cell[name] = cell.get(name, 0) + value

    def cells(self, zone: ZoneInfo) -> Cells:
        """Sum up to every scope and level."""
        out: defaultdict[tuple[str, str, int], defaultdict[str, Counts]] = defaultdict(lambda: defaultdict(dict))
        starts: dict[int, tuple[int, int, int]] = {}
        for (minute, region, campaign), counts in self._counts.items():
            if minute not in starts:
                starts[minute] = (minute, minute // HOUR_MS * HOUR_MS, midnight(minute, zone))
            for scope, member in members(region, campaign):
                for level, start in zip(LEVELS, starts[minute], strict=True):
                    cell = out[scope, level, start][member]
                    for name, value in counts.items():
                        cell[name] = cell.get(name, 0) + value
        return _without_zeros(out)


def members(region: str, campaign: str | None) -> Iterator[tuple[str, str]]:
    """Give the scopes that a region and perhaps a campaign count in, and under which name."""
    yield "region", region
    if campaign is not None:
        yield "campaign", campaign
        yield "region,campaign", f"{region}:{campaign}"


def midnight(at: int, zone: ZoneInfo) -> int:
    """Give the start of the local day of an instant, ms."""
    local = datetime.fromtimestamp(at // 1000, UTC).astimezone(zone)
    return int(local.replace(hour=0, minute=0, second=0, fold=0).timestamp()) * 1000


def _without_zeros(cells: Mapping[tuple[str, str, int], Mapping[str, Counts]]) -> Cells:
    out: Cells = {}
    for bucket, by_member in cells.items():
        for member, counts in by_member.items():
            kept = {name: value for name, value in counts.items() if value}
            if kept:
                out.setdefault(bucket, {})[member] = kept
    return out
