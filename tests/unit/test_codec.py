"""Bytes to events: verdicts, reasons, blocks, and the three places where the fast reader is laxer."""

import json

import pytest

from models.codec import BLOCK, REASONS, decode, encode, judge
from models.decisions import ShiftResult
from models.errors import InvalidEvent
from models.events import Campaign, Click, Impression, Kind, Order, Stock
from models.wire import WireClick, WireImpression, WireOrder

CLICK = {
    "event_id": "e1",
    "at": 1_741_500_000_000,
    "region": "440000",
    "campaign_id": "c1",
    "user_id": "u1",
    "spend_micros": 370_000,
}
ORDER = {
    "event_id": "e1",
    "at": 5,
    "region": "440000",
    "order_id": "o1",
    "line": 1,
    "status": "placed",
    "placed_at": 4,
    "quantity": 1,
    "amount_micros": 2_999_000_000,
}


RESULT = {"shift_id": "s", "plan_id": "p", "consumer": "c", "result": "applied", "at": 1}


def raw(body: object) -> bytes:
    """Write JSON as a producer does."""
    return json.dumps(body, ensure_ascii=False).encode()


def with_unknown(value: bytes) -> bytes:
    """Give a valid click with one more field, spelt by hand."""
    return raw(CLICK)[:-1] + b',"x":' + value + b"}"


def reason_of(value: bytes | None, kind: Kind = Kind.CLICKS) -> str | None:
    """Give the verdict on one record by the batch reader; None if it is good."""
    rejects = decode(kind, [value]).rejects
    return rejects[0][1].reason if rejects else None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"\xef\xbb\xbf" + raw(CLICK), "not_json"),
        (raw(CLICK) + b"x", "not_json"),
        (b"[]", "not_object"),
        (b"null", "not_object"),
        (b"1", "not_object"),
        (b"{}", "missing_field"),
        (raw(CLICK | {"at": "1"}), "wrong_type"),
        (raw(CLICK | {"at": True}), "wrong_type"),
        (raw(CLICK | {"at": 1.0}), "wrong_type"),
        (raw(CLICK | {"at": None}), "wrong_type"),
        (raw(CLICK | {"at": float("nan")}), "wrong_type"),
        (raw(CLICK | {"at": -1}), "out_of_range"),
        (raw(CLICK | {"at": 10**30}), "out_of_range"),
        (raw(CLICK | {"spend_micros": 10**15 + 1}), "out_of_range"),
        (raw(CLICK | {"event_id": ""}), "out_of_range"),
        (raw(CLICK | {"user_id": "u" * 129}), "out_of_range"),
        (raw(CLICK | {"region": "mars"}), "unknown_region"),
        (raw(CLICK | {"region": "999999"}), "unknown_region"),
        (raw(CLICK | {"x": "y" * 70_000}), "too_large"),
    ],
    ids=repr,
)
def test_a_bad_click_has_one_reason(value: bytes | None, reason: str) -> None:
    """The batch reader and the contract give the same reason out of a closed set."""
    with pytest.raises(InvalidEvent) as verdict:
        judge(Kind.CLICKS, value)

    assert reason == verdict.value.reason == reason_of(value)
    assert reason in REASONS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "lost"}, "bad_status"),
        ({"status": "paid"}, "missing_field"),
        ({"status": "refunded"}, "missing_field"),
        ({"gift": 1}, "wrong_type"),
        ({"quantity": 0}, "out_of_range"),
        ({"status": "paid", "paid_micros": 0}, None),
        ({"status": "refunded", "refund_micros": 0}, None),
    ],
)
def test_orders_have_reasons_of_their_own(change: dict[str, object], reason: str | None) -> None:
    """A status must be known, and comes with its amount."""
    assert reason == reason_of(raw(ORDER | change), Kind.ORDERS)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (Kind.ANNOUNCEMENTS, CLICK | {"source": "s", "state": "x", "category": "p", "effective_at": 1}, "bad_status"),
        (Kind.STOCK, {"event_id": "e", "at": 1, "sku": "s", "on_hand": -1}, "out_of_range"),
        (Kind.RESULTS, RESULT | {"result": "x"}, "out_of_range"),
        (
            Kind.RESULTS,
            RESULT | {"at": "1"},
            "wrong_type",
        ),
        (Kind.RESULTS, RESULT, None),
    ],
)
def test_control_records_are_judged_by_their_contract(kind: Kind, body: object, reason: str | None) -> None:
    """The rare kinds have no second reader, and are as strict."""
    assert reason == reason_of(raw(body), kind)


