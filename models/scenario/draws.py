"""Random draws from named substreams: the same name gives the same numbers in every process.

A substream belongs to one seed and one thing (a region, a minute), so a change
in one region never reshuffles another.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import exp
from random import Random


def substream(seed: int, *parts: str | int) -> Random:
    """Give the generator of one named part of a seeded world."""
    name = "\x1f".join(str(part) for part in (seed, *parts))
    return Random(int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "big"))


def poisson(rng: Random, mean: float) -> int:
    """Draw a count with this mean; 0 for a mean of 0 or less.

    Large means use the normal approximation, which is off by less than its own noise.
    """
    if mean <= 0:
        return 0
    if mean > 40:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number by weights, exactly: the parts add up to `total`.

    Largest remainder; equal remainders go to the earlier part.
    """
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def spread(total: int, count: int) -> list[int]:
    """Split a whole number into `count` nearly equal parts, the larger ones first.

    Empty when `count` is 0; `total` must then be 0 for nothing to be lost.
    """
    if count == 0:
        return []
    share, rest = divmod(total, count)
    return [share + 1] * rest + [share] * (count - rest)
