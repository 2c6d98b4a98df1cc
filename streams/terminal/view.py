"""The monitoring table in a terminal: fixed columns, the total first, nothing that wraps or shifts.

Only characters that are one column wide in every locale are used besides
names and words, because many terminals in China draw bullets, arrows and
boxes two columns wide and the table falls apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from models.decisions import Status
from models.units import MINUTE_MS, EpochMs
from models.windows import Scope
from streams.readmodel import Row, Table
from streams.readstatus import RegionStatus
from streams.terminal.cells import guess_cell, plain_cell, roi_cell
from streams.terminal.rois import REPORT, Chosen
from streams.wording import STATUS_SIGNS, STATUS_WORDS, Lang, age, percent, printable, whole

SILENT_MS: Final = 120_000
"""Shortest silence that is worth a mark."""

SILENT_GAPS: Final = 6
"""A row is silent after this many of its own usual pauses between events."""

NAME_WIDTH: Final = {Scope.REGION: 14, Scope.CAMPAIGN: 28, Scope.REGION_CAMPAIGN: 36}

STATUS_STYLES: Final[dict[Status, str]] = {
    Status.ON: "blue",
    Status.PARTIAL: "blue",
    Status.OFF: "dark_orange3",
    Status.UNKNOWN: "dim",
    Status.SUSPECT: "reverse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewData:
    """What one drawing of the table needs.

    Attributes:
        statuses: by region; empty where nothing was decided.
        fresh: newest minute with an event, by member; None when it was not read.
        rois: what the ROI columns show.
    """

    table: Table
    statuses: Mapping[str, RegionStatus] = field(default_factory=dict)
    fresh: Mapping[str, EpochMs] | None = None
    lang: Lang = "en"
    rois: Chosen = REPORT


class Column(NamedTuple):
    """One column: headings, width in terminal columns, side, and what stands in a row."""

    key: str
    en: str
    zh: str
    width: int
    align: Literal["left", "right"]
    cell: Callable[[ViewData, Row], str]


def _status_of(data: ViewData, row: Row) -> RegionStatus | None:
    if row.region is None:
        return None
    return data.statuses.get(row.region) or RegionStatus(region=row.region, status=Status.UNKNOWN)


def _status(data: ViewData, row: Row) -> str:
    status = _status_of(data, row)
    if status is None:
        return ""
    text = f"{STATUS_SIGNS[status.status]} {STATUS_WORDS[data.lang][status.status]}"
    if status.status is Status.PARTIAL and status.share is not None:
        text += f" {percent(status.share, 0)}"
    return text + (" !" if status.suspect or status.alert else "")


def _since(data: ViewData, row: Row) -> str:
    status = _status_of(data, row)
    if status is None or status.since is None or data.table.head is None:
        return ""
    return age(data.table.head - status.since)


def _last(data: ViewData, row: Row) -> str:
    quiet = silence(data, row)
    if quiet is None:
        return ""
    if quiet == 0:
        return "<1m"
    return ("!" if is_silent(data, row, quiet) else "") + age(quiet)


def silence(data: ViewData, row: Row) -> int | None:
    """Give how long a row has had no event at least, in ms of event time; None when not known."""
    if data.fresh is None or data.table.head is None or row.member not in data.fresh:
        return None
    return max(0, data.table.head - (data.fresh[row.member] + MINUTE_MS) + 1)


def is_silent(data: ViewData, row: Row, quiet: int) -> bool:
    """Tell whether a pause is long by the row's own pace over the window."""
    span, head = data.table.span, data.table.head
    if span is None or head is None:
        return False
    events = row.totals.impressions + row.totals.clicks + row.totals.orders_placed
    usual = (min(head, span.end) - span.start) // max(1, events)
    return quiet > max(SILENT_MS, SILENT_GAPS * usual)


_MONEY: Final = 12

