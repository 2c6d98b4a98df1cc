"""Totals: the counters of one cell (a scope in a span of event time), and nothing else.

Every number the product shows is either one of these counters or a ratio of
them computed on reading. A new counter is one field here and one name in its
group: the store keeps groups by position, backtest prints counters by name.

```
group   counted in                     bucket of         member
ads     the ad's region                the ad            plain integers, one per counter
o       the line's ship-to region      placed_at         orders and their amounts
        the line's ship-to region      the record's at   flows: what was cancelled and refunded when it arrived
d       the credited click's region    placed_at         credit, order basis
k       the credited click's region    the click         credit, click basis (cohorts)
```
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import add, attrgetter
from typing import Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What happened in one cell. Counts are records, money is micros.

    `a + b` is commutative and associative with `Totals()` as zero, so buckets,
    replicas and replays may be merged in any order. Counters may go down: a
    refund or a correction is a negative delta, never a clamp at zero.

    Credit has four labels. Basis: order (bucket of `placed_at`; no prefix) or
    click (bucket of the click; `click_`). Window: 15 days, or the click's local
    day (`_0d`). Amount: placed (`gmv`), `paid`, `refunded`; net is paid minus
    refunded. Scope: `direct` or `total`.

    Attributes:
        impressions: impressions by `at`, in the region of the impression.
        clicks: clicks by `at`, in the region of the click.
        spend_micros: cost of impressions and clicks.
        orders_placed: order lines by `placed_at`, in the ship-to region, gifts excluded.
        orders_paid: lines with a first paid record, in the bucket of `placed_at`.
        orders_cancelled: lines with a first cancelled record, in the bucket of `placed_at`.
        orders_refunded: lines with at least one refund, in the bucket of `placed_at`.
        orders_fully_refunded: lines whose refunds reached what was paid.
        gifts: gift lines, which enter no other counter.
        gmv_placed_micros: `amount_micros` of placed lines.
        gmv_paid_micros: `paid_micros` of paid lines.
        gmv_refunded_micros: `refund_micros` of refunds.
        eligible_orders: placed lines whose subsidy is known and whose price is eligible.
        subsidised_orders: those of them that carry a subsidy above zero.
        flow_cancelled: first cancelled records, in the bucket of their own `at`.
        flow_refunds: refunds, in the bucket of their own `at`.
        flow_refunded_micros: `refund_micros` of refunds, in the bucket of their own `at`.
        direct_orders: credited placed lines of the promoted product, in the region that bids.
        direct_gmv_micros: placed amount of those lines.
        direct_paid_micros: paid amount of credited lines of the promoted product.
        direct_refunded_micros: refunded amount of them.
        total_orders: credited placed lines the halo setting admits, in the region that bids.
        total_gmv_micros: placed amount of those lines.
        total_paid_micros: paid amount of credited lines.
        total_refunded_micros: refunded amount of them.
        direct_orders_0d: as without `_0d`, of lines placed on the local day of the click; so the seven that follow.
        capped_orders: credited placed lines of `total_orders` whose amount is above the cap.
        direct_capped_micros: `direct_gmv_micros` with each line's amount cut at the cap.
        total_capped_micros: `total_gmv_micros` with each line's amount cut at the cap.
        click_direct_orders: as `direct_orders`, in the bucket of the click; so for the fifteen that follow.
    """

    impressions: int = 0
    clicks: int = 0
    spend_micros: int = 0

    orders_placed: int = 0
    orders_paid: int = 0
    orders_cancelled: int = 0
    orders_refunded: int = 0
    orders_fully_refunded: int = 0
    gifts: int = 0
    gmv_placed_micros: int = 0
    gmv_paid_micros: int = 0
    gmv_refunded_micros: int = 0
    eligible_orders: int = 0
    subsidised_orders: int = 0
    flow_cancelled: int = 0
    flow_refunds: int = 0
    flow_refunded_micros: int = 0

    direct_orders: int = 0
    direct_gmv_micros: int = 0
    direct_paid_micros: int = 0
    direct_refunded_micros: int = 0
    total_orders: int = 0
    total_gmv_micros: int = 0
    total_paid_micros: int = 0
    total_refunded_micros: int = 0
    direct_orders_0d: int = 0
    direct_gmv_0d_micros: int = 0
    direct_paid_0d_micros: int = 0
    direct_refunded_0d_micros: int = 0
    total_orders_0d: int = 0
    total_gmv_0d_micros: int = 0
    total_paid_0d_micros: int = 0
    total_refunded_0d_micros: int = 0
    capped_orders: int = 0
    direct_capped_micros: int = 0
    total_capped_micros: int = 0

    click_direct_orders: int = 0
    click_direct_gmv_micros: int = 0
    click_direct_paid_micros: int = 0
    click_direct_refunded_micros: int = 0
    click_total_orders: int = 0
    click_total_gmv_micros: int = 0
    click_total_paid_micros: int = 0
    click_total_refunded_micros: int = 0
    click_direct_orders_0d: int = 0
    click_direct_gmv_0d_micros: int = 0
    click_direct_paid_0d_micros: int = 0
    click_direct_refunded_0d_micros: int = 0
    click_total_orders_0d: int = 0
    click_total_gmv_0d_micros: int = 0
    click_total_paid_0d_micros: int = 0
    click_total_refunded_0d_micros: int = 0

    @property
    def gmv_net_micros(self) -> int:
        """Paid minus refunded, in micros; may be negative in a bucket of corrections."""
        return self.gmv_paid_micros - self.gmv_refunded_micros

    def __add__(self, other: Self) -> Self:
        """Add counter by counter."""
        return type(self)(**dict(zip(COUNTERS, map(add, _amounts(self), _amounts(other)), strict=True)))

    @classmethod
    def of(cls, counters: Mapping[str, int]) -> Self:
        """Build from counter names; a name that is absent is zero.

        Raises:
            TypeError: a name is not a counter.
        """
        return cls(**counters)

    @classmethod
    def sum(cls, parts: Iterable[Self]) -> Self:
        """Add any number of totals; the sum of none is zero."""
        columns = zip(*map(_amounts, parts), strict=True)
        return cls(**dict(zip(COUNTERS, map(sum, columns), strict=False)))  # without parts there are no columns

    def is_empty(self) -> bool:
        """Tell whether every counter is zero."""
        return not any(_amounts(self))

    def nonzero(self) -> dict[str, int]:
        """Give the counters that are not zero, in declaration order."""
        return {name: value for name, value in zip(COUNTERS, _amounts(self), strict=True) if value}


COUNTERS: Final[tuple[str, ...]] = tuple(field.name for field in fields(Totals))
"""Counter names in declaration order."""

_amounts: Final = attrgetter(*COUNTERS)
"""All counters of a cell at once: a tenth of the time of reading them one by one."""


def _from_to(first: str, last: str) -> tuple[str, ...]:
    return COUNTERS[COUNTERS.index(first) : COUNTERS.index(last) + 1]


AD_COUNTERS: Final = _from_to("impressions", "spend_micros")
"""Counters that are kept one by one: a cell has one or two of them."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "o": _from_to("orders_placed", "flow_refunded_micros"),
    "d": _from_to("direct_orders", "total_capped_micros"),
    "k": _from_to("click_direct_orders", "click_total_refunded_0d_micros"),
}
"""Counters that are kept as one vector per member: group letter to its counters by position.

The position is part of the stored layout: a new counter goes to the end of its group.
"""

Vector = Sequence[int]
"""Amounts of one group's counters by position; zeros at the end may be left out."""
