"""Bytes to events and back; the only place that knows the wire format.

The contract of `models.events` decides what is valid. The hot kinds are read
by msgspec first, a batch at a time. What msgspec accepts, the contract accepts
with the same values; what msgspec refuses, the contract judges again, and its
verdict stands. msgspec is laxer in three places only, all in parts of a record
it skips: invalid UTF-8, nesting deeper than 200, and numbers of thousands of
digits. `_is_plain` rules those out with a few scans over the whole batch.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Final, Generic, Literal, NamedTuple, TypeGuard, TypeVar, cast, overload

import msgspec
from pydantic import BaseModel, ValidationError

from models.errors import InvalidEvent
from models.events import CONTRACTS, Event, Kind
from models.wire import WireClick, WireEvent, WireImpression, WireOrder, have_their_amounts

T = TypeVar("T")
W = TypeVar("W", WireImpression, WireClick, WireOrder)

BLOCK: Final = 256
"""Records that are decoded at once."""

MAX_EVENT_BYTES: Final = 65_536
"""Longest record accepted where the caller names no other bound, inclusive."""

REASONS: Final[tuple[str, ...]] = (
    "not_json",
    "not_object",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "unknown_region",
    "bad_status",
    "too_large",
    "empty",
    "future",
    "too_old",
    "crashed",
)
"""Why records are refused; `future` and `too_old` are found by `models.fold`, `crashed` is a mistake of our own."""

_SHORT_BYTES: Final = 400
_PLAIN_BYTES: Final = 4_000
_BRACKETS_TO_SPARE: Final = 100
_REASON_OF_ERROR: Final[dict[str, str]] = {
    "json_invalid": "not_json",
    "model_type": "not_object",
    "missing": "missing_field",
    "missing_amount": "missing_field",
    "string_too_short": "out_of_range",
    "string_too_long": "out_of_range",
    "string_pattern_mismatch": "out_of_range",
    "too_long": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "int_parsing_size": "out_of_range",
    "literal_error": "out_of_range",
}
_REASON_OF_FIELD: Final[dict[tuple[str, str], str]] = {
    ("region", "string_pattern_mismatch"): "unknown_region",
    ("regions", "string_pattern_mismatch"): "unknown_region",
    ("status", "literal_error"): "bad_status",
    ("state", "literal_error"): "bad_status",
}


class Decoded(NamedTuple, Generic[T]):
    """What the records of a batch are.

    Attributes:
        events: the valid ones, in order.
        positions: index in the batch of each of them.
        rejects: index in the batch and verdict of each of the others, in order.
    """

    events: Sequence[T]
    positions: Sequence[int]
    rejects: Sequence[tuple[int, InvalidEvent]]


@overload
def decode(
    kind: Literal[Kind.IMPRESSIONS], values: Sequence[bytes | None], max_bytes: int = ...
) -> Decoded[WireImpression]: ...
@overload
def decode(kind: Literal[Kind.CLICKS], values: Sequence[bytes | None], max_bytes: int = ...) -> Decoded[WireClick]: ...
@overload
def decode(kind: Literal[Kind.ORDERS], values: Sequence[bytes | None], max_bytes: int = ...) -> Decoded[WireOrder]: ...
@overload
def decode(kind: Kind, values: Sequence[bytes | None], max_bytes: int = ...) -> Decoded[WireEvent] | Decoded[Event]: ...


def decode(
    kind: Kind, values: Sequence[bytes | None], max_bytes: int = MAX_EVENT_BYTES
) -> Decoded[WireImpression] | Decoded[WireClick] | Decoded[WireOrder] | Decoded[WireEvent] | Decoded[Event]:
    """Decode a batch: structs of `models.wire` for the hot kinds, contract models for the others.

    Never raises for what a record holds. None is a tombstone, which an event never is.
    """
    if kind is Kind.IMPRESSIONS:
        return _decode_hot(kind, WireImpression, values, max_bytes)
    if kind is Kind.CLICKS:
        return _decode_hot(kind, WireClick, values, max_bytes)
    if kind is Kind.ORDERS:
        return _decode_hot(kind, WireOrder, values, max_bytes)
    return _decoded(*_sort_out(values, partial(judge, kind, max_bytes=max_bytes)))


def judge(kind: Kind, value: bytes | None, max_bytes: int = MAX_EVENT_BYTES) -> Event:
    """Give what the contract makes of one record: the reference for every faster way.

    Raises:
        InvalidEvent: with one of `REASONS`; the detail names the field and never quotes the record.
    """
    if value is None:
        raise InvalidEvent("empty", "the record has no value")
    if len(value) > max_bytes:
        raise InvalidEvent("too_large", f"the record has {len(value)} bytes, more than {max_bytes}")
    try:
        return CONTRACTS[kind].model_validate_json(value, strict=True)
    except ValidationError as error:
        raise _verdict(error) from None


def encode(event: Event | WireEvent) -> bytes:
    """Give an event's canonical JSON: fields in declared order, compact, UTF-8, defaults left out."""
    if isinstance(event, BaseModel):
        return event.model_dump_json(exclude_defaults=True).encode()
    return msgspec.json.encode(event)


