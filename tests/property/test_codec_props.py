"""The fast reader and the contract give one verdict, and the same values, on every input."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from models.codec import REASONS, decode, encode, judge
from models.errors import InvalidEvent
from models.events import CONTRACTS, Kind
from models.fields import MAX_AT, MAX_QUANTITY
from models.units import MAX_MICROS

HOT = (Kind.IMPRESSIONS, Kind.CLICKS, Kind.ORDERS)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=128)
INTS = {"at": MAX_AT, "placed_at": MAX_AT, "line": MAX_QUANTITY, "quantity": MAX_QUANTITY}
WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.integers(-5, 5).map(float),
    st.text(max_size=5),
    st.sampled_from(["", "1", "mars", "440000", "810000", "999999", "paid", "refunded", "lost", "x" * 64, "x" * 129]),
    st.sampled_from(["\ud800", "\x00", "\x1f", "\ufeff", "\U0001f600", "x" * 65, "\u56fd" * 128, "\u56fd" * 129]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
SPLICES = st.one_of(
    st.sampled_from([b"\xff", b"\xed\xa0\x80", b"\xe5\x9b", b"\\", b"\\ud800", b"\\u0041", b"\x00", b"\x0c", b"\n"]),
    st.sampled_from([b'"', b"{", b"}", b",", b" ", b"1", b".0", b"e3", b"-", b"NaN", b"Infinity", b"null"]),
    st.sampled_from([b"[" * 210 + b"]" * 210, b"9" * 4_400]),
)


def value_of(name: str) -> st.SearchStrategy[object]:
    """Draw a valid value of a field, by its name."""
    if name == "region":
        return st.sampled_from(["440000", "110000", "unknown", "810000", "440100"])
    if name == "status":
        return st.sampled_from(["placed", "paid", "cancelled", "refunded"])
    if name in ("gift", "halo"):
        return st.booleans()
    if name in INTS or name.endswith("_micros"):
        return st.integers(1, INTS.get(name, MAX_MICROS))
    return st.text(st.characters(codec="utf-8"), min_size=1, max_size=64) if name == "event_id" else NAMES


@st.composite
def bodies(draw: st.DrawFn, kind: Kind) -> dict[str, object]:
    """Draw a valid event as a dictionary, optional fields there, null or absent."""
    body: dict[str, object] = {}
    for name, field in CONTRACTS[kind].model_fields.items():
        present = field.is_required() or name in ("paid_micros", "refund_micros") or draw(st.booleans())
        if present:
            body[name] = draw(value_of(name))
        elif field.default is None and draw(st.booleans()):
            body[name] = None
    return body


@st.composite
def mutants(draw: st.DrawFn, kind: Kind) -> bytes:
    """Draw an event with fields dropped, added, repeated or replaced, and bytes spliced in or cut out."""
    pairs = list(draw(bodies(kind)).items())
    for _ in range(draw(st.integers(0, 2))):
        index = draw(st.integers(0, len(pairs)))
        name = draw(st.sampled_from([*CONTRACTS[kind].model_fields, "unknown_field"]))
        pairs[index : index + draw(st.integers(0, 2))] = [(name, draw(WILD))]
    text = ",".join(f"{json.dumps(name)}:{json.dumps(value, ensure_ascii=True)}" for name, value in pairs)
    raw = f"{{{text}}}".encode()
    for _ in range(draw(st.integers(0, 2))):
        index = draw(st.integers(0, len(raw)))
        raw = raw[:index] + draw(SPLICES) + raw[index + draw(st.integers(0, 2)) :]
    return raw


ANY_JSON = st.recursive(WILD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
RECORDS: dict[Kind, st.SearchStrategy[bytes]] = {
    kind: st.one_of(mutants(kind), ANY_JSON.map(lambda value: json.dumps(value).encode()), st.binary()) for kind in HOT
}


def by_contract(kind: Kind, value: bytes | None) -> tuple[str, object]:
    """Give the contract's verdict: the values, or reason and detail."""
    try:
        event = judge(kind, value)
    except InvalidEvent as verdict:
        return "bad", (verdict.reason, verdict.detail)
    return "good", dict(event)


