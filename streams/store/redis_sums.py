"""Summing raw hash replies: the part of reading that costs, so it stays in flat loops."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from typing import Final

import msgspec

from models.totals import Totals
from streams.store.keys import CARRY, LIMB, NAMES
from streams.store.vectors import PART, added, by_member

_integers: Final = msgspec.json.Decoder(list[int]).decode
_arrays: Final = msgspec.msgpack.Decoder(list[list[int]], strict=False).decode
_FIRST_PACKED: Final = 0x80
"""Integers are text, so a value that begins with this or more is a packed array."""

_MOST_ROWS: Final = 50_000
"""Arrays that are held before they are added up."""


def sum_fields(replies: Iterable[list[bytes]]) -> dict[str, int]:
    """Add flat `field, integer, field, integer ...` replies field by field, carries included."""
    sums: dict[bytes, int] = defaultdict(int)
    for reply in replies:
        _add_integers(sums, reply[::2], reply[1::2])
    return _uncarried(sums)


class CellSums:
    """Adds the replies of buckets, which hold integers and packed arrays, and gives the totals of each member."""

    def __init__(self, region: str | None = None) -> None:
        """Start with nothing; a region leaves out the members of others before they cost anything."""
        self._region = None if region is None else region.encode()
        self._integers: dict[bytes, int] = defaultdict(int)
        self._vectors: dict[bytes, list[list[int]]] = defaultdict(list)
        self._rows = 0

    def take(self, replies: Iterable[list[bytes]]) -> None:
        """Add flat `field, value, field, value ...` replies."""
        for reply in replies:
            fields, values = reply[::2], reply[1::2]
            if self._region is not None:
                own = _places_of(self._region, fields)
                fields, values = [fields[place] for place in own], [values[place] for place in own]
            packed = [place for place, value in enumerate(values) if value[0] >= _FIRST_PACKED]
            if packed:
                self._add_vectors([fields[place] for place in packed], [values[place] for place in packed])
                plain = [place for place, value in enumerate(values) if value[0] < _FIRST_PACKED]
                fields, values = [fields[place] for place in plain], [values[place] for place in plain]
            _add_integers(self._integers, fields, values)

    def _add_vectors(self, fields: list[bytes], values: list[bytes]) -> None:
        # One decoding for all arrays of a hash: 0xdd begins an array of that many.
        rows = _arrays(b"\xdd" + len(values).to_bytes(4, "big") + b"".join(values))
        for field, amounts in zip(fields, rows, strict=True):
            self._vectors[field].append(amounts)
        self._rows += len(rows)
        if self._rows > _MOST_ROWS + 2 * len(self._vectors):
            self._add_up()

    def _add_up(self) -> None:
        """Leave one array of each field: adding many at once, position by position, is the cheap way."""
        for field, rows in self._vectors.items():
            if len(rows) > 1:
                self._vectors[field] = [list(map(sum, zip_longest(*rows, fillvalue=0)))]
        self._rows = len(self._vectors)

    def totals(self) -> dict[str, Totals]:
        """Give the totals of each member; a counter this version does not know is left out."""
        self._add_up()
        vectors: dict[str, list[int]] = {}
        for raw, (amounts,) in self._vectors.items():
            field = raw.decode()
            if field.startswith(CARRY):
                field, amounts = field.removeprefix(CARRY), [amount * PART for amount in amounts]
            vectors[field] = added(vectors[field], amounts) if field in vectors else amounts
        members = by_member(vectors.items())
        for field, amount in _uncarried(self._integers).items():
            code, _, member = field.partition(":")
            if name := NAMES.get(code):
                members.setdefault(member, {})[name] = amount
        return {member: Totals.of(counters) for member, counters in members.items()}


def _places_of(region: bytes, fields: list[bytes]) -> list[int]:
    """Give where the fields of a region stand: `code:region` or `code:region:campaign`."""
    start = b":" + region
    near = [place for place, field in enumerate(fields) if start in field]
    return [place for place in near if fields[place].split(b":", 2)[1] == region]


def _add_integers(sums: dict[bytes, int], fields: list[bytes], values: list[bytes]) -> None:
    # One parse for all numbers of a hash: faster than `int` on each.
    for field, number in zip(fields, _integers(b"[" + b",".join(values) + b"]"), strict=True):
        sums[field] += number


def _uncarried(sums: dict[bytes, int]) -> dict[str, int]:
    out: dict[str, int] = {}
    for raw, amount in sums.items():
        field = raw.decode()
        if field.startswith(CARRY):
            name = field.removeprefix(CARRY)
            out[name] = out.get(name, 0) + amount * LIMB
        else:
            out[field] = out.get(field, 0) + amount
    return out
