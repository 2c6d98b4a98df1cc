"""The settings that change what is counted, with the product's defaults."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """What a count is taken under.

    Attributes:
        zone: IANA name of the zone whose days are counted.
        window_days: an order counts for a click so many days before it.
        halo: `shop`, `brand_category` or `none`: which credited lines total credit admits.
        brand: the advertised brand, for `brand_category`.
        cap_micros: a line's amount is cut here in capped sums.
        category: the category whose subsidy is watched.
        price_cap_micros: dearest unit price that can be subsidised, inclusive.
        duplicate_window: records of a partition within which a repeated impression or click is known; 0: none.
    """

    zone: str = "Asia/Shanghai"
    window_days: int = 15
    halo: str = "shop"
    brand: str | None = None
    cap_micros: int = 20_000_000_000
    category: str = "phone"
    price_cap_micros: int = 6_000_000_000
    duplicate_window: int = 100_000
