"""Batches of records: neighbours, bounds, and back to the same bytes."""

import json

import pytest

from cases.records import CLICK, ORDER, raw
from models.codec import BLOCK, decode, encode
from models.decisions import ShiftResult
from models.events import Campaign, Click, Impression, Kind, Order, Stock
from models.wire import WireClick, WireImpression, WireOrder


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


@pytest.mark.parametrize("status", ["paid", "refunded"])
def test_an_order_without_its_amount_is_found_among_good_ones(status: str) -> None:
    """What no struct judges by itself is judged in a block as it is alone."""
    values = [raw(ORDER | {"event_id": str(index)}) for index in range(BLOCK + 9)]
    values[BLOCK + 3] = raw(ORDER | {"status": status})

    assert [(BLOCK + 3, "missing_field")] == [(at, why.reason) for at, why in decode(Kind.ORDERS, values).rejects]


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
