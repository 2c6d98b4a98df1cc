"""The field types of events, with their bounds declared once for both judges.

Each type carries its bounds twice, next to each other: for pydantic, whose
models are the contract, and for msgspec, whose structs are the hot path.
"""

from typing import Annotated, Final

from msgspec import Meta
from pydantic import Field

from models.units import MAX_MICROS

MAX_AT: Final = 4_102_444_800_000
"""Latest time an event may carry, inclusive: 2100-01-01T00:00:00Z, in milliseconds."""

MAX_QUANTITY: Final = 1_000_000
MAX_VERSION: Final = 2**53
REGION_PATTERN: Final = "^(unknown|(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])[0-9]{4})$"
"""A GB/T 2260 adcode below one of the 34 province-level divisions, or `unknown`."""

EventIdField = Annotated[str, Meta(min_length=1, max_length=64), Field(min_length=1, max_length=64)]
NameField = Annotated[str, Meta(min_length=1, max_length=128), Field(min_length=1, max_length=128)]
TextField = Annotated[str, Meta(max_length=2_000), Field(max_length=2_000)]
TimeField = Annotated[int, Meta(ge=0, le=MAX_AT), Field(ge=0, le=MAX_AT)]
MicrosField = Annotated[int, Meta(ge=0, le=MAX_MICROS), Field(ge=0, le=MAX_MICROS)]
QuantityField = Annotated[int, Meta(ge=1, le=MAX_QUANTITY), Field(ge=1, le=MAX_QUANTITY)]
LineField = Annotated[int, Meta(ge=0, le=MAX_QUANTITY), Field(ge=0, le=MAX_QUANTITY)]
CountField = Annotated[int, Meta(ge=0, le=10**9), Field(ge=0, le=10**9)]
VersionField = Annotated[int, Meta(ge=0, le=MAX_VERSION), Field(ge=0, le=MAX_VERSION)]
RegionField = Annotated[str, Field(pattern=REGION_PATTERN)]
HoursField = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]$")]
"""Daily claim window in local time, such as `08:30-22:00`."""
