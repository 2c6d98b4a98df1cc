"""The life of an order in `wave-31`: placed, mostly paid, sometimes cancelled or sent back.

```
click --delay--> placed --8 s--> paid (86 %) --1 to 7 d--> refunded (23 % of paid lines, some in two parts)
                        `--> never paid (14 %), half of those cancelled after 30 min
```

Most orders have one line of one piece; some bring an accessory or a gift as lines of their own, a few are bulk buys.
"""

from random import Random
from typing import Final

from models.scenario.emitted import ORDERS, Emitted, Payload
from models.scenario.market import (
    ACCESSORY,
    ACCESSORY_CATEGORY,
    BRAND,
    CATEGORY,
    PRICE_CAP_MICROS,
    PRODUCT_WEIGHTS,
    PRODUCTS,
    Product,
)
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs

_NEVER_PAID: Final = 0.14
_CANCELLED_OF_UNPAID: Final = 0.5
_REFUNDED_OF_PAID: Final = 0.23
_PARTLY_OF_REFUNDED: Final = 0.1
_SUBSIDISED_ON: Final = 0.70
_SUBSIDISED_OFF: Final = 0.02
_SUBSIDY_NOT_KNOWN: Final = 0.05
_REST_OF_PARTLY: Final = 0.5
_ACCESSORY: Final = 0.08
_GIFT: Final = 0.03
_BULK: Final = 0.002
_BULK_PIECES: Final = (10, 19)
_SUBSIDY_CAP_MICROS: Final = 500_000_000
_MEDIAN_PAY_MS: Final = 8_000
_PAY_SPREAD: Final = 1.45


def delay_ms(rng: Random) -> int:
    """Draw the time from a click to its order: 60 % within 45 min, 25 % within a day, 15 % within 15 days."""
    part = rng.random()
    if part < 0.60:
        return int(rng.random() * 45 * MINUTE_MS)
    if part < 0.85:
        return int(45 * MINUTE_MS + rng.random() * (DAY_MS - 45 * MINUTE_MS))
    return int(DAY_MS + rng.random() * 14 * DAY_MS)


def pick_product(rng: Random) -> Product:
    """Draw what a buyer wants."""
    return rng.choices(PRODUCTS, PRODUCT_WEIGHTS)[0]


def other_product(rng: Random, sku: str) -> Product:
    """Draw another product than this one."""
    others = [product for product in PRODUCTS if product.sku != sku]
    return rng.choices(others, [product.weight for product in others])[0]


def subsidy_of(rng: Random, product: Product, on: bool) -> int | None:
    """Draw the subsidy of an order line in micros; None when the shop does not tell.

    A product dearer than the cap never has one: 0.
    """
    if rng.random() < _SUBSIDY_NOT_KNOWN:
        return None
    if product.price_micros > PRICE_CAP_MICROS or rng.random() >= (_SUBSIDISED_ON if on else _SUBSIDISED_OFF):
        return 0
    return min(product.price_micros * 15 // 100, _SUBSIDY_CAP_MICROS)


def life_of(
    rng: Random, order_id: str, user_id: str, region: str, placed_at: EpochMs, product: Product, on: bool
) -> list[Emitted]:
    """Give all records of one order, line by line.

    The caller adds what it knows of the campaign. Records arrive up to a
    second after they happened.
    """
    pieces = rng.randint(*_BULK_PIECES) if rng.random() < _BULK else 1
    line: Payload = {
        "order_id": order_id,
        "line": 1,
        "region": region,
        "placed_at": placed_at,
        "user_id": user_id,
        "sku": product.sku,
        "brand": BRAND,
        "category": CATEGORY,
        "quantity": pieces,
        "unit_price_micros": product.price_micros,
        "amount_micros": product.price_micros * pieces,
        "subsidy_micros": subsidy_of(rng, product, on),
        "gift": False,
    }
    lines, gift = [line], rng.random() < _GIFT
    if rng.random() < _ACCESSORY:
        price = ACCESSORY.price_micros
        extra: Payload = {"sku": ACCESSORY.sku, "category": ACCESSORY_CATEGORY, "unit_price_micros": price}
        lines.append(line | extra | {"line": 2, "quantity": 1, "amount_micros": price, "subsidy_micros": None})
    records = [_record(rng, bought, "placed", placed_at) for bought in lines]
    if gift:
        free: Payload = {"line": 3, "sku": "case", "quantity": 1, "unit_price_micros": 0, "amount_micros": 0}
        records.append(_record(rng, line | free | {"subsidy_micros": None, "gift": True}, "placed", placed_at))
    if rng.random() < _NEVER_PAID:
        if rng.random() < _CANCELLED_OF_UNPAID:
            cancelled_at = EpochMs(placed_at + 30 * MINUTE_MS)
            records.extend(_record(rng, bought, "cancelled", cancelled_at) for bought in lines)
        return records
    lag = min(int(_MEDIAN_PAY_MS * rng.lognormvariate(0, _PAY_SPREAD)), int(23.9 * HOUR_MS))
    for bought in lines:
        records.extend(_paid_life(rng, bought, EpochMs(placed_at + lag)))
    return records


def _paid_life(rng: Random, line: Payload, paid_at: EpochMs) -> list[Emitted]:
    """Give the payment of a line and what is sent back of it, in whole, in half, or in two halves."""
    price = int(str(line["amount_micros"]))
    records = [_record(rng, line | {"paid_micros": price}, "paid", paid_at)]
    if rng.random() >= _REFUNDED_OF_PAID:
        return records
    at = EpochMs(paid_at + int((1 + 6 * rng.random()) * DAY_MS))
    if rng.random() >= _PARTLY_OF_REFUNDED:
        return [*records, _record(rng, line | {"refund_micros": price}, "refunded", at)]
    half = price // 2
    records.append(_record(rng, line | {"refund_micros": half}, "refunded", at))
    if rng.random() < _REST_OF_PARTLY:
        later = EpochMs(at + int((1 + 2 * rng.random()) * DAY_MS))
        records.append(_record(rng, line | {"refund_micros": price - half}, "refunded", later, part=2))
    return records


def _record(rng: Random, line: Payload, status: str, at: EpochMs, *, part: int = 1) -> Emitted:
    """Stamp a record of a line; `part` tells a second refund from the first."""
    again = f".{part}" if part > 1 else ""
    body = {"event_id": f"{line['order_id']}.{line['line']}.{status}{again}", "at": at, "status": status, **line}
    arrival = EpochMs(at + int(rng.random() * 1000))
    return Emitted(arrival, ORDERS, str(line["user_id"]), body)
