"""The whole screen of `table`: freshness and mode, key figures, what needs a look, the table, the last decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from rich.text import Text

from models.decisions import BudgetShift, HeldShift, Transition
from models.regions import PROVINCES
from models.roi import CreditScope
from models.units import EpochMs
from rules.wording import counts_of
from streams.readlog import Feed
from streams.readmeta import Meta
from streams.readmodel import region_names
from streams.readstatus import RegionStatus, status_counts
from streams.terminal.cells import plain_cell, roi_cell
from streams.terminal.rois import roi_note
from streams.terminal.view import ViewData, hidden_note, pad, table_lines
from streams.wording import (
    MODE_WORDS,
    STATUS_WORDS,
    Lang,
    age,
    category_word,
    clock,
    percent,
    printable,
    whole,
    window_word,
)

DECISIONS: Final = 4
"""Decisions shown below the table."""

_ROI_WORDS: Final[dict[CreditScope, tuple[str, str]]] = {"direct": ("ROI", "线索ROI"), "total": ("Total ROI", "总ROI")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What one drawing of the screen needs; without a feed no decisions are drawn."""

    view: ViewData
    meta: Meta
    zone: ZoneInfo
    feed: Feed = field(default_factory=Feed)


def screen_lines(screen: Screen, width: int) -> list[Text]:
    """Draw everything, one line of at most `width` columns each."""
    lines = [_head_line(screen), _figures(screen), *_attention(screen)]
    lines += table_lines(screen.view, width)
    lines.append(Text(roi_note(screen.view.rois, screen.view.lang), style="dim"))
    if note := hidden_note(screen.view, width):
        lines.append(Text(note, style="dim"))
    if not screen.view.table.rows:
        lines.append(Text(_no_rows(screen.view.lang), style="dim"))
    decisions = decision_lines(screen.feed, screen.view.lang, screen.zone)
    if decisions:
        lines.append(Text(""))
    lines += decisions
    for line in lines:
        line.no_wrap = True
        line.truncate(width)
    return lines


def _no_rows(lang: Lang) -> str:
    return "本时间窗没有事件" if lang == "zh" else "no events in this window"


def _head_line(screen: Screen) -> Text:
    meta, lang = screen.meta, screen.view.lang
    word = MODE_WORDS[lang]["killed" if meta.killed else meta.mode]
    states = {
        "live": ("Up to date", "实时"),
        "stale": ("Stale", "数据过期"),
        "empty": ("No events yet", "还没有事件"),
    }[meta.state]
    line = Text("subsidywatch  ", style="bold")
    line.append(category_word(meta.category, lang), style="not bold")
    line.append("  ")
    line.append(f"[{word}]", style="bold red" if meta.killed else "bold")
    line.append("  ")
    line.append(states[lang == "zh"], style="yellow" if meta.state == "stale" else "not bold")
    if meta.idle_ms is not None:
        ago = age(meta.idle_ms)
        line.append(f"  {ago}前更新" if lang == "zh" else f"  updated {ago} ago", style="not bold")
    if meta.head is not None:
        line.append(f"  {clock(meta.head, screen.zone, '%m-%d %H:%M:%S %z')}", style="not bold")
    window = window_word(screen.view.table.window, lang)
    line.append(f"  窗口 {window}" if lang == "zh" else f"  window {window}", style="not bold")
    return line


def _figures(screen: Screen) -> Text:
    total, zh = screen.view.table.total, screen.view.lang == "zh"
    counts = total.totals
    rois = [
        f"{words[zh]} {roi_cell(screen.view.rois, counts, scope)}"
        for scope, words in _ROI_WORDS.items()
        if any(labels.scope == scope for labels in screen.view.rois)
    ]
    parts = [
        f"消耗 {whole(counts.spend_micros)} 元" if zh else f"Spend {whole(counts.spend_micros)} yuan",
        *rois,
        f"CPC {plain_cell(total, 'cpc')}",
        f"{'订单' if zh else 'Orders'} {counts.direct_orders:,}",
    ]
    if screen.view.statuses:
        found = status_counts(list(screen.view.statuses.values()), [p.adcode for p in PROVINCES])
        words = STATUS_WORDS[screen.view.lang]
        parts.append(", ".join(f"{words[status]} {count}" for status, count in found.items() if count))
    return Text("   ".join(parts))


def _attention(screen: Screen) -> list[Text]:
    """Draw one line for each region that needs a look, at most three."""
    rows = sorted(screen.view.statuses.values(), key=lambda row: row.region)
    lines = [attention(row, screen.view.lang) for row in rows]
    return [Text(line, style="bold") for line in lines if line][:3]