def test_regions_of_a_campaign_are_regions() -> None:
    """A list with one unknown region is refused for it."""
    body = {
        "event_id": "e1",
        "at": 1,
        "campaign_id": "c1",
        "name": "n",
        "plan_type": "subsidy",
        "channel": "search",
        "daily_budget_micros": 1,
        "category": "phone",
        "version": 0,
        "regions": ["440000", "mars"],
    }

    assert "unknown_region" == reason_of(raw(body), Kind.CAMPAIGNS)
    assert reason_of(raw(body | {"regions": ["440000"], "region_addressable": True}), Kind.CAMPAIGNS) is None


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (b'"\xff"', False),
        (b'"\xe5\x9b\xbd"', True),
        (b'"\xed\xa0\x80"', False),
        (b'"\\ud800"', False),
        (b"[" * 190 + b"]" * 190, True),
        (b"[" * 250 + b"]" * 250, False),
        (b"[" * 20_000 + b"]" * 20_000, False),
        (b"9" * 5_000, False),
        (b"9" * 4_200, True),
        (b"NaN", True),
        (b'"' + b"y" * 5_000 + b'"', True),
        (b"[[1],[2],[3]]", True),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_skipped_is_held_to_json_too(value: bytes, good: bool) -> None:
    """An ignored field may hold any JSON, but not bytes that are none; alone or beside good records."""
    record = with_unknown(value)

    assert good == (reason_of(record) is None)
    assert ([] if good else [1]) == [index for index, _ in decode(Kind.CLICKS, [raw(CLICK), record]).rejects]


def test_halves_of_a_character_in_two_records_stay_two_bad_records() -> None:
    """What ends one record cannot complete the next."""
    first, second = b'{"a":"\xe5\x9b', b'\xbd"}'

    assert [0, 1] == [index for index, _ in decode(Kind.CLICKS, [first, second]).rejects]


def test_a_detail_names_the_field_and_never_quotes_the_record() -> None:
    """Dead letters carry the original bytes; the detail stays short and printable."""
    quoted = "\x1b[31m quoted"
    for body in (CLICK | {"region": quoted}, CLICK | {"at": quoted}, CLICK | {"city": quoted * 20}):
        verdict = decode(Kind.CLICKS, [raw(body)]).rejects[0][1]

        assert "quoted" not in verdict.detail
        assert verdict.detail.isprintable()
        assert verdict.detail.split(":")[0] in ("region", "at", "city")


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_bad_records_leave_their_neighbours_alone(size: int) -> None:
    """Positions tell which record of the batch each event and each verdict belongs to."""
    values: list[bytes | None] = [raw(CLICK | {"event_id": str(index)}) for index in range(size)]
    bad = sorted({0, size // 2, size - 1}) if size else []
    for index in bad:
        values[index] = None if index % 2 else b"{}"
    good = [index for index in range(size) if index not in bad]

    decoded = decode(Kind.CLICKS, values)

    assert good == list(decoded.positions) == [int(event.event_id) for event in decoded.events]
    assert bad == [index for index, _ in decoded.rejects]


def test_a_batch_without_fault_needs_no_list_of_positions() -> None:
    """The usual case costs nothing per record."""
    assert range(2) == decode(Kind.CLICKS, [raw(CLICK)] * 2).positions


def test_the_longest_record_is_a_setting() -> None:
    """The bound is inclusive."""
    value = raw(CLICK)

    assert [] == list(decode(Kind.CLICKS, [value], len(value)).rejects)
    assert "too_large" == decode(Kind.CLICKS, [value], len(value) - 1).rejects[0][1].reason


@pytest.mark.parametrize(
    ("contract", "wire", "body"),
    [
        (Impression, WireImpression, {name: CLICK[name] for name in CLICK if name != "user_id"}),
        (Click, WireClick, CLICK | {"city": "广州"}),
        (Order, WireOrder, ORDER | {"gift": True}),
    ],
)
def test_encoding_is_canonical(contract: type[Impression], wire: type[WireImpression], body: dict[str, object]) -> None:
    """Model and struct give the same compact bytes, without defaults."""
    line = encode(contract.model_validate(body))

    assert body == json.loads(line)
    assert json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")).encode() == line
    read = decode(contract.kind, [line]).events[0]
    assert isinstance(read, wire)
    assert line == encode(read)


@pytest.mark.parametrize(
    "event",
    [
        Stock(event_id="e", at=1, sku="s", on_hand=3),
        ShiftResult(shift_id="s", plan_id="p", consumer="c", result="applied", at=1),
        Campaign(
            event_id="e",
            at=1,
            campaign_id="c",
            name="n",
            plan_type="regular",
            channel="search",
            daily_budget_micros=5,
            category="phone",
            version=2,
            regions=("440000",),
        ),
    ],
)
def test_control_records_come_back_as_they_went(event: Stock | ShiftResult | Campaign) -> None:
    """Encoding and decoding are inverse."""
    kind = event.kind if isinstance(event, Stock | Campaign) else Kind.RESULTS

    assert [event] == list(decode(kind, [encode(event)]).events)
