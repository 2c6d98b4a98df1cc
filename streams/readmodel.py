"""What readers see of the store: the monitoring table over a window, with names, shares and freshness.

```
progress -> head -> span of the window -> cover -> sums per member -> rows, total row
```

One code builds the terminal table, the API, the live page, the gauges and the
CSV files, over any `ReadStore`, so they cannot disagree.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from models.errors import SettingsError
from models.kpis import KPIS, spend_share
from models.regions import by_adcode
from models.totals import Totals
from models.units import UNKNOWN_REGION, EpochMs
from models.windows import WINDOWS, Scope, Span, cover, span_of
from streams.losses import lost_in
from streams.ports import Progress, ReadStore, TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        member: as the store names it: region, campaign id, or `region:campaign id`; `total` for the total row.
        region: adcode or `unknown`; None for a campaign and for the total.
        campaign: campaign id; None for a region and for the total.
        name_zh: name for people in Chinese; foreign text if it is a campaign's.
        name_en: the same in English; a campaign has one name for both.
        totals: the sums of the window.
        campaign_name: the campaign's name, or its id where none is known; None where `campaign` is.
        share: part of the table's spend, 0 to 1; None while nothing was spent.
        last_minute: start of the newest minute with an event; None when silent for longer than a day or not asked for.
    """

    member: str
    region: str | None
    campaign: str | None
    name_zh: str
    name_en: str
    totals: Totals
    share: Decimal | None
    campaign_name: str | None = None
    last_minute: EpochMs | None = None

    def name(self, lang: str) -> str:
        """Give the name in `zh` or `en`."""
        return self.name_zh if lang == "zh" else self.name_en

    def kpis(self) -> dict[str, Decimal | None]:
        """Compute every ratio of `models.kpis.KPIS` by its name; None is undefined."""
        return {kpi.name: kpi.compute(self.totals) for kpi in KPIS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The monitoring table of one window.

    Attributes:
        by: what a row is.
        window: a name of `models.windows.WINDOWS`.
        span: event time it covers, half-open; None before the first event.
        head: newest event time of all partitions; None before the first event.
        rows: members with data, most spend first, equal spend by member.
        total: sum of the rows.
        lost: records that the log dropped before they were counted and that may belong here; above 0 it is incomplete.
    """

    by: Scope
    window: str
    span: Span | None
    head: EpochMs | None
    rows: tuple[Row, ...]
    total: Row
    lost: int = 0


def head_of(progress: Mapping[TopicPartition, Progress]) -> EpochMs | None:
    """Give the newest event time over all partitions; None before the first event."""
    return max((step.head for step in progress.values() if step.head is not None), default=None)


def parse_window(name: str) -> str:
    """Check a window's name.

    Raises:
        SettingsError: there is no such window.
    """
    if name not in WINDOWS:
        raise SettingsError(f"there is no window {name!r}; take one of {', '.join(WINDOWS)}")
    return name


def parse_scope(name: str) -> Scope:
    """Turn `region`, `campaign` or `region,campaign` into a scope.

    Raises:
        SettingsError: it is none of them.
    """
    try:
        return Scope(name)
    except ValueError:
        raise SettingsError(f"rows cannot be by {name!r}; take one of {', '.join(Scope)}") from None


async def table(
    store: ReadStore, zone: ZoneInfo, by: Scope, window: str, head: EpochMs | None = None, region: str | None = None
) -> Table:
    """Read the table of one window.

    Args:
        store: where the totals are.
        zone: zone of days.
        by: what a row is.
        window: a name of `WINDOWS`.
        head: event time the window ends with; None for the newest of the store.
        region: only rows of this region, of which they are shares then; campaigns have no region.

    Raises:
        ServiceUnavailable: the store is away.
    """
    if head is None:
        head = head_of(await store.progress())
    names = await campaign_names(store) if by is not Scope.REGION else {}
    if head is None:
        return build({}, by, window, None, None, names)
    span = span_of(window, head, zone)
    cells = await store.totals(by, cover(span, by, head, zone), region)
    return replace(build(cells, by, window, span, head, names), lost=await lost_in(store, span))


def build(
    cells: Mapping[str, Totals],
    by: Scope,
    window: str,
    span: Span | None,
    head: EpochMs | None,
    names: Mapping[str, str],
) -> Table:
    """Lay out sums that are already read; members whose counters are all zero are left out."""
    filled = {member: cell for member, cell in cells.items() if not cell.is_empty()}
    whole = Totals.sum(filled.values())
    order = sorted(filled, key=lambda member: (-filled[member].spend_micros, member))
    rows = tuple(_row(member, filled[member], whole, by, names) for member in order)
    return Table(by=by, window=window, span=span, head=head, rows=rows, total=total_row(whole))


def total_row(whole: Totals) -> Row:
    """Give the total row over sums."""
    return Row(
        member="total",
        region=None,
        campaign=None,
        name_zh="总计",
        name_en="Total",
        totals=whole,
        share=spend_share(whole, whole),
    )


def _row(member: str, cell: Totals, whole: Totals, by: Scope, names: Mapping[str, str]) -> Row:
    region, campaign = split_member(member, by)
    zh, en = region_names(region) if region is not None else ("", "")
    called = None if campaign is None else names.get(campaign, campaign)
    return Row(
        member=member,
        region=region,
        campaign=campaign,
        name_zh=f"{zh} {called or ''}".strip(),
        name_en=f"{en} {called or ''}".strip(),
        totals=cell,
        share=spend_share(cell, whole),
        campaign_name=called,
    )


def split_member(member: str, by: Scope) -> tuple[str | None, str | None]:
    """Split a member into region and campaign; what the scope does not name is None."""
    if by is Scope.REGION:
        return member, None
    if by is Scope.CAMPAIGN:
        return None, member
    region, _, campaign = member.partition(":")
    return region, campaign


def region_names(region: str) -> tuple[str, str]:
    """Give the Chinese and the English name of a region; a code outside the table is its own name."""
    if region == UNKNOWN_REGION:
        return "未知地区", "Unknown"
    province = by_adcode(region)
    return (province.zh, province.en) if province else (region, region)


async def campaign_names(store: ReadStore) -> dict[str, str]:
    """Give the names of campaigns that announced themselves; a record that cannot be read has none."""
    names = {}
    for key, body in (await store.facts("campaigns")).items():
        try:
            name = json.loads(body).get("name")
        except (ValueError, AttributeError):
            continue
        if isinstance(name, str) and name:
            names[key] = name
    return names


def of_region(found: Table, region: str) -> Table:
    """Give the rows of one region as a table of their own: shares are of that region's spend."""
    rows = [row for row in found.rows if row.region == region]
    whole = Totals.sum(row.totals for row in rows)
    kept = tuple(replace(row, share=spend_share(row.totals, whole)) for row in rows)
    return replace(found, rows=kept, total=total_row(whole))


def csv_order(rows: Iterable[Row]) -> list[Row]:
    """Give rows in the order of files: by member, so that two runs give the same bytes."""
    return sorted(rows, key=lambda row: row.member)
