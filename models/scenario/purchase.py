"""What the scenario knows of one order line, and what that comes to: part of the scenario's own sums."""

from dataclasses import dataclass, field

from models.scenario.emitted import Payload, Value
from models.scenario.market import PRICE_CAP_MICROS
from models.scenario.waves import ZONE_MS
from models.units import DAY_MS, MICROS_PER_UNIT

CAP_MICROS = 20_000 * MICROS_PER_UNIT
"""A line's amount is cut here in capped ROI; wave-31 is judged with the default settings."""


@dataclass(frozen=True, slots=True)
class Credit:
    """What a line counts for: a campaign, the region that bid, the time of the click, and whether it was promoted."""

    campaign_id: str
    region: str
    at: int
    direct: bool


@dataclass(slots=True)
class Purchase:
    """All that was emitted about one order line; amounts are None until their record came.

    Attributes:
        named: the campaign that the order names, with the line's own region and time; None when it names none.
        refunds: amounts sent back, in micros.
    """

    region: str
    user: str
    sku: str
    placed_at: int
    gift: bool
    named: Credit | None
    eligible: bool
    subsidised: bool
    amount: int | None = None
    paid: int | None = None
    cancelled: bool = False
    refunds: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, body: Payload) -> "Purchase":
        """Begin with the fields that every record of a line repeats."""
        price, subsidy = body.get("unit_price_micros"), body.get("subsidy_micros")
        region, placed_at = str(body["region"]), integer(body["placed_at"])
        campaign = body.get("campaign_id")
        eligible = (
            subsidy is not None and integer(body["amount_micros"] if price is None else price) <= PRICE_CAP_MICROS
        )
        return cls(
            region=region,
            user=str(body.get("user_id")),
            sku=str(body.get("sku")),
            placed_at=placed_at,
            gift=bool(body["gift"]),
            named=None if campaign is None else Credit(str(campaign), region, placed_at, not body.get("halo")),
            eligible=eligible,
            subsidised=eligible and integer(subsidy) > 0,
        )

    def add(self, body: Payload) -> None:
        """Count one record of the line."""
        status = body["status"]
        if status == "placed":
            self.amount = integer(body["amount_micros"])
        elif status == "paid":
            self.paid = integer(body["paid_micros"])
        elif status == "cancelled":
            self.cancelled = True
        else:
            self.refunds.append(integer(body["refund_micros"]))

    def orders(self) -> dict[str, int]:
        """Give what the line comes to as an order."""
        if self.gift:
            return {"gifts": int(self.amount is not None)}
        back = sum(self.refunds)
        counts = {
            "orders_paid": int(self.paid is not None),
            "orders_cancelled": int(self.cancelled),
            "orders_refunded": int(bool(self.refunds)),
            "orders_fully_refunded": int(bool(self.refunds) and self.paid is not None and back >= self.paid),
            "gmv_paid_micros": self.paid or 0,
            "gmv_refunded_micros": back,
            "flow_cancelled": int(self.cancelled),
            "flow_refunds": len(self.refunds),
            "flow_refunded_micros": back,
        }
        if self.amount is not None:
            counts |= {"orders_placed": 1, "gmv_placed_micros": self.amount}
            counts |= {"eligible_orders": int(self.eligible), "subsidised_orders": int(self.subsidised)}
        return counts

    def credited(self, credit: Credit) -> dict[str, int]:
        """Give what the line comes to for the ad that led to it, by every label."""
        amount = self.amount or 0
        parts = {
            "orders": int(self.amount is not None),
            "gmv_micros": amount,
            "paid_micros": self.paid or 0,
            "refunded_micros": sum(self.refunds),
        }
        cut = min(amount, CAP_MICROS)
        counts = {"total_capped_micros": cut, "capped_orders": int(amount > CAP_MICROS)}
        if credit.direct:
            counts["direct_capped_micros"] = cut
        same_day = (credit.at + ZONE_MS) // DAY_MS == (self.placed_at + ZONE_MS) // DAY_MS
        for basis in ("", "click_"):
            for scope in ("direct", "total") if credit.direct else ("total",):
                for name, value in parts.items():
                    what, _, unit = name.partition("_")
                    counts[f"{basis}{scope}_{name}"] = value
                    if same_day:
                        counts[f"{basis}{scope}_{what}_0d{'_' * bool(unit)}{unit}"] = value
        return counts


def integer(value: Value) -> int:
    """Give a number of a body.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not an integer")
    return value
