"""The ids of a partition's last records: which record repeats one that came shortly before.

```
offset   0 1 2 3 4 5 6 7      size 4
id       a b a c d e a b
repeat       x       x        a at 2 and at 6 lies within 4 of the sight before; b at 7 lies 6 behind 1
```

The answer follows from the log alone: not from how it was cut into slices, nor
from where reading began, if it began at least `size` offsets earlier.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence


class Recent:
    """Ids noted with their offsets, in the order of the log; a copy counts as the newest sight of its id.

    Two dictionaries, each of about `size` offsets: when the younger is full the
    older is dropped whole. So between one and two windows are held, and no id
    is ever looked for to be deleted.
    """

    def __init__(self, size: int) -> None:
        """Start with nothing noted.

        Args:
            size: a record repeats another that lies at most this many offsets before it; at least 1.
        """
        self._size = size
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._young_from = 0
        self._asked_from = 0
        self._end: int | None = None
        self._repeated: frozenset[int] = frozenset()

    @property
    def end(self) -> int | None:
        """First offset not noted; None before the first."""
        return self._end

    def __len__(self) -> int:
        """Ids held."""
        return len(self._young.keys() | self._old.keys())

    def repeats(
        self,
        ids: Sequence[str],
        offsets: Sequence[int],
        first: int,
        end: int,
        put_back: Mapping[int, int] | None = None,
    ) -> Sequence[int]:
        """Note the records of a stretch of the log, and give the positions in `ids` of those that are repeats.

        A stretch that was noted last may be asked about again, in part or with
        more behind it: what is known is answered, not noted twice.

        Args:
            ids: event ids in order of offset.
            offsets: where each stands, ascending, in `[first, end)`.
            first: start of the stretch, inclusive.
            end: end of the stretch, exclusive.
            put_back: offset of a record that was put back on the log, to where it had lain when it was refused: it
                repeats any other sight of its id, but not that one.

        Raises:
            ValueError: the stretch starts before the one noted last.
        """
        if self._end is None or first >= self._end:
            self._asked_from, self._repeated = first, frozenset()
            found = self._note(ids, offsets, put_back or {})
        elif first < self._asked_from:
            raise ValueError(f"ids from {self._asked_from} on were noted last, and {first} comes before")
        else:
            known = bisect_left(offsets, self._end)
            again = [position for position in range(known) if offsets[position] in self._repeated]
            found = [*again, *(known + more for more in self._note(ids[known:], offsets[known:], put_back or {}))]
        if found:
            self._repeated |= {offsets[position] for position in found}
        self._end = max(end, self._end or 0)
        return found

    def _note(self, ids: Sequence[str], offsets: Sequence[int], put_back: Mapping[int, int]) -> Sequence[int]:
        """Look and note in one pass at the speed of C; only what was met before is looked at again."""
        if not ids:
            return ()
        if offsets[0] - self._young_from >= self._size:
            self._old, self._young, self._young_from = self._young, {}, offsets[0]
        own = list(offsets)
        kept = list(map(self._young.setdefault, ids, own))
        if self._old.keys().isdisjoint(ids):
            if kept == own:
                return ()
            met = [position for position, offset in enumerate(own) if kept[position] != offset]
        else:
            old = self._old
            met = [p for p, offset in enumerate(own) if kept[p] != offset or ids[p] in old]
        return self._judge(met, ids, own, put_back)

    def _judge(
        self, met: Sequence[int], ids: Sequence[str], offsets: Sequence[int], put_back: Mapping[int, int]
    ) -> list[int]:
        """Hold each record whose id was met before against the newest sight of it, in order."""
        found = []
        for position in met:
            name, offset = ids[position], offsets[position]
            seen = self._young[name]
            if seen == offset:
                seen = self._old[name]
            if offset - seen <= self._size and put_back.get(offset) != seen:
                found.append(position)
            self._young[name] = offset
        return found
