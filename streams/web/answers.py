"""The typed answers of the read API; the schema at `/openapi.json` is made from them.

Money is integer micros, time integer ms since the epoch, a ratio a decimal
with six places as a string, null where it is not defined. Unknown is null,
never 0.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from models.decisions import BudgetShift, HeldShift, ShiftResult, Status, Transition
from models.kpis import CSV_PLACES
from models.roi import Amount, Basis, CreditScope, CreditWindow
from models.windows import Scope


def _six_places(value: Decimal) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-CSV_PLACES), rounding=ROUND_HALF_UP):f}"


Ratio = Annotated[Decimal, PlainSerializer(_six_places, return_type=str, when_used="json-unless-none")]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Counters(_Answer):
    """Sums of a cell; counts are records, money is micros."""

    impressions: int
    clicks: int
    spend_micros: int
    orders_placed: int
    orders_paid: int
    orders_cancelled: int
    orders_refunded: int
    orders_fully_refunded: int
    gifts: int
    gmv_placed_micros: int
    gmv_paid_micros: int
    gmv_refunded_micros: int
    gmv_net_micros: int
    direct_orders: int
    direct_gmv_micros: int
    total_orders: int
    total_gmv_micros: int
    eligible_orders: int
    subsidised_orders: int
    flow_cancelled: int = Field(description="Lines cancelled in the window, whenever they were placed.")
    flow_refunds: int = Field(description="Refunds of the window, whenever the line was placed.")
    flow_refunded_micros: int = Field(description="What these refunds gave back.")
    capped_orders: int = Field(description="Credited lines whose amount is cut in capped ROI.")


class Ratios(_Answer):
    """Ratios of a cell over its window, computed on reading."""

    cpc: Ratio | None = Field(description="Currency per click.")
    ctr: Ratio | None = Field(description="Clicks per impression.")
    cvr: Ratio | None = Field(description="Credited order lines per click.")
    cpa: Ratio | None = Field(description="Currency per credited order line of the promoted product.")
    roi_direct: Ratio | None = Field(description="Placed amount of the promoted product per spend; 47 is 47-fold.")
    roi_total: Ratio | None = Field(description="Placed amount of all credited order lines per spend.")
    roi_direct_capped: Ratio | None = Field(description="`roi_direct` with each line's amount cut at the cap.")
    roi_total_capped: Ratio | None = Field(description="`roi_total` with each line's amount cut at the cap.")


class RoiAnswer(_Answer):
    """One ROI with its four labels; compare only what carries the same."""

    name: str
    basis: Basis = Field(description="Time a line is counted at: of its placing or of its click.")
    window: CreditWindow = Field(description="Clicks of the attribution window, or of the line's own local day.")
    amount: Amount = Field(description="Net is paid less refunded.")
    scope: CreditScope = Field(description="Lines of the promoted product, or all credited lines.")
    orders: int = Field(description="Placed lines behind it.")
    amount_micros: int
    value: Ratio | None = Field(description="`amount_micros` per spend of the same window.")


class ExpectedAnswer(_Answer):
    """What the clicks of the window will have brought after 15 days: placed amounts, click basis."""

    roi_direct: Ratio | None
    roi_total: Ratio | None
    orders: int = Field(description="Expected credited lines.")
    direct_gmv_micros: int
    total_gmv_micros: int
    to_come: Ratio = Field(description="Part of the expected orders that is still to come, 0 to 1.")


class RowAnswer(_Answer):
    """One line of the monitoring table."""

    member: str
    region: str | None
    campaign_id: str | None
    name_zh: str
    name_en: str
    campaign_name: str | None = Field(description="Name of the campaign, or its id where none is known.")
    totals: Counters
    share: Ratio | None = Field(description="Part of the table's spend, 0 to 1.")
    ratios: Ratios
    last_minute: int | None = Field(description="Start of the newest minute with an event; null when not known.")
    rois: list[RoiAnswer] | None = Field(None, description="Every ROI with its labels; null unless asked for.")
    roi_click_expected: ExpectedAnswer | None = Field(
        None, description="Click cohort with the orders still to come; null unless asked for, or where it is not known."
    )


class TableAnswer(_Answer):
    """The monitoring table of one window; the total row is apart."""

    by: Scope
    window: str
    start: int | None = Field(description="Start of the window in event time, inclusive.")
    end: int | None = Field(description="End of the window in event time, exclusive.")
    head: int | None = Field(description="Newest event time.")
    rows: list[RowAnswer] = Field(description="Most spend first.")
    rows_left_out: int = Field(description="Rows beyond the limit; the total row counts them.")
    total: RowAnswer
    lost_records: int = Field(
        description="Records the log dropped before they were counted and that may belong here; above 0: incomplete."
    )


class StatusAnswer(_Answer):
    """What is believed of one region's subsidy."""

    region: str
    name_zh: str
    name_en: str
    status: Status
    suspect: bool
    since: int | None
    decided_at: int | None
    cause: str | None
    alert: str | None
    claimed: Status | None
    claimed_by: str | None
    share: Ratio | None
    orders: int
    subsidised: int
    against_orders: int
    against_subsidised: int
    iso: str | None = Field(description="ISO 3166-2 code without the country; null for a code outside the programme.")
    tile_row: int | None = Field(description="Place in the tile map, 1 to 8 from north to south.")
    tile_col: int | None = Field(description="Place in the tile map, 2 to 9 from west to east.")


class StatusList(_Answer):
    """All regions of the programme, in order of their codes."""

    category: str
    decided_to: int | None = Field(description="Event time before which evidence is decided, exclusive.")
    regions: list[StatusAnswer]


class MetaAnswer(_Answer):
    """State of the whole; see `streams.readmeta.Meta`."""

    version: str
    state: Literal["live", "stale", "empty"]
    now: int
    head: int | None
    watermark: int | None
    decided_to: int | None
    last_write: int | None
    idle_ms: int | None = Field(description="Wall time since the newest write.")
    records: int
    records_per_s: float | None = Field(description="Over the last seconds, by the wall clock; null when not known.")
    tallies: dict[str, int]
    mode: str
    killed: bool
    category: str
    zone: str
    config_hash: str
    windows: list[str]


class TransitionList(_Answer):
    """Changes of a status, newest first."""

    transitions: list[Transition]


class ShiftList(_Answer):
    """Budget shifts, vetoes and answers, each newest first."""

    shifts: list[BudgetShift]
    held: list[HeldShift]
    results: list[ShiftResult]


class ExplainAnswer(_Answer):
    """Everything that hangs together with one id."""

    asked: str
    transition: Transition | None
    shifts: list[BudgetShift]
    held: list[HeldShift]
    results: list[ShiftResult]


class Problem(_Answer):
    """An error in one sentence: what, where and what to do next."""

    detail: str
