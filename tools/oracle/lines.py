"""Order lines: the set of what happened to each, whatever the order in which it was told."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from oracle.log import Event
from oracle.terms import Terms


@dataclass
class Line:
    """One order line.

    Attributes:
        first: the record that was told first; what all records of a line repeat is read from it.
        told: status to its first record, refunds apart.
        refunds: event id to its record.
    """

    first: Event
    told: dict[str, Event] = field(default_factory=dict)
    refunds: dict[str, Event] = field(default_factory=dict)

    @property
    def is_gift(self) -> bool:
        """Whether the line was given away."""
        return bool(self.first.get("gift"))

    @property
    def amount(self) -> int | None:
        """What it was placed for, in micros; None while nobody has told that it was placed."""
        return self.told["placed"]["amount_micros"] if "placed" in self.told else None

    @property
    def paid(self) -> int | None:
        """What was paid, in micros; None while nothing was."""
        return self.told["paid"]["paid_micros"] if "paid" in self.told else None

    @property
    def returned(self) -> int:
        """What was sent back, in micros."""
        return sum(record["refund_micros"] for record in self.refunds.values())


def lines_of(records: Iterable[Event]) -> list[Line]:
    """Put the records of each order line together."""
    lines: dict[tuple[str, int], Line] = {}
    for record in records:
        line = lines.setdefault((record["order_id"], record["line"]), Line(record))
        if record["status"] == "refunded":
            line.refunds.setdefault(record["event_id"], record)
        else:
            line.told.setdefault(record["status"], record)
    return list(lines.values())


def placed_counters(line: Line, terms: Terms) -> dict[str, int]:
    """Give what a line comes to as an order, in the bucket of its placing."""
    if line.is_gift:
        return {"gifts": 1 if "placed" in line.told else 0}
    out: dict[str, int] = {}
    if line.amount is not None:
        eligible, subsidised = subsidy(line.told["placed"], terms)
        out |= {"orders_placed": 1, "gmv_placed_micros": line.amount}
        out |= {"eligible_orders": eligible, "subsidised_orders": subsidised}
    if line.paid is not None:
        out |= {"orders_paid": 1, "gmv_paid_micros": line.paid}
    if "cancelled" in line.told:
        out["orders_cancelled"] = 1
    if line.refunds:
        whole = line.paid is not None and line.returned >= line.paid
        out |= {"orders_refunded": 1, "gmv_refunded_micros": line.returned, "orders_fully_refunded": int(whole)}
    return out


def subsidy(placed: Event, terms: Terms) -> tuple[int, int]:
    """Give whether a placed line could have been subsidised, and whether it was, as 0 or 1."""
    granted, price, pieces = placed.get("subsidy_micros"), placed.get("unit_price_micros"), 1
    if price is None:
        price, pieces = placed["amount_micros"], placed["quantity"]
    watched = placed.get("category") in (None, terms.category)
    if granted is None or not watched or price > terms.price_cap_micros * pieces:
        return 0, 0
    return 1, int(granted > 0)


def flows(line: Line) -> list[tuple[int, dict[str, int]]]:
    """Give what a line comes to as a flow: for each cancellation and refund its own time and counters."""
    if line.is_gift:
        return []
    out = [
        (record["at"], {"flow_refunds": 1, "flow_refunded_micros": record["refund_micros"]})
        for record in line.refunds.values()
    ]
    if "cancelled" in line.told:
        out.append((line.told["cancelled"]["at"], {"flow_cancelled": 1}))
    return out
