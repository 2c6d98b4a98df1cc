"""Split an integer amount in proportion to values, inside bounds, without losing a micro.

```
share       = the proportional part of what is left
too high    fix at the upper bound         whichever excess is larger first,
too low     fix at the lower bound         then share the rest again
remainder   one micro each to the largest fractions, ties to the earlier
```
"""

from collections.abc import Sequence

from models.errors import InfeasibleBounds


def allocate(total: int, values: Sequence[int], lower: Sequence[int], upper: Sequence[int]) -> list[int]:
    """Give one amount per value: they add up to `total` and keep both bounds, ends included.

    Inside the bounds amounts are proportional to values, which are zero or
    more; where nothing but zeros is left, equal parts. The same input gives
    the same output.

    Raises:
        InfeasibleBounds: a lower bound is above its upper one, or the bounds cannot add up to the total.
    """
    _check(total, lower, upper)
    amounts = [0] * len(values)
    free = list(range(len(values)))
    left = total
    while free:
        weights = [values[i] for i in free]
        if not any(weights):
            weights = [1] * len(free)
        fixed = _violations(left, weights, [lower[i] for i in free], [upper[i] for i in free])
        if not fixed:
            for i, amount in zip(free, _round(left, weights), strict=True):
                amounts[i] = amount
            break
        for position, bound in fixed.items():
            amounts[free[position]] = bound
            left -= bound
        free = [i for position, i in enumerate(free) if position not in fixed]
    return amounts


def _check(total: int, lower: Sequence[int], upper: Sequence[int]) -> None:
    for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if low > high:
            raise InfeasibleBounds(f"floor {low} of part {i} is above its cap {high}")
    if (short := sum(lower) - total) > 0:
        raise InfeasibleBounds(f"the floors ask for {short} micros more than the total of {total}")
    if (spare := total - sum(upper)) > 0:
        raise InfeasibleBounds(f"the caps leave {spare} micros of the total of {total} without a place")


def _violations(left: int, weights: Sequence[int], lower: Sequence[int], upper: Sequence[int]) -> dict[int, int]:
    """Give position to bound for the side whose proportional parts stray further out of the bounds."""
    whole = sum(weights)
    above, below, excess, deficit = {}, {}, 0, 0
    for position, (weight, low, high) in enumerate(zip(weights, lower, upper, strict=True)):
        scaled = left * weight  # compared in units of 1 / whole: exact, without fractions
        if scaled > high * whole:
            above[position] = high
            excess += scaled - high * whole
        elif scaled < low * whole:
            below[position] = low
            deficit += low * whole - scaled
    return above if excess >= deficit and above else below


def _round(left: int, weights: Sequence[int]) -> list[int]:
    whole = sum(weights)
    parts = [divmod(left * weight, whole) for weight in weights]
    amounts = [part for part, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))
    for i in by_remainder[: left - sum(amounts)]:
        amounts[i] += 1
    return amounts
