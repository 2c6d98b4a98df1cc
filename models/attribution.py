"""Which click an order line counts for, and where the line counts then.

A line is credited at once with the best click known. When a better one arrives,
the credit moves: what the line added is subtracted, what it adds now is added.
So the sums are a function of the set of records, whatever arrives first, and
no line waits for anything.

```
click.at                          placed_at                   time
 --|---------------------------------|------------------------->
   |<-------- at most the window --->|   both ends included
```
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal
from zoneinfo import ZoneInfo

from models.events import Order
from models.orders import CANCELLED, ELIGIBLE, GIFT, PAID, PLACED, SUBSIDISED, Credit, Line
from models.packed import one
from models.units import DAY_MS, DurationMs, EpochMs
from models.visits import Click
from models.windows import day_of
from models.wire import WireClick, WireOrder

WINDOW_MS: Final = DurationMs(15 * DAY_MS)
"""The longest window there may be, and the usual one."""

Halo = Literal["shop", "brand_category", "none"]
Promoted = Mapping[str, Collection[str]]
"""Campaign id to the SKUs it promotes; a campaign that is not known promotes any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Settings of attribution.

    Attributes:
        window_ms: a click counts for lines placed at most this long after it, inclusive.
        lateness_ms: an order this late, by its placing and inclusive, still finds every click it could count for.
        halo: which lines of other products count in total: all, those of the brand and the click's category, none.
        brand: the advertised brand; None where it is not known.
        cap_micros: where a line's amount is cut in capped sums.
    """

    window_ms: DurationMs = WINDOW_MS
    lateness_ms: DurationMs = DAY_MS
    halo: Halo = "shop"
    brand: str | None = None
    cap_micros: int = 20_000_000_000


Contribution = tuple[int, str, str, str | None, int]
"""What a line adds to one group of counters in one minute.

A time in the minute, the letter of the group, the region and the campaign it counts for (None for none), and the
amounts as `models.packed` lays them.
"""


def _by_flags(flags: int) -> int:
    names = {
        PLACED: "orders_placed",
        PAID: "orders_paid",
        CANCELLED: "orders_cancelled",
        ELIGIBLE: "eligible_orders",
        SUBSIDISED: "subsidised_orders",
    }
    return sum(one("o", name) for flag, name in names.items() if flags & flag)


def _by_credit(what: str, direct: bool, same_day: bool) -> int:
    scopes = ["direct", "total"] if direct else ["total"]
    windows = ["", "_0d"] if same_day else [""]
    name, unit = what.removesuffix("_micros"), "_micros" if what.endswith("_micros") else ""
    return sum(one("d", f"{scope}_{name}{window}{unit}") for scope in scopes for window in windows)


_FLAGS: Final = tuple(map(_by_flags, range(2 * SUBSIDISED)))
_GIFTS, _REFUNDED, _IN_FULL = (one("o", name) for name in ("gifts", "orders_refunded", "orders_fully_refunded"))
_AMOUNT, _PAID_FOR, _GIVEN_BACK = (one("o", f"gmv_{name}_micros") for name in ("placed", "paid", "refunded"))
_CANCELLED_NOW, _REFUNDED_NOW, _BACK_NOW = (
    one("o", f"flow_{name}") for name in ("cancelled", "refunds", "refunded_micros")
)
_CREDIT: Final = {
    case: tuple(_by_credit(what, *case) for what in ("orders", "gmv_micros", "paid_micros", "refunded_micros"))
    for case in product((False, True), repeat=2)
}
"""Direct and same day, to what an order, its amount, what was paid and what was given back add to."""
_CAPPED, _TOTAL_CUT = one("d", "capped_orders"), one("d", "total_capped_micros")
_BOTH_CUT: Final = _TOTAL_CUT + one("d", "direct_capped_micros")


def can_be_clicked(order: Order | WireOrder) -> bool:
    """Tell whether a click can be credited with a line: not with a gift, nor where the line names its campaign."""
    return order.campaign_id is None and order.user_id is not None and not order.gift


def opened(order: Order | WireOrder, settings: Attribution) -> Line:
    """Give the line that its first record opens, before that record counts in it."""
    flags = GIFT if order.gift else 0
    if order.campaign_id is not None:
        named = Credit(
            order.placed_at,
            "",
            order.campaign_id,
            order.region,
            not order.halo,
            not order.halo or settings.halo != "none",
        )
        return Line(flags, order.placed_at, order.region, credit=named)
    traits = (order.sku, order.brand, order.category) if can_be_clicked(order) else None
    return Line(flags, order.placed_at, order.region, traits=traits)


def with_click(line: Line, click: Click | WireClick, settings: Attribution, promoted: Promoted) -> Line:
    """Give the line credited to a click, or as it is if its credit is as good.

    The click must be of the line's buyer and in the window before its placing.
    """
    known = line.credit
    if line.traits is None or (known and (known.at, known.event_id) >= (click.at, click.event_id)):
        return line
    sku, brand, category = line.traits
    if click.sku is not None:
        direct = sku == click.sku
    else:
        skus = promoted.get(click.campaign_id)
        direct = not skus or sku in skus
    admitted = direct or settings.halo == "shop"
    if not admitted and settings.halo == "brand_category":
        of_brand = settings.brand is not None and brand == settings.brand
        admitted = of_brand and category is not None and category == click.category
    return line.with_credit(Credit(click.at, click.event_id, click.campaign_id, click.region, direct, admitted))


def contributions(line: Line, zone: ZoneInfo) -> list[Contribution]:
    """Give all that a line adds, each part to the region, the campaign and both."""
    flags, credit, at, region = line.flags, line.credit, line.placed_at, line.region
    campaign = None if credit is None else credit.campaign_id
    if flags & GIFT:
        return [(at, "o", region, campaign, _GIFTS)] if flags & PLACED else []
    amounts = _FLAGS[flags] + line.amount_micros * _AMOUNT
    if line.paid_micros:
        amounts += line.paid_micros * _PAID_FOR
    refunded = 0
    if line.refunds:
        refunded = line.refunded_micros
        amounts += _REFUNDED + refunded * _GIVEN_BACK
        if flags & PAID and refunded >= line.paid_micros:
            amounts += _IN_FULL
    out: list[Contribution] = [(at, "o", region, campaign, amounts)]
    if flags & CANCELLED:
        out.append((line.cancelled_at, "o", region, campaign, _CANCELLED_NOW))
    for _, refunded_at, amount in line.refunds:
        out.append((refunded_at, "o", region, campaign, _REFUNDED_NOW + amount * _BACK_NOW))
    if credit is not None and credit.admitted:
        out += _credited(line, credit, refunded, zone)
    return out


def _credited(line: Line, credit: Credit, refunded: int, zone: ZoneInfo) -> tuple[Contribution, Contribution]:
    """Give what a credited line adds by the time of its placing and by the time of its click."""
    at, direct = line.placed_at, credit.direct
    same_day = credit.at == at or day_of(EpochMs(credit.at), zone) == day_of(EpochMs(at), zone)
    an_order, placed, paid, back = _CREDIT[direct, same_day]
    by_click = line.paid_micros * paid + refunded * back
    by_order = by_click
    if line.flags & PLACED:
        by_click = by_order = by_click + an_order + line.amount_micros * placed
        by_order += (line.cap_micros or line.amount_micros) * (_BOTH_CUT if direct else _TOTAL_CUT)
        if line.cap_micros:
            by_order += _CAPPED
    region, campaign = credit.region, credit.campaign_id
    return (at, "d", region, campaign, by_order), (credit.at, "k", region, campaign, by_click)
