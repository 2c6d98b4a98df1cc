"""The contracts of the input topics: what they take, what they ignore, what they refuse."""

import pytest
from msgspec.structs import fields
from pydantic import BaseModel, ValidationError

from models.events import CONTRACTS, KINDS, TOPICS, Announcement, Campaign, Click, Impression, Kind, Order, Stock
from models.wire import WireClick, WireImpression, WireOrder

COMMON: dict[str, object] = {"event_id": "e1", "at": 1_741_500_000_000, "region": "440000"}
SMALLEST: dict[type[BaseModel], dict[str, object]] = {
    Impression: COMMON | {"campaign_id": "c1", "spend_micros": 0},
    Click: COMMON | {"campaign_id": "c1", "user_id": "u1", "spend_micros": 370_000},
    Order: COMMON
    | {"order_id": "o1", "line": 1, "status": "placed", "placed_at": 1, "quantity": 1, "amount_micros": 2_999_000_000},
    Announcement: COMMON | {"source": "gov", "state": "on", "category": "phone", "effective_at": 1},
    Stock: {"event_id": "e1", "at": 1, "sku": "s1", "on_hand": 0},
    Campaign: {
        "event_id": "e1",
        "at": 1,
        "campaign_id": "c1",
        "name": "小米15 国补",
        "plan_type": "subsidy",
        "channel": "search",
        "daily_budget_micros": 1,
        "category": "phone",
        "version": 0,
    },
}


@pytest.mark.parametrize("model", SMALLEST)
def test_the_required_fields_are_enough(model: type[BaseModel]) -> None:
    """An optional field that is absent is None, empty or false, and never a made-up figure."""
    event = model.model_validate(SMALLEST[model])
    added = {name: value for name, value in event.model_dump().items() if name not in SMALLEST[model]}

    assert all(value in (None, False, (), "unknown") for value in added.values())


@pytest.mark.parametrize("model", SMALLEST)
def test_every_required_field_is_required(model: type[BaseModel]) -> None:
    """Without any one of them the event is refused."""
    for name in SMALLEST[model]:
        rest = {other: value for other, value in SMALLEST[model].items() if other != name}
        with pytest.raises(ValidationError, match=name):
            model.model_validate(rest)


@pytest.mark.parametrize("model", SMALLEST)
def test_unknown_fields_are_ignored(model: type[BaseModel]) -> None:
    """An older reader survives a newer producer."""
    body = SMALLEST[model]

    assert model.model_validate(body) == model.model_validate(body | {"added_in_2026": {"deep": [1]}})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", ""),
        ("event_id", "e" * 65),
        ("at", -1),
        ("at", 4_102_444_800_001),
        ("at", 1.0),
        ("at", "1"),
        ("at", True),
        ("region", "mars"),
        ("region", "999999"),
        ("region", "44000"),
        ("region", "440000\n"),
        ("region", None),
        ("campaign_id", "c" * 129),
        ("spend_micros", -1),
        ("spend_micros", 10**15 + 1),
        ("city", ""),
    ],
)
def test_values_out_of_bounds_are_refused(field: str, value: object) -> None:
    """No number from text, no flag as a number, nothing beyond its bounds."""
    with pytest.raises(ValidationError, match=field):
        Impression.model_validate(SMALLEST[Impression] | {field: value})


@pytest.mark.parametrize("region", ["110000", "440100", "810000", "unknown"])
def test_adcodes_of_the_country_are_regions(region: str) -> None:
    """A code outside the programme, or of a city, is a region of its own; `unknown` is one too."""
    assert region == Impression.model_validate(SMALLEST[Impression] | {"region": region}).region


@pytest.mark.parametrize(("status", "field"), [("paid", "paid_micros"), ("refunded", "refund_micros")])
def test_a_payment_and_a_refund_name_their_amount(status: str, field: str) -> None:
    """The amount is optional in general and required with its status; 0 is an amount."""
    body = SMALLEST[Order] | {"status": status}

    assert 0 == getattr(Order.model_validate(body | {field: 0}), field)
    with pytest.raises(ValidationError, match=field):
        Order.model_validate(body)


def test_an_order_may_precede_its_placing_on_another_clock() -> None:
    """Clocks of two systems differ, so `at` before `placed_at` is accepted."""
    assert 5 == Order.model_validate(SMALLEST[Order] | {"at": 4, "placed_at": 5}).placed_at


@pytest.mark.parametrize("hours", ["8:30-22:00", "08:30", "25:00-26:00", "08:30-22:00 "])
def test_daily_hours_are_two_times_of_day(hours: str) -> None:
    """Anything but `HH:MM-HH:MM` is refused."""
    body = SMALLEST[Announcement]

    assert "08:30-22:00" == Announcement.model_validate(body | {"daily_hours": "08:30-22:00"}).daily_hours
    with pytest.raises(ValidationError, match="daily_hours"):
        Announcement.model_validate(body | {"daily_hours": hours})


def test_every_kind_has_one_topic_and_one_contract() -> None:
    """The tables agree with each other and with the classes."""
    assert set(Kind) == set(TOPICS) == set(CONTRACTS)
    assert {topic: kind for kind, topic in TOPICS.items()} == KINDS
    for model in (Impression, Click, Order, Announcement, Stock, Campaign):
        assert CONTRACTS[model.kind] is model
        assert TOPICS[model.kind] == model.topic()


@pytest.mark.parametrize(
    ("model", "wire"), [(Impression, WireImpression), (Click, WireClick), (Order, WireOrder)], ids=str
)
def test_structs_have_the_fields_of_their_contract(model: type[BaseModel], wire: type[WireImpression]) -> None:
    """Same names, same order, same defaults, same fields required."""
    expected = [(name, field.is_required(), field.default) for name, field in model.model_fields.items()]
    actual = [(field.name, field.required, field.default) for field in fields(wire)]

    assert [row[:2] for row in expected] == [row[:2] for row in actual]
    assert [row[2] for row in expected if not row[1]] == [row[2] for row in actual if not row[1]]
