"""Click cohorts: what clicks brought so far, and what is still to come.

An order comes up to 15 days after its click, so the ROI of today's clicks is
low today and grows. How fast is known from all lines credited so far: a
histogram of the time from click to order gives the part of a cohort's orders
that is there at an age.

```
part of the orders that came    1 |                    _____________
                                  |         __________/
                                  |   _____/
                                0 |__/_______________________________ age of the click
                                   1 min    1 h     1 d         15 d
```

The young part of a window is filled up at the rate of its whole: expected is
what came, times all clicks, by the clicks whose orders are there. So an early
order of a minute-old click is not multiplied by itself.

The curve holds for lines by number; amounts are taken to come at the same pace.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from models.roi import ratio
from models.totals import Totals
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, DurationMs, EpochMs

DELAYS: Final[tuple[tuple[str, int], ...]] = (
    *((f"{n}m", n * MINUTE_MS) for n in (1, 2, 4, 8, 15, 30)),
    *((f"{n}h", n * HOUR_MS) for n in (1, 2, 4, 8, 16)),
    *((f"{n}d", n * DAY_MS) for n in (1, 2, 3, 4, 6, 8, 10, 12, 15)),
)
"""Name and longest delay, inclusive, of each bucket of the histogram; the last is the longest window there may be."""

LEAST_LINES: Final = 200
"""With fewer lines in the histogram there is no curve."""

LEAST_RIPE: Final = 0.05
"""With less than this part of its orders there, nothing is said of what a window will bring."""

_NAMES: Final = tuple(name for name, _ in DELAYS)
_EDGES: Final = tuple(edge for _, edge in DELAYS)
_TALLY: Final = "delay:"


def delay_tally(delay_ms: int) -> str:
    """Name the tally of a line placed this long after its click, for example `delay:4h`."""
    return _TALLY + _NAMES[min(bisect_left(_EDGES, delay_ms), len(_EDGES) - 1)]


def delays_of(tallies: Mapping[str, int]) -> list[int]:
    """Give the histogram from the tallies: lines per bucket of `DELAYS`."""
    return [tallies.get(_TALLY + name, 0) for name in _NAMES]


@dataclass(frozen=True, slots=True)
class Maturity:
    """Part of a cohort's orders that is there at an age; grows with the age, 1 from the last age on.

    Attributes:
        points: (age in ms, part of the orders, 0 to 1), by age; straight lines between them.
        lines: lines the curve was made from.
    """

    points: tuple[tuple[int, float], ...]
    lines: int

    def at(self, age_ms: int) -> float:
        """Give the part that is there at an age; nothing before the click."""
        return self.mean(age_ms, age_ms)

    def mean(self, young_ms: int, old_ms: int) -> float:
        """Give the part over clicks spread evenly between two ages, the older not the smaller."""
        young, old = max(young_ms, 0), max(old_ms, 0)
        if old > young:
            return (self._area(old) - self._area(young)) / (old - young)
        ages = [age for age, _ in self.points]
        at = bisect_left(ages, young)
        if at == len(ages):
            return 1.0
        right_age, right = self.points[at]
        left_age, left = self.points[at - 1] if at else (0, 0.0)
        return left + (right - left) * (young - left_age) / (right_age - left_age)

    def _area(self, age: int) -> float:
        """Give the area under the curve up to an age."""
        area = 0.0
        for (left_age, left), (right_age, right) in pairwise(((0, 0.0), *self.points)):
            if age <= left_age:
                return area
            until = min(age, right_age)
            height = left + (right - left) * (until - left_age) / (right_age - left_age)
            area += (left + height) / 2 * (until - left_age)
        return area + max(0, age - self.points[-1][0])


def maturity(delays: Sequence[int], observed_ms: DurationMs, least: int = LEAST_LINES) -> Maturity | None:
    """Make the curve from a histogram.

    A delay can only be seen if its click is at least that old, so in a short
    history long delays are seen less often than they happen: each bucket counts
    by how much of the history could have shown it. Delays longer than the
    history are not known; the curve then holds for orders within the history.

    Args:
        delays: lines per bucket of `DELAYS`, as `delays_of` gives them.
        observed_ms: event time from the first click to the newest order.
        least: fewest lines to make a curve from.

    Returns:
        None with fewer than `least` lines.
    """
    lines = sum(delays)
    if lines < max(least, 1):
        return None
    weights, start = [], 0
    for count, end in zip(delays, _EDGES, strict=True):
        seen = observed_ms - (start + end) // 2
        weights.append(max(count, 0) * observed_ms / seen if seen > 0 else 0.0)
        start = end
    whole = sum(weights)
    if whole <= 0:
        return None
    points, sum_so_far = [], 0.0
    for weight, end in zip(weights, _EDGES, strict=True):
        sum_so_far += weight
        points.append((end, min(1.0, sum_so_far / whole)))
    return Maturity(tuple(points), lines)


class Cohort(NamedTuple):
    """Clicks of one span of event time and what they brought so far.

    Attributes:
        start: first time of a click, inclusive.
        end: last time of a click, exclusive; the part after `now` is not there yet.
        totals: its sums; only `clicks`, `spend_micros` and the `click_` counters are read.
    """

    start: EpochMs
    end: EpochMs
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Matured:
    """What the clicks of a window will have brought when the last order has come.

    Attributes:
        orders: expected lines of `click_total_orders`.
        direct_gmv_micros: expected `click_direct_gmv_micros`.
        total_gmv_micros: expected `click_total_gmv_micros`.
        to_come: part of the expected orders that is still to come, 0 to 1.
        spend_micros: what the clicks cost.
    """

    orders: int
    direct_gmv_micros: int
    total_gmv_micros: int
    to_come: Decimal
    spend_micros: int

    def roi(self, scope: str = "total") -> Decimal | None:
        """Expected placed amount per spend, click basis, 15 days; None without spend.

        Args:
            scope: `total` or `direct`.
        """
        amount = self.total_gmv_micros if scope == "total" else self.direct_gmv_micros
        return ratio(amount, self.spend_micros)


_PLACES: Final = Decimal("0.000001")


def matured(cohorts: Iterable[Cohort], curve: Maturity | None, now: EpochMs) -> Matured | None:
    """Expect what the clicks of a window will have brought in the end.

    Args:
        cohorts: the clicks, by spans so narrow that the age within one matters little.
        curve: how orders come; None where it is not known.
        now: event time up to which orders are counted.

    Returns:
        None without a curve, without clicks, or while they are too young to tell.
    """
    if curve is None:
        return None
    clicks, ripe, parts = 0, 0.0, []
    for start, end, totals in cohorts:
        parts.append(totals)
        clicks += totals.clicks
        ripe += totals.clicks * curve.mean(now - min(end, max(now, start)), now - start)
    if clicks <= 0 or ripe < clicks * LEAST_RIPE:
        return None
    whole = Totals.sum(parts)
    growth = clicks / ripe
    return Matured(
        orders=round(whole.click_total_orders * growth),
        direct_gmv_micros=round(whole.click_direct_gmv_micros * growth),
        total_gmv_micros=round(whole.click_total_gmv_micros * growth),
        to_come=Decimal(1 - ripe / clicks).quantize(_PLACES),
        spend_micros=whole.spend_micros,
    )
