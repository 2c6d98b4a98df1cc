"""Memory that stays with the process, so that slices do not fetch it anew from the kernel and give it back.

Python keeps small objects in arenas of one megabyte and returns an arena as
soon as nothing in it is alive. A slice makes some 100,000 small objects and
drops them all, so each slice would pay for its pages again: two microseconds
and more a page on a virtual machine, 40 % of what decoding costs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

KEPT_MEGABYTES: Final = 48
"""What the slices in hand, their events and their sums take at once."""

_OBJECT: Final = 512 - 33
"""Payload of a `bytes` that fills the largest cell of an arena, 512 bytes."""
_PER_MEGABYTE: Final = 2_048
_KEPT_OF: Final = 512
"""One object in so many stays: four in an arena, of which one would do."""


@contextmanager
def kept_arenas(megabytes: int = KEPT_MEGABYTES) -> Iterator[None]:
    """Take arenas from the kernel for as long as the block runs; they are free for use but for a few bytes each.

    Args:
        megabytes: how much; it counts as resident memory meanwhile.
    """
    held = [bytes(_OBJECT) for _ in range(megabytes * _PER_MEGABYTE)]
    held = held[::_KEPT_OF]
    yield
    held.clear()
