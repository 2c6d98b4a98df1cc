"""Which ROI the columns of `table` show, and how the screen says so."""

from collections.abc import Mapping
from typing import Final

from models.errors import SettingsError
from models.roi import ALL, Labels, parse
from streams.wording import Lang

Chosen = tuple[Labels, ...]
"""At most one for each scope."""

REPORT: Final[Chosen] = (Labels(scope="direct"), Labels(scope="total"))

_WORDS: Final[dict[Lang, Mapping[str, str]]] = {
    "en": {
        "order": "by order time",
        "click": "by click time (a cohort that still grows)",
        "15d": "clicks of 15 days",
        "0d": "clicks of the same day",
        "placed": "placed amount",
        "paid": "paid amount",
        "net": "paid less refunded",
    },
    "zh": {
        "order": "按下单时间",
        "click": "按点击时间(仍会增长)",
        "15d": "15天内点击",
        "0d": "当天点击",
        "placed": "下单金额",
        "paid": "实付金额",
        "net": "实付减退款",
    },
}


def parse_rois(text: str | None) -> Chosen:
    """Read `--roi`: labels in any order; those that are left out are the usual ones, without a scope both are shown.

    Raises:
        SettingsError: a word is no label.
    """
    if text is None:
        return REPORT
    try:
        words = parse(text)
    except ValueError as error:
        raise SettingsError(f"--roi: {error}") from None
    wanted = [one._asdict() | words for one in REPORT]
    chosen = tuple(next(one for one in ALL if one._asdict() == labels) for labels in wanted)
    return chosen[:1] if "scope" in words else chosen


def roi_note(chosen: Chosen, lang: Lang) -> str:
    """Say which labels the ROI columns carry."""
    basis, window, amount, _ = chosen[0]
    words = _WORDS[lang]
    said = [words[label] for label in (basis, window, amount)]
    return f"ROI: {', '.join(said)}"