COLUMNS: Final[tuple[Column, ...]] = (
    Column("name", "Region", "地区", 14, "left", lambda d, r: printable(r.name(d.lang))),
    Column("status", "Subsidy", "国补", 14, "left", _status),
    Column("since", "Since", "时长", 5, "right", _since),
    Column("spend", "Spend", "消耗", 11, "right", lambda d, r: whole(r.totals.spend_micros)),
    Column("share", "Share", "占比", 7, "right", lambda d, r: percent(r.share)),
    Column("clicks", "Clicks", "点击", 10, "right", lambda d, r: f"{r.totals.clicks:,}"),
    Column("cpc", "CPC", "CPC", 6, "right", lambda d, r: plain_cell(r, "cpc")),
    Column("orders", "Orders", "订单", 8, "right", lambda d, r: f"{r.totals.direct_orders:,}"),
    Column("roi", "ROI", "线索ROI", 8, "right", lambda d, r: roi_cell(d.rois, r.totals, "direct")),
    Column("cpa", "CPA", "CPA", 6, "right", lambda d, r: guess_cell(r.kpis()["cpa"], r.totals.direct_orders, "cpa")),
    Column(
        "gmv",
        "GMV",
        "成交金额",
        _MONEY,
        "right",
        lambda d, r: whole(r.totals.direct_gmv_micros) if r.totals.direct_orders else "-",
    ),
    Column("troi", "Total ROI", "总ROI", 10, "right", lambda d, r: roi_cell(d.rois, r.totals, "total")),
    Column("last", "Last", "最近", 6, "right", _last),
)
"""All columns, left to right."""

LEAVE_ORDER: Final = ("last", "gmv", "cpa", "clicks", "share", "cpc", "since", "troi", "orders")
"""Columns leave in this order when the terminal gets narrow; name, status, spend and direct ROI stay."""

_ROI_COLUMNS: Final = {"direct": "roi", "total": "troi"}

_HEADINGS: Final = {
    Scope.REGION: ("Region", "地区"),
    Scope.CAMPAIGN: ("Campaign", "计划"),
    Scope.REGION_CAMPAIGN: ("Region, campaign", "地区 计划"),
}


def columns_for(data: ViewData, width: int) -> list[Column]:
    """Choose the columns that have data and fit."""
    name = NAME_WIDTH[data.table.by]
    english, chinese = _HEADINGS[data.table.by]
    if data.lang == "zh" and data.table.by is Scope.REGION:
        name = 8
    first = COLUMNS[0]._replace(width=name, en=english, zh=chinese)
    chosen = [first, *COLUMNS[1:]]
    absent = set()
    if data.table.by is Scope.CAMPAIGN:
        absent |= {"status", "since"}
    if data.fresh is None:
        absent |= {"last"}
    absent |= {"roi", "troi"} - {_ROI_COLUMNS[one.scope] for one in data.rois}
    chosen = [column for column in chosen if column.key not in absent]
    for key in LEAVE_ORDER:
        if sum(column.width + 1 for column in chosen) <= width:
            break
        chosen = [column for column in chosen if column.key != key]
    return chosen


def pad(text: str, width: int, align: Literal["left", "right"]) -> str:
    """Fit text into a number of terminal columns; longer text is cut, never in the middle of a wide character."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width)
    return text + " " * (width - cells) if align == "left" else " " * (width - cells) + text


def table_lines(data: ViewData, width: int) -> list[Text]:
    """Draw headings, the total row and all rows, each one line of at most `width` columns."""
    columns = columns_for(data, width)
    heading = Text(" ".join(pad(c.zh if data.lang == "zh" else c.en, c.width, c.align) for c in columns))
    heading.stylize("bold")
    rule = Text("-" * cell_len(heading.plain), style="dim")
    lines = [heading, rule, _line(data, data.table.total, columns, "bold"), rule]
    lines += [_line(data, row, columns, "") for row in data.table.rows]
    return lines


def _line(data: ViewData, row: Row, columns: Sequence[Column], style: str) -> Text:
    line = Text(style=style)
    for at, column in enumerate(columns):
        if at:
            line.append(" ")
        text = pad(column.cell(data, row), column.width, column.align)
        line.append(text, style=_style(data, row, column, text))
    return line


def _style(data: ViewData, row: Row, column: Column, text: str) -> str | None:
    if column.key == "status":
        status = _status_of(data, row)
        return None if status is None else STATUS_STYLES[status.status]
    if text.lstrip().startswith(("~", "-")) and column.key != "name":
        return "dim"
    if text.lstrip().startswith("!"):
        return "reverse"
    return None


def hidden_note(data: ViewData, width: int) -> str:
    """Say which columns a wider terminal would show; empty when all are there."""
    shown = {column.key for column in columns_for(data, width)}
    full = columns_for(data, 10_000)
    missing = [column.zh if data.lang == "zh" else column.en for column in full if column.key not in shown]
    if not missing:
        return ""
    return ("更宽可见: " if data.lang == "zh" else "Wider: ") + ", ".join(missing)
