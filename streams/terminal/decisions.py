"""What `status`, `transitions`, `shifts` and `explain` print: lines for people, or the API's JSON."""

from pathlib import Path

from rich.text import Text

from models.decisions import BudgetShift, ShiftResult, Transition
from models.regions import PROVINCES
from models.units import EpochMs
from rules.wording import explain as say
from rules.wording import explain_leg
from streams.ports import ReadStore
from streams.readlog import EXPLAIN_LIMIT, Explanation, Feed, explain, feed
from streams.readmodel import region_names
from streams.readstatus import Decided, RegionStatus, read_decided, status_counts
from streams.settings import Settings, load
from streams.terminal.reading import print_json, print_lines, read_once
from streams.terminal.screen import attention, held_line, shift_line, transition_line
from streams.terminal.view import STATUS_STYLES, pad
from streams.web.answering import explain_answer, shift_list
from streams.web.answers import TransitionList
from streams.web.reader import status_list
from streams.wording import STATUS_SIGNS, STATUS_WORDS, Lang, clock, percent, printable


def print_status(config: Path | None, as_json: bool, lang: Lang) -> None:
    """Print every region's status, doubtful ones with a reason."""

    async def read(store: ReadStore, settings: Settings) -> Decided:
        return await read_decided(store)

    decided, settings = read_once(config, read), load(config)
    category = settings.rules.eligibility.category
    if as_json:
        print_json(status_list(category, decided))
        return
    codes = sorted({*(str(p.adcode) for p in PROVINCES), *decided.statuses})
    counts = status_counts(list(decided.statuses.values()), codes)
    words = STATUS_WORDS[lang]
    lines = [Text("   ".join(f"{words[status]} {count}" for status, count in counts.items()), style="bold")]
    if decided.position is not None:
        told = "已判定到" if lang == "zh" else "decided to"
        lines.append(Text(f"{told} {clock(decided.position, settings.zone, '%Y-%m-%d %H:%M:%S %z')}", style="dim"))
    lines += [_status_line(code, decided.statuses.get(code), lang, settings) for code in codes]
    print_lines(lines)


def _status_line(code: str, row: RegionStatus | None, lang: Lang, settings: Settings) -> Text:
    name = pad(region_names(code)[lang == "en"], 15, "left")
    if row is None:
        return Text(f"{code}  {name} ? {STATUS_WORDS[lang]['UNKNOWN']}", style="dim")  # type: ignore[index]  # StrEnum
    line = Text(f"{code}  {name} ")
    line.append(
        f"{STATUS_SIGNS[row.status]} {pad(STATUS_WORDS[lang][row.status], 8, 'left')}", STATUS_STYLES[row.status]
    )
    if row.since is not None:
        line.append(f" {clock(row.since, settings.zone, '%m-%d %H:%M')}  {row.cause}")
    if row.orders:
        line.append(f"  {row.subsidised}/{row.orders} ({percent(row.share, 0)})")
    if why := attention(row, lang):
        line.append(f"  {why}", style="bold")
    return line


def print_transitions(config: Path | None, limit: int, as_json: bool, lang: Lang) -> None:
    """Print the newest changes of a status, newest first."""
    found, settings = _read_feed(config, limit), load(config)
    if as_json:
        print_json(TransitionList(transitions=list(found.transitions)))
        return
    lines = [Text(transition_line(change, lang, settings.zone)) for change in found.transitions]
    print_lines(lines or [Text("还没有状态变化" if lang == "zh" else "no change of a status yet", style="dim")])


def print_shifts(config: Path | None, limit: int, as_json: bool, lang: Lang) -> None:
    """Print the newest shifts, the answers to them, and what was held back."""
    found, settings = _read_feed(config, limit, None if as_json else EXPLAIN_LIMIT), load(config)
    if as_json:
        print_json(shift_list(found))
        return
    made = {change.transition_id: EpochMs(change.decided_at) for change in found.transitions}
    lines = []
    for shift in found.shifts:
        at = made.get(shift.cause, EpochMs(shift.emitted_at))
        lines.append(Text(shift_line(shift, at, lang, settings.zone)))
        lines += [_answer_line(result) for result in found.results if result.shift_id == shift.shift_id]
    if found.held:
        lines.append(Text("被拦下:" if lang == "zh" else "held back:", style="bold"))
    lines += [Text(held_line(veto, lang, settings.zone)) for veto in found.held]
    print_lines(lines or [Text("还没有预算调整" if lang == "zh" else "no budget shift yet", style="dim")])


