"""Settings of the rules: one section each; a content hash of all of them travels with every decision."""

from collections.abc import Collection
from decimal import Decimal
from hashlib import blake2b
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.units import MICROS_PER_UNIT


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _row_of(table: Collection[str], name: str) -> str:
    if name not in table:
        raise ValueError(f"take one of {', '.join(sorted(table))}")
    return name


class EligibilitySettings(_Rules):
    """Which orders say something about the subsidy."""

    category: str = Field("phone", min_length=1, max_length=64, description="Category that is watched.")
    price_cap_micros: int = Field(6_000 * MICROS_PER_UNIT, ge=1, description="Dearest eligible unit price, inclusive.")
    hours_offset_minutes: int = Field(
        480, ge=-720, le=840, description="Offset from UTC of announced daily hours, in minutes."
    )


class DetectorSettings(_Rules):
    """How soon a change is believed."""

    kind: str = Field("shiryaev_roberts", description="Which detector of `rules.DETECTORS`.")
    orders_to_false_alarm: int = Field(
        20_000, ge=100, le=10**9, description="Mean eligible orders to a false alarm, per region."
    )

    @field_validator("kind")
    @classmethod
    def _is_a_row(cls, kind: str) -> str:
        from rules import DETECTORS  # here, because the table's own modules read these settings

        return _row_of(DETECTORS, kind)


class AllocatorSettings(_Rules):
    """How a plan is made, and its bounds."""

    rule: str = Field("split_by_value", description="Which rule of `rules.RULES`.")
    floor_percent: Decimal = Field(
        Decimal(20), ge=0, le=100, description="Least budget, percent of the starting budget."
    )
    cap_percent: Decimal = Field(
        Decimal(300), ge=100, le=10_000, description="Most budget, percent of the starting budget."
    )
    step_percent: Decimal = Field(
        Decimal(30), gt=0, le=1_000, description="Most change of one plan, percent of the current budget."
    )
    window: Literal["15m", "1h", "24h", "today"] = Field("24h", description="Window the value is measured over.")
    prior_orders: int = Field(
        10, ge=0, le=100_000, description="Orders at the pooled return that a region's own are mixed with."
    )
    on_percent: int = Field(130, ge=1, le=10_000, description="Weight of a region whose subsidy is on, percent.")
    off_percent: int = Field(75, ge=1, le=10_000, description="Weight of a region whose subsidy is off, percent.")

    @field_validator("rule")
    @classmethod
    def _is_a_row(cls, rule: str) -> str:
        from rules import RULES  # here, because the table's own modules read these settings

        return _row_of(RULES, rule)


class GuardSettings(_Rules):
    """When money may not move."""

    mode: Literal["observe", "dry_run", "auto"] = Field(
        "dry_run", description="observe: decide only; dry_run: publish, apply nothing; auto: apply."
    )
    min_clicks: int = Field(50, ge=0, description="Evidence floor: clicks in the window, all regions together.")
    min_orders: int = Field(10, ge=0, description="Evidence floor: orders in the window, all regions together.")
    dead_band_percent: Decimal = Field(
        Decimal(1), ge=0, le=100, description="A plan that moves less than this part of the money is not worth it."
    )
    cooldown_s: int = Field(
        1_200,
        ge=0,
        le=604_800,
        description="No second shift called for by a region within this event time, unless it has just run dry.",
    )
    ttl_s: int = Field(600, ge=1, le=86_400, description="A shift not applied within this wall time is void.")


class RuleSettings(_Rules):
    """All rules."""

    eligibility: EligibilitySettings = EligibilitySettings()
    detector: DetectorSettings = DetectorSettings()
    allocator: AllocatorSettings = AllocatorSettings()
    guards: GuardSettings = GuardSettings()

    @property
    def config_hash(self) -> str:
        """Hash of the content, 16 hex digits: equal rules have equal hashes, whatever file they came from."""
        return blake2b(self.model_dump_json().encode(), digest_size=8).hexdigest()
