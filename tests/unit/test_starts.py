"""Where reading begins."""

import pytest

from models.errors import OffsetGap
from streams.ports import TopicPartition
from streams.transport.starts import Start, start_of

TP = TopicPartition("ads.clicks.v1", 3)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, Start(100, 0, 100)),
        (150, Start(150, 0, 150)),
        (100, Start(100, 0, 100)),
        (200, Start(200, 0, 200)),
        (40, Start(100, 60, 100)),
        (0, Start(100, 100, 100)),
    ],
    ids=["never-applied", "inside", "at-start", "at-end", "overtaken", "overtaken-from-zero"],
)
def test_where_reading_begins(stored: int | None, expected: Start) -> None:
    """The store's offset if the log still has it, else the log's start with the loss counted."""
    assert expected == start_of(TP, stored, 100, 200)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, Start(100, 0, 100)),
        (190, Start(190, 0, 160)),
        (130, Start(130, 0, 100)),
        (110, Start(110, 0, 100)),
        (40, Start(100, 60, 100)),
    ],
    ids=["never-applied", "inside", "just-there", "partly-gone", "overtaken"],
)
def test_what_is_read_again(stored: int | None, expected: Start) -> None:
    """The records before the fence are read as far as the log has them; those it dropped were counted, not lost."""
    assert expected == start_of(TP, stored, 100, 200, 30)


def test_a_store_ahead_of_the_log_is_refused() -> None:
    """A topic created anew must not be read as if it were already counted."""
    with pytest.raises(OffsetGap, match=r"ads\.clicks\.v1/3: the store stands at offset 201, but the log ends at 200"):
        start_of(TP, 201, 100, 200)
