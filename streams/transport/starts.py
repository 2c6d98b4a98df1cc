"""Where to begin reading a partition: what the store holds against what the log still has."""

from typing import NamedTuple

from models.errors import OffsetGap
from streams.ports import TopicPartition


class Start(NamedTuple):
    """Where to begin.

    Attributes:
        offset: the fence: from here on records count.
        lost: how many offsets before the fence the log has dropped before they were counted.
        begin: first offset to read; what lies between it and the fence counted before and is only looked at.
    """

    offset: int
    lost: int
    begin: int


def start_of(tp: TopicPartition, stored: int | None, earliest: int, latest: int, lead: int = 0) -> Start:
    """Decide where to begin.

    ```
    stored None              begin at the start of the log
    earliest <= stored       begin at stored
    stored < earliest        retention was faster than we were: begin at earliest, the rest is lost and counted
    latest < stored          the topic was made anew (or the broker lost its tail): refused
    ```

    Args:
        tp: the partition, for the sentence of the error.
        stored: first offset the store has not applied; None when it never applied any.
        earliest: first offset the log still has.
        latest: offset the next record will get.
        lead: offsets before the fence to read again, as far as the log has them; those it dropped are not lost.

    Raises:
        OffsetGap: the store is ahead of the log, so every new record would look like one already counted.
    """
    if stored is None:
        return Start(earliest, 0, earliest)
    if stored > latest:
        raise OffsetGap(
            f"{tp.topic}/{tp.partition}: the store stands at offset {stored}, but the log ends at {latest}: "
            "the topic was created anew or lost its tail; restore it, or clear the totals and start over"
        )
    if stored < earliest:
        return Start(earliest, earliest - stored, earliest)
    return Start(stored, 0, max(earliest, stored - lead))
