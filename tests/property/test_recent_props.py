"""Laws of the duplicate window: it follows from the log alone."""

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.recent import Recent

Log = list[tuple[int, str]]
"""Offset and id of each record."""

LOGS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("abcdefgh")), max_size=60).map(
    lambda steps: list(zip(accumulate(step for step, _ in steps), (name for _, name in steps), strict=True))
)
"""Logs with holes, of few ids, so that they repeat at every distance."""


def directly(log: Log, size: int) -> set[int]:
    """Offsets of repeats, by looking at every pair."""
    return {
        offset
        for number, (offset, name) in enumerate(log)
        if any(other == name and offset - before <= size for before, other in log[:number])
    }


def ask(recent: Recent, log: Log, first: int, end: int) -> set[int]:
    """Offsets that the window calls repeats in a stretch."""
    part = [(offset, name) for offset, name in log if first <= offset < end]
    offsets = [offset for offset, _ in part]
    found = recent.repeats([name for _, name in part], offsets, first, end)
    return {offsets[position] for position in found}


def cuts_of(log: Log, cuts: list[int]) -> list[int]:
    """Boundaries of slices: the cuts that lie inside the log, its start and its end."""
    end = log[-1][0] + 1 if log else 1
    return sorted({0, end, *(cut for cut in cuts if 0 < cut < end)})


@given(log=LOGS, size=st.integers(1, 40), cuts=st.lists(st.integers(0, 200)))
def test_any_slicing_gives_the_same_repeats(log: Log, size: int, cuts: list[int]) -> None:
    """However a log is cut, a record repeats exactly what lies within the window before it."""
    recent = Recent(size)
    found: set[int] = set()
    for first, end in pairwise(cuts_of(log, cuts)):
        found |= ask(recent, log, first, end)

    assert directly(log, size) == found


@given(log=LOGS, size=st.integers(1, 40), cuts=st.lists(st.integers(0, 200)), fence=st.integers(0, 200))
def test_any_restart_gives_the_same_repeats(log: Log, size: int, cuts: list[int], fence: int) -> None:
    """A window that begins its size before the fence knows all that matters from the fence on."""
    recent = Recent(size)
    end = cuts_of(log, cuts)[-1]
    fence = min(fence, end)
    begin = max(0, fence - size)
    ask(recent, log, begin, fence)
    found: set[int] = set()
    for first, stop in pairwise(sorted({fence, end, *(cut for cut in cuts if fence < cut < end)})):
        found |= ask(recent, log, first, stop)

    assert {offset for offset in directly(log, size) if offset >= fence} == found


@given(log=LOGS, size=st.integers(1, 40), cuts=st.lists(st.integers(0, 200)), data=st.data())
def test_asking_again_changes_nothing(log: Log, size: int, cuts: list[int], data: st.DataObject) -> None:
    """A stretch that is asked about again, in part or with more behind it, gets the same answers."""
    recent = Recent(size)
    found: set[int] = set()
    for first, end in pairwise(cuts_of(log, cuts)):
        part = ask(recent, log, first, end)
        again = data.draw(st.integers(first, end - 1))
        longer = data.draw(st.integers(end, end + 5))
        assert {offset for offset in part if offset >= again} == ask(recent, log, again, end)
        found |= part
        if longer > end and end == cuts_of(log, cuts)[-1]:
            found |= ask(recent, log, again, longer)

    assert directly(log, size) == found


@given(log=LOGS, size=st.integers(1, 40))
def test_what_is_held_is_bounded(log: Log, size: int) -> None:
    """Record by record, no more ids are held than two windows have offsets."""
    recent = Recent(size)
    for offset, _ in log:
        ask(recent, log, offset, offset + 1)
        assert len(recent) <= 2 * size