@lru_cache
def _reader(wire: type[W]) -> Callable[[bytes], W]:
    return msgspec.json.Decoder(wire).decode


def _decode_hot(kind: Kind, wire: type[W], values: Sequence[bytes | None], max_bytes: int) -> Decoded[W]:
    """Decode in blocks, so that one bad record slows down its own block only."""
    read: Callable[[bytes], W] = _reader(wire)
    events: list[W] = []
    rejects: list[tuple[int, InvalidEvent]] = []
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        if _is_plain(block, max_bytes):
            try:
                read_all = list(map(read, block))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                pass  # one by one then
            else:
                if _are_sound(wire, read_all):
                    events += read_all
                    continue
        good, bad = _sort_out(block, partial(_read_one, kind, wire, read, max_bytes))
        events += good
        rejects += [(start + index, verdict) for index, verdict in bad]
    return _decoded(events, rejects)


def _decoded(events: list[T], rejects: list[tuple[int, InvalidEvent]]) -> Decoded[T]:
    total = len(events) + len(rejects)
    if not rejects:
        return Decoded(events, range(total), rejects)
    bad = {index for index, _ in rejects}
    return Decoded(events, [index for index in range(total) if index not in bad], rejects)


def _sort_out(
    values: Sequence[bytes | None], read: Callable[[bytes | None], T]
) -> tuple[list[T], list[tuple[int, InvalidEvent]]]:
    events, rejects = [], []
    for index, value in enumerate(values):
        try:
            events.append(read(value))
        except InvalidEvent as verdict:
            # Kept for its two strings; the frames and the contract's error would be garbage to collect by thousands.
            verdict.__traceback__ = verdict.__context__ = None
            rejects.append((index, verdict))
    return events, rejects


def _read_one(kind: Kind, wire: type[W], read: Callable[[bytes], W], max_bytes: int, value: bytes | None) -> W:
    if value is not None and (_is_short(value, max_bytes) or _is_plain((value,), max_bytes)):
        try:
            event = read(value)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass  # the contract has the last word
        else:
            if _are_sound(wire, (event,)):
                return event
    return wire(**dict(judge(kind, value, max_bytes)))


def _are_sound(wire: type[WireEvent], events: Sequence[WireEvent]) -> bool:
    """Judge what a struct takes and its contract does not."""
    return wire is not WireOrder or have_their_amounts(cast("Sequence[WireOrder]", events))


def _is_short(value: bytes, max_bytes: int) -> bool:
    """Tell in two looks that a record is plain, which most good ones are."""
    return len(value) <= _SHORT_BYTES and len(value) <= max_bytes and value.isascii()


def _is_plain(block: Sequence[bytes | None], max_bytes: int) -> TypeGuard[Sequence[bytes]]:
    """Tell whether msgspec may be believed about all of these records.

    A record of 400 bytes can neither nest 200 deep nor hold a number too long
    to read; a longer one is believed while the block holds hardly more brackets
    than records.
    """
    plain = cast(Sequence[bytes], block)
    try:
        longest = max(map(len, plain))
    except TypeError:  # a tombstone among them
        return False
    if longest > min(_PLAIN_BYTES, max_bytes):
        return False
    if longest <= _SHORT_BYTES and all(map(bytes.isascii, plain)):
        return True
    text = b"\n".join(plain)  # the line feeds keep halves of a character in two records apart
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return longest <= _SHORT_BYTES or text.count(b"{") + text.count(b"[") <= len(plain) + _BRACKETS_TO_SPARE


def _verdict(error: ValidationError) -> InvalidEvent:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    by_kind = _REASON_OF_ERROR.get(first["type"], "wrong_type")
    reason = _REASON_OF_FIELD.get((field, first["type"]), by_kind)
    what = "not an adcode of GB/T 2260 and not unknown" if reason == "unknown_region" else first["msg"]
    return InvalidEvent(reason, f"{field}: {what}" if field else what)
