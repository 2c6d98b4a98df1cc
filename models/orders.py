"""One order line's life: what its records say of it, in whatever order they arrive.

```
placed ---> paid ---> refunded, refunded, ...
      `---> cancelled
```

The first record of a line, whatever its status, fixes what all of its records
repeat: `placed_at`, region, product, campaign, gift. The first record of a
status counts and later copies are duplicates; refunds come in parts, so each
event id of them counts once. As long as the records of a line agree on what
they repeat, the line does not depend on the order of their arrival, a refund
before its payment included.

A line is kept as text, a JSON array of the fields of `Line`, whose last ones
are left out where they say nothing: `[1,1741500000000,"440000",5999000000]` is
placed, and no click can be credited with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from models.errors import InvalidEvent
from models.events import Order
from models.units import EpochMs
from models.wire import WireOrder

MAX_REFUNDS: Final = 64
"""Refunds one line may have; its state stays under 5 KB."""

PLACED, PAID, CANCELLED, GIFT, ELIGIBLE, SUBSIDISED = (1 << bit for bit in range(6))
"""Bits of `Line.flags`."""

LineId = tuple[EpochMs, str]
"""Where a line's state is kept: local midnight of `placed_at`, and `line_key`."""

Refund = tuple[str, int, int]
"""Hash of the event id, event time, amount in micros."""

Traits = tuple[str | None, str | None, str | None]
"""SKU, brand and category of the product."""


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


class Credit(Struct, array_like=True, frozen=True, gc=False):
    """What an order line counts for, and why.

    Attributes:
        at: time of the click; `placed_at` of a line that names its campaign.
        event_id: the click's; empty where the line names its campaign.
        campaign_id: the campaign that is credited.
        region: the region that is credited, the one that bids.
        direct: the promoted product was bought.
        admitted: the halo setting lets the line count in total; a direct one always does.
    """

    at: int
    event_id: str
    campaign_id: str
    region: str
    direct: bool
    admitted: bool


class Line(Struct, array_like=True, frozen=True, gc=False):
    """All that is known of an order line.

    Attributes:
        flags: what was seen, `PLACED`, `PAID`, `CANCELLED`, and what it is, `GIFT`, `ELIGIBLE`, `SUBSIDISED`.
        placed_at: when it was placed.
        region: where it is shipped to.
        amount_micros: what it was placed for; 0 before it was.
        traits: its product, if a click can be credited with the line; else None.
        credit: what it counts for; None for its region alone.
        paid_micros: what was paid; 0 before it was.
        cancelled_at: event time of its cancelling; 0 before it was.
        refunds: its refunds, sorted, so equal histories have equal states.
        cap_micros: where its amount is cut in capped sums; 0 for nowhere.
    """

    flags: int
    placed_at: int
    region: str
    amount_micros: int = 0
    traits: Traits | None = None
    credit: Credit | None = None
    paid_micros: int = 0
    cancelled_at: int = 0
    refunds: tuple[Refund, ...] = ()
    cap_micros: int = 0

    @property
    def refunded_micros(self) -> int:
        """Sum of its refunds."""
        return sum(amount for _, _, amount in self.refunds)

    @property
    def delay_ms(self) -> int | None:
        """Time from its click to its placing, of a placed line that counts in total; None of any other."""
        credit = self.credit
        if credit is None or not credit.admitted or not self.flags & PLACED or self.flags & GIFT:
            return None
        return self.placed_at - credit.at

    def with_credit(self, credit: Credit) -> "Line":
        """Give the line, counted for something else."""
        return Line(
            self.flags,
            self.placed_at,
            self.region,
            self.amount_micros,
            self.traits,
            credit,
            self.paid_micros,
            self.cancelled_at,
            self.refunds,
            self.cap_micros,
        )


def line_key(order_id: str, line: int) -> str:
    """Name a line among all; the number comes first, so no order id can imitate another's line."""
    return f"{line}:{order_id}"


@lru_cache
def _reader() -> "msgspec.json.Decoder[Line]":
    return msgspec.json.Decoder(Line)


def parse_line(text: str) -> Line:
    """Read a line's state."""
    return _reader().decode(text)


def line_texts(lines: Iterable[Line]) -> list[str]:
    """Write lines' states, in the order given."""
    return msgspec.json.Encoder().encode_lines(map(_told, lines)).decode().split("\n")[:-1]


def _told(line: Line) -> tuple[object, ...]:
    """Leave out what says nothing, from the end."""
    head = (line.flags, line.placed_at, line.region, line.amount_micros)
    if line.paid_micros or line.cancelled_at or line.refunds or line.cap_micros:
        rest = (line.paid_micros, line.cancelled_at, line.refunds, line.cap_micros)
        return (*head, line.traits, line.credit, *rest)
    if line.credit is not None:
        return (*head, line.traits, line.credit)
    return head if line.traits is None else (*head, line.traits)


def advance(line: Line, order: Order | WireOrder, eligibility: Eligibility, cap_micros: int) -> Line | None:
    """Feed one record of a line; None for a record that was counted before.

    Raises:
        InvalidEvent: `out_of_range`, the line has `MAX_REFUNDS` other refunds already.
    """
    flags, amount, cap = line.flags, line.amount_micros, line.cap_micros
    paid, cancelled_at, refunds = line.paid_micros, line.cancelled_at, line.refunds
    if order.status == "placed":
        if flags & PLACED:
            return None
        flags |= PLACED
        amount = order.amount_micros
        cap = cap_micros if amount > cap_micros else 0
        if eligibility.holds(order):
            flags |= ELIGIBLE | SUBSIDISED if order.subsidy_micros else ELIGIBLE
    elif order.status == "paid":
        if flags & PAID:
            return None
        flags, paid = flags | PAID, order.paid_micros or 0
    elif order.status == "cancelled":
        if flags & CANCELLED:
            return None
        flags, cancelled_at = flags | CANCELLED, order.at
    else:
        more = _with_refund(refunds, order)
        if more is None:
            return None
        refunds = more
    return Line(flags, line.placed_at, line.region, amount, line.traits, line.credit, paid, cancelled_at, refunds, cap)


def _with_refund(refunds: tuple[Refund, ...], order: Order | WireOrder) -> tuple[Refund, ...] | None:
    refund = blake2b(order.event_id.encode(), digest_size=8).hexdigest()
    if any(known == refund for known, _, _ in refunds):
        return None
    if len(refunds) == MAX_REFUNDS:
        raise InvalidEvent("out_of_range", f"event_id: the line has {MAX_REFUNDS} refunds already")
    return tuple(sorted((*refunds, (refund, order.at, order.refund_micros or 0))))
