"""Laws of the allocator on ten thousand random cases and on Hypothesis' own."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.allocator import allocate

CASES = 10_000


def case(rng: random.Random) -> tuple[int, list[int], list[int], list[int]]:
    """Draw a feasible case: total, values, lower and upper bounds."""
    count = rng.randint(1, 12)
    lower = [rng.randint(0, 10**9) for _ in range(count)]
    upper = [low + rng.randint(0, 10**9) for low in lower]
    values = [rng.choice([0, rng.randint(0, 10), rng.randint(0, 10**12)]) for _ in range(count)]
    return rng.randint(sum(lower), sum(upper)), values, lower, upper


def test_ten_thousand_splits_lose_nothing_and_keep_their_bounds() -> None:
    """The sum is exact, every bound holds, and the same case gives the same answer."""
    rng = random.Random(20_250_618)
    for _ in range(CASES):
        total, values, lower, upper = case(rng)
        amounts = allocate(total, values, lower, upper)

        assert total == sum(amounts)
        assert all(low <= amount <= high for low, amount, high in zip(lower, amounts, upper, strict=True))
        assert amounts == allocate(total, values, lower, upper)


@given(st.randoms(use_true_random=False), st.integers(1, 10**9))
@settings(max_examples=200, deadline=None)
def test_more_money_gives_nobody_less(rng: random.Random, more: int) -> None:
    """With a larger total no amount falls, but for the one micro of rounding."""
    total, values, lower, upper = case(rng)
    larger = min(total + more, sum(upper))
    before, after = allocate(total, values, lower, upper), allocate(larger, values, lower, upper)

    assert all(then >= now - 1 for now, then in zip(before, after, strict=True))


@given(st.randoms(use_true_random=False), st.integers(2, 1_000))
@settings(max_examples=200, deadline=None)
def test_only_proportions_of_values_count(rng: random.Random, factor: int) -> None:
    """Values in another unit give the same amounts."""
    total, values, lower, upper = case(rng)

    assert allocate(total, values, lower, upper) == allocate(total, [factor * v for v in values], lower, upper)


@given(st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_better_value_never_gets_less(rng: random.Random) -> None:
    """With equal bounds, amounts are in the order of values."""
    total, values, lower, upper = case(rng)
    low, high = min(lower), max(upper)
    amounts = allocate(total, values, [low] * len(values), [high] * len(values))
    ranked = sorted(zip(values, amounts, strict=True))

    assert all(a[1] <= b[1] + 1 for a, b in pairwise(ranked) if any(values))
