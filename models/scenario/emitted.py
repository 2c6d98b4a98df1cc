"""A record as a scenario emits it, before it is bytes."""

from typing import Final, NamedTuple

from models.units import EpochMs

IMPRESSIONS: Final = "ads.impressions.v1"
CLICKS: Final = "ads.clicks.v1"
ORDERS: Final = "shop.orders.v1"
ANNOUNCEMENTS: Final = "subsidy.announcements.v1"
CAMPAIGNS: Final = "ads.campaigns.v1"

Value = str | int | bool | None | list[str]
Payload = dict[str, Value]


class Emitted(NamedTuple):
    """One record on its way to a topic.

    Attributes:
        arrival: when it reaches the log, in ms; event time is `body["at"]` and never later.
        topic: where it goes.
        key: what it is keyed by.
        body: the payload; to be read, not changed.
    """

    arrival: EpochMs
    topic: str
    key: str
    body: Payload
