"""What the clicks of a window will have brought when the last order has come, per row of the table.

```
tallies delay:*  -> curve ----------------------------------+
span of a window -> buckets -> groups of like age -> sums -> expected
```

A group spans at most twice the age of its youngest click, so a day costs about
ten reads instead of one, of the same buckets.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from zoneinfo import ZoneInfo

from models.cohorts import Cohort, Matured, Maturity, delays_of, matured, maturity
from models.totals import Totals
from models.units import MINUTE_MS, DurationMs, EpochMs
from models.windows import Bucket, Scope, Span, cover, end_of, span_of
from streams.ports import ReadStore
from streams.readmodel import Table

TOTAL = "total"


async def read_maturity(store: ReadStore, zone: ZoneInfo, head: EpochMs, tallies: Mapping[str, int]) -> Maturity | None:
    """Give how orders follow their clicks, from all lines credited so far; None while they are few.

    The history is as long as days are kept, or shorter.

    Raises:
        ServiceUnavailable: the store is away.
    """
    delays = delays_of(tallies)
    if not any(delays):
        return None
    for day in cover(span_of("all", head, zone), Scope.REGION, head, zone):
        if any(cell.clicks or cell.click_total_orders for cell in (await store.totals(Scope.REGION, (day,))).values()):
            return maturity(delays, DurationMs(head - day.start))
    return None


async def read_expected(
    store: ReadStore, zone: ZoneInfo, table: Table, curve: Maturity | None, region: str | None = None
) -> dict[str, Matured]:
    """Expect what the clicks of each row will have brought; the total row is `total`.

    Rows of which nothing can be told are absent.

    Args:
        store: where the totals are.
        zone: zone of days.
        table: the rows and their window.
        curve: what `read_maturity` gave.
        region: the region the table was read for; None for all.

    Raises:
        ServiceUnavailable: the store is away.
    """
    if curve is None or table.span is None or table.head is None:
        return {}
    cohorts: dict[str, list[Cohort]] = {}
    for buckets in _by_age(table.span, table.by, table.head, zone):
        start, end = buckets[0].start, end_of(buckets[-1], zone)
        cells = await store.totals(table.by, buckets, region)
        for member, cell in cells.items():
            cohorts.setdefault(member, []).append(Cohort(start, end, cell))
        cohorts.setdefault(TOTAL, []).append(Cohort(start, end, Totals.sum(cells.values())))
    found = {member: matured(spans, curve, table.head) for member, spans in cohorts.items()}
    return {member: expected for member, expected in found.items() if expected is not None}


def _by_age(span: Span, by: Scope, head: EpochMs, zone: ZoneInfo) -> Iterator[list[Bucket]]:
    """Split a window into groups of neighbouring buckets whose ages double from one to the next."""
    for _, group in groupby(cover(span, by, head, zone), lambda one: _age_class(one.start, head)):
        yield list(group)


def _age_class(start: EpochMs, head: EpochMs) -> int:
    return (max(head - start, 0) // MINUTE_MS).bit_length()
