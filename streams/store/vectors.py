"""Vectors of amounts: the counters of one group of one member, kept together by position.

```
name     o:440000          group and member, as `BatchWrite.vectors` and the stored field spell it
amounts  [1, 0, 0, 0, 0, 0, 5999000000]      by position in `models.totals.GROUPS`; zeros at the end left out
```
"""

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Final

from models.totals import GROUPS, Vector
from streams.ports import BucketRef

PART: Final = 1 << 52
"""A stored position stays within this on either side, so that Lua adds two exactly; multiples of it are the carry."""

_PART_BITS: Final = PART.bit_length() - 1
_MOST_NAMES: Final = 200_000


class VectorSizes(dict[str, int]):
    """`"group:member"` to the positions its group has, remembered as `FieldCodes` are."""

    def __missing__(self, name: str) -> int:
        """Look the group up and remember it.

        Raises:
            ValueError: the part before the first colon is not a group.
        """
        group, colon, _ = name.partition(":")
        if not colon or group not in GROUPS:
            raise ValueError(f"{name[:100]!r} does not name a group and a member")
        if len(self) >= _MOST_NAMES:
            self.clear()
        size = self[name] = len(GROUPS[group])
        return size


def check_vectors(vectors: Mapping[BucketRef, Mapping[str, Vector]], sizes: VectorSizes) -> None:
    """Refuse vectors that nobody could read; buckets may share a mapping, which is looked at once.

    Raises:
        ValueError: a name has no known group, or there are more amounts than its group has counters.
    """
    for cells in {id(cells): cells for cells in vectors.values()}.values():
        for name, amounts in cells.items():
            if len(amounts) > sizes[name]:
                raise ValueError(f"{name[:100]!r} has {len(amounts)} amounts, its group {sizes[name]}")


def added(one: Vector, other: Vector) -> list[int]:
    """Add position by position; what one of them leaves out is zero."""
    return [a + b for a, b in zip_longest(one, other, fillvalue=0)]


def in_parts(amounts: Vector) -> tuple[list[int], list[int]]:
    """Split amounts into what a position may hold, at most half of `PART` on either side, and their carries."""
    carries = [(amount + PART // 2) >> _PART_BITS for amount in amounts]
    return [amount - carry * PART for amount, carry in zip(amounts, carries, strict=True)], carries


def by_member(sums: Iterable[tuple[str, Vector]]) -> dict[str, dict[str, int]]:
    """Sort summed vectors into members; positions and groups that this version does not know are left out."""
    members: dict[str, dict[str, int]] = {}
    for name, amounts in sums:
        group, _, member = name.partition(":")
        if group in GROUPS:
            members.setdefault(member, {}).update(zip(GROUPS[group], amounts, strict=False))
    return members