def attention(row: RegionStatus, lang: Lang) -> str:
    """Say in one sentence why a region needs a look; empty when it does not."""
    name = region_names(row.region)[lang == "en"]
    k, n = row.against_subsidised, row.against_orders
    if row.alert and row.claimed:
        word, source = STATUS_WORDS[lang][row.claimed], printable(row.claimed_by or "")
        if lang == "zh":
            return f"= {name} 公告({source})称{word}, 此后 {row.orders} 单中 {row.subsidised} 单有国补"
        return f"= {name}: {source} announced {word}; {row.subsidised} of {row.orders} orders since carry a subsidy"
    if row.suspect:
        if lang == "zh":
            return f"! {name} 存疑: 最近 {n} 单中 {k} 单有国补"
        return f"! {name}: in doubt, {k} of the last {n} orders carry a subsidy"
    return ""


def decision_lines(feed: Feed, lang: Lang, zone: ZoneInfo, limit: int = DECISIONS) -> list[Text]:
    """Draw the newest decisions, newest first, one line each."""
    made = {change.transition_id: EpochMs(change.decided_at) for change in feed.transitions}
    found: list[tuple[EpochMs, str]] = []
    found += [(EpochMs(change.decided_at), transition_line(change, lang, zone)) for change in feed.transitions]
    for shift in feed.shifts:
        at = made.get(shift.cause, EpochMs(shift.emitted_at))
        found.append((at, shift_line(shift, at, lang, zone)))
    found.sort(key=lambda pair: -pair[0])
    return [Text(line) for _, line in found[:limit]]


def transition_line(change: Transition, lang: Lang, zone: ZoneInfo) -> str:
    """Say what changed, since when, and the evidence as counts."""
    name = pad(region_names(change.region)[lang == "en"], 14 if lang == "en" else 8, "left")
    word = STATUS_WORDS[lang][change.to]
    at, decided = EpochMs(change.at), clock(EpochMs(change.decided_at), zone, "%H:%M:%S")
    when = clock(at, zone, "%H:%M")
    head = f"{decided} {name} {when} 起{word}" if lang == "zh" else f"{decided} {name} {word} since {when}"
    return f"{head}  {evidence_words(change, lang)}  {change.transition_id[:12]}"


def evidence_words(change: Transition, lang: Lang) -> str:
    """Say why a transition was believed: counts for orders, the source for announcements."""
    found = change.evidence
    if change.cause == "announcement":
        source = printable(found.announcement_source or "")
        return f"公告 ({source})" if lang == "zh" else f"announced by {source}"
    recent = counts_of(found) if found.recent else (found.subsidised, found.orders)
    was = "" if found.base_percent is None else f"{percent(found.base_percent / 100, 0)}"
    if lang == "zh":
        return f"最近 {recent[1]} 单中 {recent[0]} 单有国补" + (f" (此前 {was})" if was else "")
    return f"{recent[0]} of the last {recent[1]} eligible orders with subsidy" + (f" (was {was})" if was else "")


def shift_line(shift: BudgetShift, at: EpochMs, lang: Lang, zone: ZoneInfo) -> str:
    """Say how much moves and where to, the largest legs first; `at` is when its cause was decided."""
    moved = sum(leg.delta_micros for leg in shift.legs if leg.delta_micros > 0)
    legs = ", ".join(_leg_words(shift, lang)[:4])
    when = clock(at, zone, "%H:%M:%S")
    dry = shift.mode != "auto"
    if lang == "zh":
        verb = "本会调动" if dry else "调动"
        return f"{when} {verb} {whole(moved)} 元/天: {legs}  {shift.shift_id[:12]}"
    verb = "would move" if dry else "moves"
    return f"{when} {verb} {whole(moved)} yuan/day: {legs}  {shift.shift_id[:12]}"


def _leg_words(shift: BudgetShift, lang: Lang) -> list[str]:
    legs = sorted(shift.legs, key=lambda leg: -abs(leg.delta_micros))
    words = []
    for leg in legs:
        sign = "+" if leg.delta_micros > 0 else "-"
        words.append(f"{_places(leg.region, lang)} {printable(leg.campaign)} {sign}{whole(abs(leg.delta_micros))}")
    return words


def _places(regions: str, lang: Lang) -> str:
    """Name the regions of a campaign: all of two, else the first and how many more."""
    names = [region_names(region)[lang == "en"] for region in regions.split(",")]
    return "+".join(names) if len(names) < 3 else f"{names[0]}+{len(names) - 1}"


def held_line(held: HeldShift, lang: Lang, zone: ZoneInfo) -> str:
    """Say what was held back and by which guard rail."""
    name = region_names(held.region)[lang == "en"]
    when = clock(EpochMs(held.at), zone, "%H:%M:%S")
    return f"{when} {pad(name, 14, 'left')} {held.code}: {printable(held.detail)}"


def plain(lines: Sequence[Text]) -> str:
    """Join lines without colour and without blanks at their ends."""
    return "\n".join(line.plain.rstrip() for line in lines)
