"""The words people read, in English and Chinese, and figures as text: ages, money, clocks, foreign names."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from models.decisions import Status
from models.units import DAY_MS, HOUR_MS, MICROS_PER_UNIT, MINUTE_MS, SECOND_MS, EpochMs

Lang = Literal["en", "zh"]

STATUS_WORDS: Final[dict[Lang, dict[Status, str]]] = {
    "en": {status: status.value for status in Status},
    "zh": {
        Status.ON: "已开",
        Status.OFF: "已停",
        Status.PARTIAL: "部分",
        Status.UNKNOWN: "未知",
        Status.SUSPECT: "存疑",
    },
}

STATUS_SIGNS: Final[dict[Status, str]] = {
    Status.ON: "+",
    Status.PARTIAL: "/",
    Status.OFF: "-",
    Status.UNKNOWN: "?",
    Status.SUSPECT: "!",
}

MODE_WORDS: Final[dict[Lang, dict[str, str]]] = {
    "en": {"auto": "LIVE", "dry_run": "DRY RUN", "observe": "OBSERVE", "propose": "PROPOSE", "killed": "STOPPED"},
    "zh": {"auto": "正式", "dry_run": "试运行", "observe": "仅观察", "propose": "待批准", "killed": "已停止"},
}

WINDOW_WORDS: Final[dict[str, str]] = {
    "1m": "1分",
    "5m": "5分",
    "15m": "15分",
    "1h": "1时",
    "24h": "24时",
    "today": "今天",
    "yesterday": "昨天",
    "all": "全部",
}

CATEGORY_WORDS: Final[dict[str, dict[Lang, str]]] = {"phone": {"en": "Phones", "zh": "手机"}}


def window_word(window: str, lang: Lang) -> str:
    """Name a window."""
    return WINDOW_WORDS[window] if lang == "zh" else window


def category_word(category: str, lang: Lang) -> str:
    """Name a category; one that is not known here is its own name."""
    return CATEGORY_WORDS.get(category, {}).get(lang, printable(category))


def age(span_ms: int) -> str:
    """Say how long ago in at most three characters of figures: `11s`, `73m`, `15h`, `3d`."""
    if span_ms < MINUTE_MS:
        return f"{max(span_ms, 0) // SECOND_MS}s"
    if span_ms < 100 * MINUTE_MS:
        return f"{span_ms // MINUTE_MS}m"
    if span_ms < 2 * DAY_MS:
        return f"{span_ms // HOUR_MS}h"
    return f"{span_ms // DAY_MS}d"


def whole(micros: int) -> str:
    """Print money in whole units with thousands separated, halves away from zero."""
    units = (Decimal(micros) / MICROS_PER_UNIT).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return f"{int(units):,}"


def percent(share: Decimal | None, places: int = 1) -> str:
    """Print a share of 0 to 1 as percent; `-` when undefined."""
    if share is None:
        return "-"
    return f"{(share * 100).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}%"


def clock(at: EpochMs, zone: ZoneInfo, form: str = "%H:%M:%S") -> str:
    """Print an event time in the zone of days."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).strftime(form)


def printable(text: str) -> str:
    """Make foreign text harmless in a terminal: control characters are shown as hex escapes, not obeyed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
