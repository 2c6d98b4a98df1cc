"""What travels to `apply.lua`: tables of amounts, and the parts that point to them."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from models.totals import Vector
from streams.store.keys import CARRY, LIMB
from streams.store.limits import EXACT
from streams.store.vectors import in_parts

_LIMB_BITS: Final = LIMB.bit_length() - 1

Table = tuple[Sequence[str], Sequence[int | str], bool]
"""Fields, the amount each gains, and whether the amounts are text."""

Rows = tuple[Sequence[str], Sequence[int], Sequence[int]]
"""Fields, the number of amounts each gains, and all amounts in one row: far fewer objects than an array per field."""


class Add(NamedTuple):
    """A hash that gains: its index (0 none, 2 expiries, 3 seconds), score there, table and vectors (0 none)."""

    within: int
    score: int
    table: int
    vectors: int = 0


class Set(NamedTuple):
    """A hash that keeps texts: its index and score, fields, texts, and the texts that must be there (False none)."""

    within: int
    score: int
    fields: Sequence[str]
    values: Sequence[str]
    olds: Sequence[str | bool] | bool


def _as_sent(fields: list[str], amounts: list[int]) -> Table:
    """Give fields and amounts as the script takes them: text where Lua would round, carries where 64 bits end."""
    if max(amounts) <= EXACT and min(amounts) >= -EXACT:
        return fields, amounts, False
    wide: list[str] = []
    sent: list[int | str] = []
    for field, amount in zip(fields, amounts, strict=True):
        carry = (amount + LIMB // 2) >> _LIMB_BITS
        rest = amount - (carry << _LIMB_BITS)
        wide.append(field)
        sent.append(str(rest))
        if carry:
            wide.append(CARRY + field)
            sent.append(str(carry))
    return wide, sent, True


def _rows(cells: Mapping[str, Vector]) -> Rows:
    return list(cells), list(map(len, cells.values())), list(chain.from_iterable(cells.values()))


def _wide_rows(cells: Mapping[str, Vector]) -> Rows:
    """Give vectors whose amounts need not fit a position: the rest goes to a vector of carries."""
    wide: dict[str, Vector] = {}
    for name, amounts in cells.items():
        wide[name], carries = in_parts(amounts)
        if any(carries):
            wide[CARRY + name] = carries
    return _rows(wide)


class Tables:
    """The tables of one call; a mapping that several buckets share becomes one table.

    Args:
        wide: an amount of a vector is past what a position holds. The script finds out, because it looks at every
            amount anyhow and there hardly ever is one.
    """

    def __init__(self, *, wide: bool) -> None:
        self._rows = _wide_rows if wide else _rows
        self.plain: list[Table] = []
        self.vectors: list[Rows] = []
        self._numbers: dict[int, int] = {}

    def add(self, fields: list[str], amounts: list[int]) -> int:
        """Give the number of a new table."""
        self.plain.append(_as_sent(fields, amounts))
        return len(self.plain)

    def of_cells(self, cells: Mapping[str, int] | None, codes: Mapping[str, str]) -> int:
        """Give the number of the table of a bucket's cells; 0 for none."""
        if not cells:
            return 0
        number = self._numbers.get(id(cells))
        if number is None:
            number = self.add(list(map(codes.__getitem__, cells)), list(cells.values()))
            self._numbers[id(cells)] = number
        return number

    def of_vectors(self, cells: Mapping[str, Vector] | None) -> int:
        """The same of a bucket's vectors."""
        if not cells:
            return 0
        number = self._numbers.get(id(cells))
        if number is None:
            self.vectors.append(self._rows(cells))
            number = self._numbers[id(cells)] = len(self.vectors)
        return number
