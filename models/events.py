"""What is said to this program: one contract per input topic, and the table of topics.

The models are frozen and strict: no number from text, no flag from a number.
A field that is not declared is ignored, so an older reader survives a newer
producer; a declared optional field that is absent is None, never 0. Times are
milliseconds since the epoch in UTC, money is integer micros.

An order's `at` may lie before its `placed_at`: clocks of two systems differ,
and the bucket of an order is `placed_at` alone.
"""

from enum import StrEnum
from typing import ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from models.decisions import RESULTS_TOPIC, ShiftResult
from models.fields import (
    CountField,
    EventIdField,
    HoursField,
    LineField,
    MicrosField,
    NameField,
    QuantityField,
    RegionField,
    TextField,
    TimeField,
    VersionField,
)
from models.units import UNKNOWN_REGION


class Kind(StrEnum):
    """A kind of input record; the value is its name in tallies, metrics and mapping files."""

    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    ORDERS = "orders"
    ANNOUNCEMENTS = "announcements"
    STOCK = "stock"
    CAMPAIGNS = "campaigns"
    RESULTS = "results"


TOPICS: Final[dict[Kind, str]] = {
    Kind.IMPRESSIONS: "ads.impressions.v1",
    Kind.CLICKS: "ads.clicks.v1",
    Kind.ORDERS: "shop.orders.v1",
    Kind.ANNOUNCEMENTS: "subsidy.announcements.v1",
    Kind.STOCK: "shop.stock.v1",
    Kind.CAMPAIGNS: "ads.campaigns.v1",
    Kind.RESULTS: RESULTS_TOPIC,
}
"""The topic of each kind."""

KINDS: Final[dict[str, Kind]] = {topic: kind for kind, topic in TOPICS.items()}
"""The kind of each topic."""

OrderStatus = Literal["placed", "paid", "cancelled", "refunded"]
SubsidyState = Literal["on", "quota", "quota_hours", "paused", "exhausted", "upgrading", "off"]
PlanType = Literal["subsidy", "regular"]


class _Event(BaseModel):
    """The fields every event has.

    Attributes:
        event_id: names the event among all of its topic; a repeat is a duplicate.
        at: event time in milliseconds since the epoch, UTC.
        region: a GB/T 2260 adcode, or `unknown`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")
    kind: ClassVar[Kind]

    event_id: EventIdField
    at: TimeField
    region: RegionField

    @classmethod
    def topic(cls) -> str:
        """Give the topic these events are read from."""
        return TOPICS[cls.kind]


class Impression(_Event):
    """An ad was shown; `spend_micros` is 0 where the campaign pays per click."""

    kind: ClassVar[Kind] = Kind.IMPRESSIONS

    campaign_id: NameField
    spend_micros: MicrosField
    user_id: NameField | None = None
    city: NameField | None = None
    channel: NameField | None = None
    creative_id: NameField | None = None
    segment: NameField | None = None
    category: NameField | None = None


class Click(_Event):
    """An ad was clicked."""

    kind: ClassVar[Kind] = Kind.CLICKS

    campaign_id: NameField
    user_id: NameField
    spend_micros: MicrosField
    city: NameField | None = None
    channel: NameField | None = None
    creative_id: NameField | None = None
    keyword: NameField | None = None
    sku: NameField | None = None
    segment: NameField | None = None
    category: NameField | None = None


class Order(_Event):
    """One order line reached a status.

    Attributes:
        at: time of this status.
        placed_at: time the order was placed, the same in every record of a line.
        amount_micros: what this line was placed for.
        paid_micros: what was paid; required with `paid`.
        refund_micros: what this one refund gave back; required with `refunded`.
        subsidy_micros: 0 is eligible but not granted or not asked for, None is not known.
        gift: a gift line, which enters no sum of orders or money.
        halo: with `campaign_id`: the ad platform counts the line for the campaign, but not as its promoted product.
    """

    kind: ClassVar[Kind] = Kind.ORDERS

    order_id: NameField
    line: LineField
    status: OrderStatus
    placed_at: TimeField
    quantity: QuantityField
    amount_micros: MicrosField
    user_id: NameField | None = None
    sku: NameField | None = None
    brand: NameField | None = None
    category: NameField | None = None
    unit_price_micros: MicrosField | None = None
    paid_micros: MicrosField | None = None
    refund_micros: MicrosField | None = None
    subsidy_micros: MicrosField | None = None
    gift: bool = False
    campaign_id: NameField | None = None
    click_id: NameField | None = None
    halo: bool = False
    city: NameField | None = None
    channel: NameField | None = None

    @model_validator(mode="after")
    def _has_its_amount(self) -> Self:
        if self.status == "paid" and self.paid_micros is None:
            raise PydanticCustomError("missing_amount", "paid_micros is required with status paid")
        if self.status == "refunded" and self.refund_micros is None:
            raise PydanticCustomError("missing_amount", "refund_micros is required with status refunded")
        return self


class Announcement(_Event):
    """Somebody said that a subsidy changes: a fact with a source, not the truth.

    Attributes:
        at: when it was published.
        effective_at: when the change takes effect.
        expires_at: when it ends by itself; None for until further notice.
        daily_hours: claim window of `quota_hours` in local time, such as `08:30-22:00`.
    """

    kind: ClassVar[Kind] = Kind.ANNOUNCEMENTS

    source: NameField
    state: SubsidyState
    category: NameField
    effective_at: TimeField
    city: NameField | None = None
    channel: NameField | None = None
    expires_at: TimeField | None = None
    daily_hours: HoursField | None = None
    text: TextField | None = None


class Stock(_Event):
    """What is left of a product; the whole shop's stock where no region is named."""

    kind: ClassVar[Kind] = Kind.STOCK

    region: RegionField = UNKNOWN_REGION
    sku: NameField
    on_hand: CountField


class Campaign(_Event):
    """An advertising plan as it stands; a later record of the same campaign replaces it.

    Attributes:
        region: carries no meaning here; `regions` does.
        regions: where it runs; None for everywhere.
        region_addressable: its budget can be moved to and from regions by itself.
        bid_micros: None where the platform bids.
        version: rises with every change of the budget.
    """

    kind: ClassVar[Kind] = Kind.CAMPAIGNS

    region: RegionField = UNKNOWN_REGION
    campaign_id: NameField
    name: NameField
    plan_type: PlanType
    channel: NameField
    daily_budget_micros: MicrosField
    category: NameField
    version: VersionField
    bid_micros: MicrosField | None = None
    regions: tuple[RegionField, ...] | None = Field(None, max_length=1_000)
    region_addressable: bool = False
    skus: tuple[NameField, ...] = Field((), max_length=1_000)


Event = Impression | Click | Order | Announcement | Stock | Campaign | ShiftResult

CONTRACTS: Final[dict[Kind, type[Event]]] = {
    Kind.IMPRESSIONS: Impression,
    Kind.CLICKS: Click,
    Kind.ORDERS: Order,
    Kind.ANNOUNCEMENTS: Announcement,
    Kind.STOCK: Stock,
    Kind.CAMPAIGNS: Campaign,
    Kind.RESULTS: ShiftResult,
}
"""The contract of each kind."""
