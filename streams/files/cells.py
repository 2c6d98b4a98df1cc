"""From the text of a cell to the value of a field, exactly.

Text that is not what its field needs is handed on as it is: the contract then
refuses the event with a reason, so a bad cell ends as a dead letter like any
other bad record, live and in a backtest alike.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from models.regions import find
from models.units import MICROS_PER_UNIT
from streams.files.mapping_file import FieldSpec, TimeSpec

Value = str | int | bool | None
Convert = Callable[[str], Value]

_TIMES: Final = frozenset({"at", "placed_at", "effective_at", "expires_at"})
_WHOLE: Final = frozenset({"line", "quantity", "on_hand", "version"})
_FLAGS: Final = frozenset({"gift", "halo", "region_addressable"})
_TRUE: Final = frozenset({"true", "1", "yes", "y", "t"})
_FALSE: Final = frozenset({"false", "0", "no", "n", "f"})
_DIGITS_MAX: Final = 40
"""Longer numbers are no amounts; they are not worth exact arithmetic."""

_EXACT: Final = Context(prec=200)
"""Wide enough that no product of such a number is ever rounded."""


def converter(name: str, spec: FieldSpec, lookups: Mapping[str, Mapping[str, str]]) -> Convert:
    """Give the function from a cell's text to the value of the field `name`; empty text is `otherwise`."""
    inner = _typed(name, spec)
    table = lookups[spec.lookup] if spec.lookup is not None else None

    def convert(text: str) -> Value:
        text = spec.values.get(text, text)
        if table is not None:
            found = table.get(text.strip())
            if found is None:
                return text if spec.otherwise is None and text else spec.otherwise
            text = found
        return spec.otherwise if not text.strip() else inner(text)

    return convert


def _typed(name: str, spec: FieldSpec) -> Convert:
    if name in _TIMES:
        return time_converter(spec)
    if name.endswith("_micros"):
        factor = Decimal(spec.unit) * MICROS_PER_UNIT
        return lambda text: to_micros(text, factor)
    if name == "region":
        return lambda text: to_region(text, spec.otherwise)
    if name in _WHOLE:
        return to_whole
    return to_flag if name in _FLAGS else str.strip


def to_micros(text: str, factor: Decimal) -> Value:
    """Turn an amount into micros, exactly; text that is no number or no whole number of micros stays text."""
    try:
        if len(text) > _DIGITS_MAX:
            return text
        amount = _EXACT.multiply(Decimal(text.strip()), factor)
        if amount.adjusted() > _DIGITS_MAX:  # a large exponent must not become a large integer
            return text
        whole = int(amount)
    except (ArithmeticError, ValueError):
        return text
    return whole if whole == amount else text


def to_region(text: str, otherwise: Value = None) -> Value:
    """Turn a code or a name, with or without its administrative suffix, into an adcode."""
    province = find(text)
    if province is not None:
        return province.adcode
    return text.strip() if otherwise is None else otherwise


def to_whole(text: str) -> Value:
    """Turn a whole number, perhaps written with a zero fraction, into an integer."""
    return to_micros(text, Decimal(1))


def to_flag(text: str) -> Value:
    """Turn a yes or no into a flag."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else text


def time_converter(spec: TimeSpec) -> Convert:
    """Give the function from text to epoch milliseconds; fractions of a millisecond are cut."""
    zone = ZoneInfo(spec.zone) if spec.zone is not None else None
    if spec.time in ("epoch_s", "epoch_ms"):
        factor = Decimal(1000 if spec.time == "epoch_s" else 1)
        return lambda text: _epoch(text, factor)
    if spec.time == "iso":
        return lambda text: _parsed(text, zone, datetime.fromisoformat)
    return lambda text: _parsed(text, zone, lambda clean: datetime.strptime(clean, spec.time))  # noqa: DTZ007  # zone follows


def _epoch(text: str, factor: Decimal) -> Value:
    try:
        moment = _EXACT.multiply(Decimal(text.strip()), factor) if len(text) <= _DIGITS_MAX else Decimal("NaN")
        return int(moment) if moment.adjusted() <= _DIGITS_MAX else text
    except (ArithmeticError, ValueError):
        return text


def _parsed(text: str, zone: ZoneInfo | None, parse: Callable[[str], datetime]) -> Value:
    try:
        moment = parse(text.strip())
        if moment.tzinfo is None:
            if zone is None:
                return text  # a time without a place is not a time
            moment = moment.replace(tzinfo=zone)
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return text
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
