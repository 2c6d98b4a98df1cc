"""The life of an order in `wave-31`: placed, mostly paid, sometimes cancelled or sent back.

```
click --delay--> placed --8 s--> paid (86 %) --1 to 7 d--> refunded (23 % of paid)
                        `--> never paid (14 %), half of those cancelled after 30 min
```
"""

from random import Random
from typing import Final

from models.scenario.emitted import ORDERS, Emitted, Payload
from models.scenario.market import BRAND, CATEGORY, PRICE_CAP_MICROS, PRODUCT_WEIGHTS, PRODUCTS, Product
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs

_NEVER_PAID: Final = 0.14
_CANCELLED_OF_UNPAID: Final = 0.5
_REFUNDED_OF_PAID: Final = 0.23
_PARTLY_OF_REFUNDED: Final = 0.1
_SUBSIDISED_ON: Final = 0.70
_SUBSIDISED_OFF: Final = 0.02
_SUBSIDY_NOT_KNOWN: Final = 0.05
_GIFT: Final = 0.03
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
    """Give all records of one order with one line (and perhaps a gift line), in order of time.

    The caller adds what it knows of the campaign. Records arrive up to a
    second after they happened.
    """
    line: Payload = {
        "order_id": order_id,
        "line": 1,
        "region": region,
        "placed_at": placed_at,
        "user_id": user_id,
        "sku": product.sku,
        "brand": BRAND,
        "category": CATEGORY,
        "quantity": 1,
        "unit_price_micros": product.price_micros,
        "amount_micros": product.price_micros,
        "subsidy_micros": subsidy_of(rng, product, on),
        "gift": False,
    }
    records = [_record(rng, line, "placed", placed_at)]
    if rng.random() < _GIFT:
        gift = line | {"line": 2, "sku": "case", "unit_price_micros": 0, "amount_micros": 0, "gift": True}
        records.append(_record(rng, gift | {"subsidy_micros": None}, "placed", placed_at))
    if rng.random() < _NEVER_PAID:
        if rng.random() < _CANCELLED_OF_UNPAID:
            records.append(_record(rng, line, "cancelled", EpochMs(placed_at + 30 * MINUTE_MS)))
        return records
    lag = min(int(_MEDIAN_PAY_MS * rng.lognormvariate(0, _PAY_SPREAD)), int(23.9 * HOUR_MS))
    paid_at = EpochMs(placed_at + lag)
    records.append(_record(rng, line | {"paid_micros": product.price_micros}, "paid", paid_at))
    if rng.random() < _REFUNDED_OF_PAID:
        back = product.price_micros // 2 if rng.random() < _PARTLY_OF_REFUNDED else product.price_micros
        refunded_at = EpochMs(paid_at + int((1 + 6 * rng.random()) * DAY_MS))
        records.append(_record(rng, line | {"refund_micros": back}, "refunded", refunded_at))
    return records


def _record(rng: Random, line: Payload, status: str, at: EpochMs) -> Emitted:
    body = {"event_id": f"{line['order_id']}.{line['line']}.{status}", "at": at, "status": status, **line}
    arrival = EpochMs(at + int(rng.random() * 1000))
    return Emitted(arrival, ORDERS, str(line["user_id"]), body)
