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
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from models.events import Order
from models.orders import CANCELLED, ELIGIBLE, GIFT, PAID, PLACED, SUBSIDISED, Credit, Line
from models.totals import GROUPS
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


class Contribution(NamedTuple):
    """What a line adds to one group of counters in one minute.

    Attributes:
        at: a time in the minute.
        group: a letter of `models.totals.GROUPS`.
        region: the region it counts for.
        campaign_id: the campaign it counts for; None for none.
        amounts: all counters of the group, by position.
    """

    at: int
    group: str
    region: str
    campaign_id: str | None
    amounts: tuple[int, ...]


_NOTHING: Final = (0, 0, 0, 0)
_NO_FLOW: Final = (0, 0, 0)
_UP_TO_FLOWS: Final = (0,) * GROUPS["o"].index("flow_cancelled")
_CANCELLED_FLOW: Final = (*_UP_TO_FLOWS, 1, 0, 0)
_A_GIFT: Final = tuple(int(name == "gifts") for name in GROUPS["o"])


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
    flags, credit = line.flags, line.credit
    campaign = credit.campaign_id if credit is not None else None
    if flags & GIFT:
        return [Contribution(line.placed_at, "o", line.region, campaign, _A_GIFT)] if flags & PLACED else []
    refunded = line.refunded_micros if line.refunds else 0
    is_paid = 1 if flags & PAID else 0
    out = [
        Contribution(
            line.placed_at,
            "o",
            line.region,
            campaign,
            (
                1 if flags & PLACED else 0,
                is_paid,
                1 if flags & CANCELLED else 0,
                1 if line.refunds else 0,
                1 if line.refunds and is_paid and refunded >= line.paid_micros else 0,
                0,
                line.amount_micros,
                line.paid_micros,
                refunded,
                1 if flags & ELIGIBLE else 0,
                1 if flags & SUBSIDISED else 0,
                *_NO_FLOW,
            ),
        )
    ]
    if flags & CANCELLED:
        out.append(Contribution(line.cancelled_at, "o", line.region, campaign, _CANCELLED_FLOW))
    for _, at, amount in line.refunds:
        out.append(Contribution(at, "o", line.region, campaign, (*_UP_TO_FLOWS, 0, 1, amount)))
    if credit is not None and (credit.direct or credit.admitted):
        out += _credited(line, credit, refunded, zone)
    return out


def _credited(line: Line, credit: Credit, refunded: int, zone: ZoneInfo) -> tuple[Contribution, Contribution]:
    """Give what a credited line adds by the time of its placing and by the time of its click."""
    placed, amount = line.flags & PLACED, line.amount_micros
    counted = (placed, amount, line.paid_micros, refunded)
    window = (counted if credit.direct else _NOTHING) + (counted if credit.admitted else _NOTHING)
    at = line.placed_at
    same_day = credit.at == at or day_of(EpochMs(credit.at), zone) == day_of(EpochMs(at), zone)
    both = window + (window if same_day else _NOTHING + _NOTHING)
    cut = line.cap_micros or amount
    capped = (
        placed if credit.admitted and line.cap_micros else 0,
        cut if credit.direct else 0,
        cut if credit.admitted else 0,
    )
    region, campaign = credit.region, credit.campaign_id
    return (
        Contribution(at, "d", region, campaign, both + capped),
        Contribution(credit.at, "k", region, campaign, both),
    )
