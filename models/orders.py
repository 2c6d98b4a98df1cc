"""One order line's life: what each of its records adds, in whatever order they arrive.

```
placed ---> paid ---> refunded, refunded, ...
      `---> cancelled
```

The first record of a status counts and later copies are duplicates; refunds
come in parts, so each event id of them counts once. The sums do not depend on
the order of arrival, a refund before its payment included, as long as the
records of a line agree on what they repeat (`placed_at`, region, campaign, gift).
A gift enters `gifts` and no other counter.

A state is text, `flags|paid|refunded|refund ids`: `pd|5999000000|0|` is placed
and paid. Refund ids are hashes, sorted, so equal histories have equal states.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from models.errors import InvalidEvent
from models.events import Order, OrderStatus
from models.units import EpochMs
from models.wire import WireOrder

MAX_REFUNDS: Final = 64
"""Refunds one line may have; its state stays under 1.2 KB."""

_FLAGS: Final[dict[OrderStatus, str]] = {"placed": "p", "paid": "d", "cancelled": "c"}


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Which order lines say something about the subsidy.

    Attributes:
        category: the category that is watched; a line without one is taken to be of it.
        price_cap_micros: dearest eligible unit price, inclusive.
    """

    category: str
    price_cap_micros: int

    def holds(self, order: Order | WireOrder) -> bool:
        """Tell whether a line is eligible and its subsidy known, so that 0 means not granted."""
        if order.gift or order.subsidy_micros is None or order.category not in (None, self.category):
            return False
        if order.unit_price_micros is not None:
            return order.unit_price_micros <= self.price_cap_micros
        return order.amount_micros <= self.price_cap_micros * order.quantity


class LineSwap(NamedTuple):
    """Compare-and-set of one order line's state.

    Attributes:
        day: local midnight of `placed_at`, which is where the line is kept and swept.
        key: order id and line, as `line_key` gives it.
        old: the state that was read; None when there was none.
        new: the state to keep.
    """

    day: EpochMs
    key: str
    old: str | None
    new: str


class Step(NamedTuple):
    """What one record did to its line.

    Attributes:
        state: the line's next state; equal to the old one for a duplicate.
        counters: counter of `Totals` to the amount it gains; empty for a duplicate. No entry is 0.
        duplicate: the record was counted before.
    """

    state: str
    counters: dict[str, int]
    duplicate: bool


class _Line(NamedTuple):
    flags: str
    paid_micros: int
    refunded_micros: int
    refunds: tuple[str, ...]

    @property
    def is_refunded_in_full(self) -> bool:
        return bool(self.refunds) and "d" in self.flags and self.refunded_micros >= self.paid_micros

    def text(self) -> str:
        return f"{self.flags}|{self.paid_micros}|{self.refunded_micros}|{','.join(self.refunds)}"


_NEW: Final = _Line("", 0, 0, ())
_PLACED: Final = _NEW._replace(flags="p").text()


def line_key(order_id: str, line: int) -> str:
    """Name a line among all; the number comes first, so no order id can imitate another's line."""
    return f"{line}:{order_id}"


def advance(state: str | None, order: Order | WireOrder, eligibility: Eligibility) -> Step:
    """Feed one record of a line; None is the state of a line never seen.

    Raises:
        InvalidEvent: `out_of_range`, the line has `MAX_REFUNDS` other refunds already.
    """
    if state is None and order.status == "placed":
        return Step(_PLACED, _nonzero(_gained(order, _NEW, eligibility)), duplicate=False)  # the usual case, at once
    before = _NEW if state is None else _parse(state)
    after = _after(before, order)
    if after is None:
        return Step(before.text(), {}, duplicate=True)
    counters = {} if order.gift and order.status != "placed" else _gained(order, before, eligibility)
    if not order.gift and after.is_refunded_in_full and not before.is_refunded_in_full:
        counters["orders_fully_refunded"] = 1
    return Step(after.text(), _nonzero(counters), duplicate=False)


def _nonzero(counters: dict[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in counters.items() if amount}


def _parse(state: str) -> _Line:
    flags, paid, refunded, refunds = state.split("|")
    return _Line(flags, int(paid), int(refunded), tuple(refunds.split(",")) if refunds else ())


def _after(line: _Line, order: Order | WireOrder) -> _Line | None:
    """Give the line with this record in it; None when it was in it before."""
    if order.status == "refunded":
        return _after_refund(line, order)
    flag = _FLAGS[order.status]
    if flag in line.flags:
        return None
    flags = "".join(known for known in _FLAGS.values() if known == flag or known in line.flags)
    paid = order.paid_micros or 0 if order.status == "paid" else line.paid_micros
    return line._replace(flags=flags, paid_micros=paid)


def _after_refund(line: _Line, order: Order | WireOrder) -> _Line | None:
    refund = blake2b(order.event_id.encode(), digest_size=8).hexdigest()
    if refund in line.refunds:
        return None
    if len(line.refunds) == MAX_REFUNDS:
        raise InvalidEvent("out_of_range", f"event_id: the line has {MAX_REFUNDS} refunds already")
    refunded = line.refunded_micros + (order.refund_micros or 0)
    return line._replace(refunded_micros=refunded, refunds=tuple(sorted((*line.refunds, refund))))


def _gained(order: Order | WireOrder, before: _Line, eligibility: Eligibility) -> dict[str, int]:
    if order.gift:
        return {"gifts": 1}
    if order.status == "placed":
        return _gained_by_placing(order, eligibility)
    if order.status == "paid":
        return {"orders_paid": 1, "gmv_paid_micros": order.paid_micros or 0}
    if order.status == "cancelled":
        return {"orders_cancelled": 1}
    return {"orders_refunded": 0 if before.refunds else 1, "gmv_refunded_micros": order.refund_micros or 0}


def _gained_by_placing(order: Order | WireOrder, eligibility: Eligibility) -> dict[str, int]:
    gained = {"orders_placed": 1, "gmv_placed_micros": order.amount_micros}
    if order.campaign_id is not None:
        gained |= {"total_orders": 1, "total_gmv_micros": order.amount_micros}
        if not order.halo:
            gained |= {"direct_orders": 1, "direct_gmv_micros": order.amount_micros}
    if eligibility.holds(order):
        gained |= {"eligible_orders": 1, "subsidised_orders": 1 if order.subsidy_micros else 0}
    return gained