def by_batch(kind: Kind, values: list[bytes | None]) -> list[tuple[str, object]]:
    """Give the batch reader's verdicts in the same form, in the order of the records."""
    decoded = decode(kind, values)
    out: list[tuple[str, object]] = [("lost", None)] * len(values)
    for index, event in zip(decoded.positions, decoded.events, strict=True):
        fields = {name: getattr(event, name) for name in CONTRACTS[kind].model_fields}
        assert event.__class__.__name__ == f"Wire{CONTRACTS[kind].__name__}"
        out[index] = "good", fields
    for index, verdict in decoded.rejects:
        out[index] = "bad", (verdict.reason, verdict.detail)
    return out


@pytest.mark.parametrize("kind", HOT)
@given(data=st.data())
def test_both_judges_agree_on_every_record(kind: Kind, data: st.DataObject) -> None:
    """Alone and beside others, a record has one verdict, one reason and one set of values."""
    values: list[bytes | None] = data.draw(st.lists(st.none() | RECORDS[kind], min_size=1, max_size=4))
    expected = [by_contract(kind, value) for value in values]

    assert expected == by_batch(kind, values)
    assert expected == [by_batch(kind, [value])[0] for value in values]


@pytest.mark.parametrize("kind", HOT)
@given(data=st.data())
def test_a_valid_event_is_accepted_with_its_values(kind: Kind, data: st.DataObject) -> None:
    """What a producer may write by the contract is read, in any spelling of JSON."""
    body = data.draw(bodies(kind))
    ascii_only = data.draw(st.booleans())
    raw = json.dumps(body, ensure_ascii=ascii_only, indent=data.draw(st.sampled_from([None, 1]))).encode()
    fields = CONTRACTS[kind].model_fields
    expected = {name: body.get(name, field.default) for name, field in fields.items()}

    assert [("good", expected)] == by_batch(kind, [raw])


@pytest.mark.parametrize("kind", HOT)
@given(data=st.data())
def test_encoding_and_decoding_are_inverse(kind: Kind, data: st.DataObject) -> None:
    """Model and struct are written as the same bytes, which are read as the same event."""
    event = CONTRACTS[kind].model_validate(data.draw(bodies(kind)))
    line = encode(event)
    read = decode(kind, [line]).events[0]

    assert event == judge(kind, line)
    assert not isinstance(read, BaseModel)
    assert line == encode(read)
    assert dict(event) == {name: getattr(read, name) for name in CONTRACTS[kind].model_fields}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in HOT])
@given(value=ANY_JSON.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_control_records_are_judged_and_never_raise(kind: Kind, value: bytes) -> None:
    """A verdict is an event of its contract or a reason out of the closed set."""
    decoded = decode(kind, [value])

    assert 1 == len(decoded.events) + len(decoded.rejects)
    assert all(isinstance(event, CONTRACTS[kind]) for event in decoded.events)
    assert all(verdict.reason in REASONS for _, verdict in decoded.rejects)


@given(st.binary() | mutants(Kind.ORDERS))
@example(b"{" * 100_000)
@example(b'{"a":' * 10_000)
def test_a_detail_is_short_and_printable(value: bytes) -> None:
    """Whatever the record holds."""
    for _, verdict in decode(Kind.ORDERS, [value], max_bytes=1_000_000).rejects:
        assert verdict.detail.isprintable()
        assert len(verdict.detail) <= 200


def test_the_strategies_reach_both_verdicts() -> None:
    """A property over inputs that are all bad, or all good, would prove nothing."""
    found = set[str]()

    @given(RECORDS[Kind.ORDERS])
    def look(value: bytes) -> None:
        found.add(by_contract(Kind.ORDERS, value)[0])

    look()

    assert {"good", "bad"} == found
