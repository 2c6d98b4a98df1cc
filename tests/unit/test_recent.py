"""The duplicate window by example."""

import pytest

from models.recent import Recent


@pytest.mark.parametrize(
    ("log", "size", "expected"),
    [
        ("abacdeab", 4, "__x___x_"),
        ("aaaa", 1, "_xxx"),
        ("a_a", 1, "___"),
        ("a_a", 2, "__x"),
        ("abcabc", 3, "___xxx"),
        ("abcabc", 2, "______"),
    ],
    ids=["the-picture", "a-copy-refreshes", "one-too-far", "at-the-edge", "all-at-the-edge", "all-too-far"],
)
def test_a_repeat_lies_within_the_window(log: str, size: int, expected: str) -> None:
    """An id repeats when it was seen at most `size` offsets before, holes counted."""
    offsets = [offset for offset, name in enumerate(log) if name != "_"]
    found = Recent(size).repeats([log[offset] for offset in offsets], offsets, 0, len(log))

    assert expected == "".join("x" if o in {offsets[p] for p in found} else "_" for o in range(len(log)))


def test_a_record_that_was_put_back_repeats_all_but_itself() -> None:
    """What was refused and put back is no copy of its own first sight; a copy that came between makes it one."""
    told = {2: 0, 5: 3}
    alone = Recent(10).repeats(["a", "b", "a"], [0, 1, 2], 0, 3, told)
    between = Recent(10).repeats(["a", "a", "a", "a"], [3, 4, 5, 6], 3, 7, told)

    assert ([], [1, 2, 3]) == (list(alone), list(between))


def test_what_was_noted_last_may_be_asked_again_and_nothing_before() -> None:
    """A slice that is tried again gets its answers; going back further is a fault of the caller."""
    recent = Recent(10)
    recent.repeats(["a"], [0], 0, 1)
    first = recent.repeats(["a", "b", "b"], [1, 2, 3], 1, 4)
    again = recent.repeats(["b", "b"], [2, 3], 2, 4)

    assert ([0, 2], [1], 4) == (list(first), list(again), recent.end)
    with pytest.raises(ValueError, match="were noted last"):
        recent.repeats(["a"], [0], 0, 1)


def test_a_stretch_without_records_moves_the_end() -> None:
    """Holes count: the window ends where the stretch does."""
    recent = Recent(2)
    recent.repeats([], [], 5, 9)

    assert (9, 0) == (recent.end, len(recent))