def set_switch(config: Path | None, stopped: bool, actor: str) -> str:
    """Stop or resume all shifts; give the sentence to print."""

    async def write(store: ReadStore, settings: Settings) -> None:
        await store.set_switch(stopped, actor)

    read_once(config, write)
    if stopped:
        return f"stopped by {actor}: no budget shift leaves until `subsidywatch shifts resume`; detection goes on"
    return f"resumed by {actor}: shifts leave again; nothing that was held back meanwhile is sent late"


def print_explanation(config: Path | None, wanted: str, as_json: bool, lang: Lang) -> bool:
    """Print a decision with its evidence, its legs and the answers; False when the log has no such id."""

    async def read(store: ReadStore, settings: Settings) -> Explanation | None:
        return await explain(store, wanted)

    found, settings = read_once(config, read), load(config)
    if found is None:
        return False
    if as_json:
        print_json(explain_answer(found))
        return True
    lines = [] if found.transition is None else _transition_lines(found.transition, lang, settings)
    for shift in found.shifts:
        lines += _shift_lines(shift, found.results, lang, settings)
    for veto in found.held:
        lines.append(Text(say(veto)[lang == "zh"]))
        lines.append(Text(f"  {veto.code}: {printable(veto.detail)}", style="dim"))
    print_lines(lines)
    return True


def _transition_lines(change: Transition, lang: Lang, settings: Settings) -> list[Text]:
    seen, zone, form = change.evidence, settings.zone, "%Y-%m-%d %H:%M:%S %z"
    facts = {
        "changed at": clock(EpochMs(change.at), zone, form),
        "decided at": f"{clock(EpochMs(change.decided_at), zone, form)} (watermark)",
        "cause": change.cause,
        "evidence": f"{seen.subsidised} of {seen.orders} eligible orders with subsidy since the change before",
        "last orders": " ".join(f"{k}/{n}" for k, n in seen.recent),
        "before, after": f"{_percent(seen.base_percent)} -> {_percent(seen.level_percent)}",
        "statistic": "" if seen.statistic is None else f"{seen.statistic} (threshold {seen.threshold})",
        "announcement": " ".join(filter(None, (seen.announcement_source, seen.announcement_id))),
        "alert": change.alert or "",
        "rules": change.config_hash,
        "id": change.transition_id,
    }
    lines = [Text(printable(say(change)[lang == "zh"]), style="bold")]
    return lines + [Text(f"  {name:<14} {printable(value)}") for name, value in facts.items() if value.strip(" ->")]


def _percent(value: object) -> str:
    return "-" if value is None else f"{value}%"


def _shift_lines(shift: BudgetShift, results: tuple[ShiftResult, ...], lang: Lang, settings: Settings) -> list[Text]:
    window = shift.evidence
    lines = [
        Text(printable(say(shift)[lang == "zh"]), style="bold"),
        Text(f"  {'shift':<14} {shift.shift_id}  plan {shift.plan_id}  mode {shift.mode}"),
        Text(f"  {'valid until':<14} {clock(EpochMs(shift.valid_until), settings.zone, '%Y-%m-%d %H:%M:%S %z')}"),
        Text(f"  {'rests on':<14} {window.window}: {window.clicks:,} clicks, {window.orders:,} orders"),
    ]
    lines += [Text(f"    {printable(leg.campaign)}: {printable(explain_leg(leg)[lang == 'zh'])}") for leg in shift.legs]
    return lines + [_answer_line(result) for result in results if result.shift_id == shift.shift_id]


def _answer_line(result: ShiftResult) -> Text:
    detail = f" ({printable(result.detail)})" if result.detail else ""
    return Text(f"    {printable(result.consumer)}: {result.result}{detail}", style="dim")


def _read_feed(config: Path | None, limit: int, beside: int | None = None) -> Feed:
    async def read(store: ReadStore, settings: Settings) -> Feed:
        return await feed(store, limit, beside)

    return read_once(config, read)
