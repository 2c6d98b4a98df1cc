"""`seed-table`: one day of a phone brand's ads whose sums are a published region table, to the last yuan.

Seven regions have the sums of that table; the rest of its total row is spread
over the other 24 by weight. There is one record per click and per order line,
stamped along the day by the hour profile, so every printed figure has to be
computed from events.

```
region    spend    clicks   orders  GMV         total ROI
Guangdong 25,571   68,761   533     1,191,009   85
...
all       219,826  554,159  4,478   10,000,004  78
```
"""

from collections.abc import Iterator
from heapq import merge
from typing import Final, NamedTuple

from models.regions import PROVINCES
from models.scenario.draws import apportion, spread, substream
from models.scenario.emitted import CLICKS, ORDERS, Emitted, Payload
from models.scenario.market import BRAND, CATEGORY, hour_share
from models.scenario.market import Plan as _Plan
from models.scenario.records import campaign, user
from models.units import HOUR_MS, MICROS_PER_UNIT, EpochMs, Micros, Region

NAME: Final = "seed-table"
DAY: Final = EpochMs(1_748_707_200_000)
"""2025-06-01 00:00 in Shanghai."""

SKU: Final = "p-1999"
_HALO_PER_DIRECT: Final = 0.7


class Row(NamedTuple):
    """Sums of one region for the day; money in whole yuan."""

    spend: int
    clicks: int
    orders: int
    gmv: int
    total_gmv: int


GOLDEN: Final[dict[Region, Row]] = {
    Region("440000"): Row(25_571, 68_761, 533, 1_191_009, 25_571 * 85),
    Region("320000"): Row(17_762, 42_711, 299, 721_380, 17_762 * 68),
    Region("510000"): Row(12_817, 32_313, 444, 1_138_195, 12_817 * 147),
    Region("110000"): Row(16_280, 33_317, 247, 594_721, 16_280 * 62),
    Region("340000"): Row(4_747, 13_716, 84, 182_818, 4_747 * 65),
    Region("420000"): Row(9_292, 22_280, 176, 406_574, 9_292 * 68),
    Region("310000"): Row(8_583, 18_400, 252, 638_448, 8_583 * 118),
}
"""The rows that are consistent in the published table."""

TOTAL: Final = Row(219_826, 554_159, 4_478, 10_000_004, 219_826 * 78)


def rows() -> dict[Region, Row]:
    """Give the sums of all 31 regions, in order of their code; together they are `TOTAL` exactly."""
    others = [province for province in PROVINCES if province.adcode not in GOLDEN]
    weights = [province.weight for province in others]
    columns = [
        apportion(whole - sum(row[column] for row in GOLDEN.values()), weights) for column, whole in enumerate(TOTAL)
    ]
    out = dict(GOLDEN)
    for i, province in enumerate(others):
        out[province.adcode] = Row(*(column[i] for column in columns))
    return dict(sorted(out.items()))


def campaigns() -> list[Emitted]:
    """Give the record of each region's campaign; its budget is what it spent."""
    names = {province.adcode: province.zh for province in PROVINCES}
    return [campaign(_plan(region, names[region], row), DAY) for region, row in rows().items()]


def events(seed: int) -> Iterator[Emitted]:
    """Give the clicks and orders of the day in order of time; the seed draws users, never sums."""
    streams = []
    for region, row in rows().items():
        streams.append(_clicks(seed, region, row))
        streams.append(_orders(seed, region, row))
    return merge(*streams, key=lambda record: record.arrival)


def moments(count: int) -> Iterator[EpochMs]:
    """Give `count` instants of the day, ascending, as dense as the hour profile."""
    shares = apportion(count, [round(hour_share(hour) * 1_000_000) for hour in range(24)])
    for hour, inside in enumerate(shares):
        for i in range(inside):
            yield EpochMs(DAY + hour * HOUR_MS + i * HOUR_MS // inside)


def _plan(region: Region, name: str, row: Row) -> _Plan:
    return _Plan(
        campaign_id=f"phone-{region}",
        name=f"手机国补-{name}",
        plan_type="subsidy",
        channel="search",
        region=region,
        budget_micros=Micros(row.spend * MICROS_PER_UNIT),
    )


def _clicks(seed: int, region: Region, row: Row) -> Iterator[Emitted]:
    rng = substream(seed, "clicks", region)
    costs = spread(row.spend * MICROS_PER_UNIT, row.clicks)
    for number, (at, cost) in enumerate(zip(moments(row.clicks), costs, strict=True)):
        who = user(rng)
        body: Payload = {
            "event_id": f"{seed:x}.{region}.c{number}",
            "at": at,
            "region": region,
            "campaign_id": f"phone-{region}",
            "user_id": who,
            "spend_micros": cost,
            "channel": "search",
            "sku": SKU,
        }
        yield Emitted(at, CLICKS, who, body)


def _orders(seed: int, region: Region, row: Row) -> Iterator[Emitted]:
    """Give direct and halo lines; the platform says of a line that it is a halo order of the campaign."""
    rng = substream(seed, "orders", region)
    halos = max(1, round(row.orders * _HALO_PER_DIRECT))
    amounts = spread(row.gmv * MICROS_PER_UNIT, row.orders)
    amounts += spread((row.total_gmv - row.gmv) * MICROS_PER_UNIT, halos)
    lines = [(amount, number >= row.orders) for number, amount in enumerate(amounts)]
    rng.shuffle(lines)
    for number, (at, (amount, halo)) in enumerate(zip(moments(len(lines)), lines, strict=True)):
        who = user(rng)
        body: Payload = {
            "event_id": f"{seed:x}.{region}.o{number}",
            "at": at,
            "region": region,
            "order_id": f"{seed:x}.{region}.{number}",
            "line": 1,
            "status": "placed",
            "placed_at": at,
            "user_id": who,
            "sku": "p-2699" if halo else SKU,
            "brand": BRAND,
            "category": CATEGORY,
            "quantity": 1,
            "amount_micros": amount,
            "gift": False,
            "campaign_id": f"phone-{region}",
            "halo": halo,
        }
        yield Emitted(at, ORDERS, who, body)
