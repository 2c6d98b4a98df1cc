"""Totals: the counters of one cell (a scope in a span of event time), and nothing else.

Every number the product shows is either one of these counters or a ratio of
them computed on reading. A new counter is one field here: the store keeps
fields by name, backtest prints them by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What happened in one cell. Counts are records, money is micros.

    `a + b` is commutative and associative with `Totals()` as zero, so buckets,
    replicas and replays may be merged in any order. Counters may go down: a
    refund or a correction is a negative delta, never a clamp at zero.

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
        direct_orders: credited lines of the promoted product, in the region that bids.
        direct_gmv_micros: placed amount of those lines.
        total_orders: credited lines the halo setting admits, in the region that bids.
        total_gmv_micros: placed amount of those lines.
        eligible_orders: placed lines whose subsidy is known and whose price is eligible.
        subsidised_orders: those of them that carry a subsidy above zero.
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
    direct_orders: int = 0
    direct_gmv_micros: int = 0
    total_orders: int = 0
    total_gmv_micros: int = 0
    eligible_orders: int = 0
    subsidised_orders: int = 0

    @property
    def gmv_net_micros(self) -> int:
        """Paid minus refunded, in micros; may be negative in a bucket of corrections."""
        return self.gmv_paid_micros - self.gmv_refunded_micros

    def __add__(self, other: Self) -> Self:
        """Add counter by counter."""
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in COUNTERS})

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
        out = dict.fromkeys(COUNTERS, 0)
        for part in parts:
            for name in COUNTERS:
                out[name] += getattr(part, name)
        return cls(**out)

    def nonzero(self) -> dict[str, int]:
        """Give the counters that are not zero, in declaration order."""
        return {name: value for name in COUNTERS if (value := getattr(self, name))}


COUNTERS: Final[tuple[str, ...]] = tuple(field.name for field in fields(Totals))
"""Counter names in declaration order; the position is the code of a counter on the hot path."""
