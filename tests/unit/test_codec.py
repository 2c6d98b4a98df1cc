"""Bytes to events: verdicts, reasons, blocks, and the three places where the fast reader is laxer."""

import pytest

from cases.records import CLICK, ORDER, RESULT, raw, reason_of, with_unknown
from models.codec import REASONS, decode, judge
from models.errors import InvalidEvent
from models.events import Kind


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
