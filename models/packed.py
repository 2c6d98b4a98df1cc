"""Vectors as one integer: a group's counters side by side, 64 bits each, so that adding two is adding two integers.

```
bit      ... 192          128           64            0
counter      |  third      |  second     |  first      |      each signed: a borrow reaches into the next, and is undone
```

A sum of vectors is right as long as each counter of it stays within 63 bits.
"""

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Final

from models.totals import GROUPS

_BITS: Final = 64

LARGEST: Final = 2 ** (_BITS - 2)
"""A counter of a sum whose parts add up to this, signs left out, is read back as it was added."""


def one(group: str, name: str) -> int:
    """Give the vector that is 1 in one counter of a group and 0 in the others.

    Raises:
        ValueError: the group has no such counter.
    """
    return int(1 << _BITS * GROUPS[group].index(name))


@lru_cache
def reader(group: str) -> Callable[[int], tuple[int, ...]]:
    """Give the function that lays a vector of a group out, by position in `models.totals.GROUPS`."""
    size = len(GROUPS[group])
    signs = sum(1 << _BITS * place + _BITS - 1 for place in range(size))
    layout = Struct(f"<{size}q")

    def read(packed: int) -> tuple[int, ...]:
        return layout.unpack(((packed + signs) ^ signs).to_bytes(layout.size, "little"))

    return read
