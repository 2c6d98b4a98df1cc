"""The units and identifiers every other module speaks in.

Money is an integer number of micros of the account currency, time an integer
number of milliseconds since the epoch in UTC. Identifiers are NewTypes, so a
region cannot be passed where a campaign is meant.
"""

from decimal import Decimal
from typing import Final, NewType

Micros = NewType("Micros", int)
EpochMs = NewType("EpochMs", int)
DurationMs = NewType("DurationMs", int)

Region = NewType("Region", str)
CampaignId = NewType("CampaignId", str)
EventId = NewType("EventId", str)
OrderId = NewType("OrderId", str)
UserId = NewType("UserId", str)
Sku = NewType("Sku", str)
Category = NewType("Category", str)

MICROS_PER_UNIT: Final = 1_000_000
SECOND_MS: Final = DurationMs(1_000)
MINUTE_MS: Final = DurationMs(60_000)
HOUR_MS: Final = DurationMs(3_600_000)
DAY_MS: Final = DurationMs(86_400_000)

MAX_MICROS: Final = 10**15
"""Largest amount one event may carry, inclusive: a thousand million yuan."""

UNKNOWN_REGION: Final = Region("unknown")


def to_currency(amount: Micros) -> Decimal:
    """Convert micros to whole units of the account currency, exactly."""
    return Decimal(amount) / MICROS_PER_UNIT
