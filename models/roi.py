"""Every ROI and its four labels: compare only what carries the same ones.

```
basis    order   lines by the time of their placing, over the spend of that time: a ledger, final at once
         click   lines by the time of their click, over the spend of that time: a cohort, it still grows
window   15d     clicks of the attribution window before the line
         0d      clicks of the line's own local day
amount   placed  what was ordered
         paid    what was paid
         net     paid minus refunded
scope    direct  lines of the promoted product
         total   all credited lines that the halo setting admits
```

Spend is counted at the time of the ad, on both bases.
"""

from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from typing import Final, Literal, NamedTuple, get_args

from models.totals import Totals

Basis = Literal["order", "click"]
CreditWindow = Literal["15d", "0d"]
Amount = Literal["placed", "paid", "net"]
CreditScope = Literal["direct", "total"]


class Labels(NamedTuple):
    """What an ROI is an ROI of; the defaults are those of reports."""

    basis: Basis = "order"
    window: CreditWindow = "15d"
    amount: Amount = "placed"
    scope: CreditScope = "total"

    @property
    def name(self) -> str:
        """Column and JSON name: `roi_total` for the defaults, else what differs, as in `roi_direct_net_0d_click`."""
        parts = ["roi", self.scope]
        parts += [] if self.amount == "placed" else [self.amount]
        parts += [] if self.window == "15d" else [self.window]
        return "_".join(parts + ([] if self.basis == "order" else [self.basis]))

    @property
    def help(self) -> str:
        """One sentence for people."""
        window = "" if self.window == "15d" else ", of the click's own day"
        return f"{_AMOUNTS[self.amount]} of {_SCOPES[self.scope]} per spend, {_BASES[self.basis]}{window}."

    @property
    def text(self) -> str:
        """All four, as `parse` takes them: `order,15d,placed,total`."""
        return ",".join(self)


_AMOUNTS: Final = {"placed": "Placed amount", "paid": "Paid amount", "net": "Paid less refunded amount"}
_SCOPES: Final = {"direct": "the promoted product", "total": "all credited order lines"}
_BASES: Final = {"order": "by the time of the order", "click": "by the time of the click"}

VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "basis": get_args(Basis),
    "window": get_args(CreditWindow),
    "amount": get_args(Amount),
    "scope": get_args(CreditScope),
}
"""Each label and what it may be, the usual one first; no value belongs to two labels."""

ALL: Final[tuple[Labels, ...]] = tuple(
    Labels(basis, window, amount, scope)
    for basis, window, amount, scope in product(
        get_args(Basis), get_args(CreditWindow), get_args(Amount), get_args(CreditScope)
    )
)
"""The 24 of them, those of reports first."""


def ratio(part: int, whole: int) -> Decimal | None:
    """Give the exact ratio of two sums; None while the whole is zero."""
    return Decimal(part) / Decimal(whole) if whole else None


def _stem(labels: Labels) -> tuple[str, str]:
    """Give what stands before and behind the word in the counters of these labels."""
    return ("click_" if labels.basis == "click" else "") + labels.scope, "_0d" if labels.window == "0d" else ""


def _amount_counters(labels: Labels) -> tuple[str, str | None]:
    """Name the counter of the amount and the one to subtract from it."""
    before, behind = _stem(labels)
    word = {"placed": "gmv", "paid": "paid", "net": "paid"}[labels.amount]
    less = f"{before}_refunded{behind}_micros" if labels.amount == "net" else None
    return f"{before}_{word}{behind}_micros", less


_AMOUNT_COUNTERS: Final = {labels: _amount_counters(labels) for labels in ALL}
_ORDER_COUNTERS: Final = {labels: "{}_orders{}".format(*_stem(labels)) for labels in ALL}


def amount_micros(totals: Totals, labels: Labels) -> int:
    """Give the amount that an ROI divides, in micros; net may be negative."""
    counter, less = _AMOUNT_COUNTERS[labels]
    amount: int = getattr(totals, counter)
    return amount if less is None else amount - int(getattr(totals, less))


def orders(totals: Totals, labels: Labels) -> int:
    """Give the placed lines behind an ROI, whatever its amount is."""
    return int(getattr(totals, _ORDER_COUNTERS[labels]))


def roi(totals: Totals, labels: Labels) -> Decimal | None:
    """Amount per spend: 47 means 47-fold, not percent; None without spend."""
    return ratio(amount_micros(totals, labels), totals.spend_micros)


def capped_roi(totals: Totals, scope: CreditScope) -> Decimal | None:
    """As `roi` of placed orders of 15 days, with each line's amount cut at the cap; None without spend.

    One huge order that nobody pays moves it by the cap at most. How many lines
    were cut is the counter `capped_orders`.
    """
    amount = totals.direct_capped_micros if scope == "direct" else totals.total_capped_micros
    return ratio(amount, totals.spend_micros)


def parse(text: str) -> dict[str, str]:
    """Read labels such as `click,paid`: those that are named, in any order, each at most once.

    Raises:
        ValueError: a word is no label, or two words are of the same one; the message says which.
    """
    found: dict[str, str] = {}
    for word in (part.strip() for part in text.split(",")):
        label = next((label for label, values in VALUES.items() if word in values), None)
        if label is None:
            known = "; ".join("{} {}".format(label, "|".join(values)) for label, values in VALUES.items())
            raise ValueError(f"{word!r} is no label of an ROI; take at most one of each: {known}")
        if label in found:
            raise ValueError(f"{found[label]} and {word} are the same label, {label}; take one")
        found[label] = word
    return found
