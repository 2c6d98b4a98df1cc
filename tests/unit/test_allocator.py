"""Splitting money: exact cases a person can follow."""

import pytest

from models.errors import InfeasibleBounds
from rules.allocator import allocate


@pytest.mark.parametrize(
    ("total", "values", "lower", "upper", "expected"),
    [
        (100, [1, 1], [0, 0], [100, 100], [50, 50]),
        (100, [3, 1], [0, 0], [100, 100], [75, 25]),
        (100, [3, 1], [0, 40], [100, 100], [60, 40]),
        (100, [3, 1], [0, 0], [70, 100], [70, 30]),
        (100, [8, 1, 1], [0, 0, 0], [60, 15, 100], [60, 15, 25]),
        (10, [1, 1, 1], [0, 0, 0], [9, 9, 9], [4, 3, 3]),
        (11, [1, 2, 3], [0, 0, 0], [9, 9, 9], [2, 4, 5]),
        (8, [0, 1], [0, 0], [10, 3], [5, 3]),
        (7, [0, 0, 0], [0, 0, 0], [9, 9, 9], [3, 2, 2]),
        (0, [1, 2], [0, 0], [5, 5], [0, 0]),
        (9, [5, 1], [4, 5], [4, 5], [4, 5]),
        (0, [], [], [], []),
    ],
    ids=[
        "equal",
        "in-proportion",
        "floor",
        "cap",
        "two-caps",
        "remainder-to-the-first",
        "remainder-to-the-largest-fraction",
        "worthless-takes-what-is-left",
        "all-worthless",
        "nothing",
        "no-room",
        "nobody",
    ],
)
def test_amounts(total: int, values: list[int], lower: list[int], upper: list[int], expected: list[int]) -> None:
    """Amounts are proportional to values inside the bounds and add up to the total."""
    assert expected == allocate(total, values, lower, upper)


@pytest.mark.parametrize(
    ("total", "lower", "upper", "sentence"),
    [
        (10, [6, 7], [9, 9], "the floors ask for 3 micros more than the total of 10"),
        (10, [0, 0], [4, 4], "the caps leave 2 micros of the total of 10 without a place"),
        (10, [5, 0], [4, 9], "floor 5 of part 0 is above its cap 4"),
    ],
    ids=["floors", "caps", "crossed"],
)
def test_impossible_bounds_name_the_shortfall(total: int, lower: list[int], upper: list[int], sentence: str) -> None:
    """Nothing is ignored or clamped: the error says what is missing."""
    with pytest.raises(InfeasibleBounds, match=sentence):
        allocate(total, [1, 1], lower, upper)
