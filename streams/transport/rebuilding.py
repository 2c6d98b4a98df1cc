"""Says that totals are being rebuilt: the store stands behind what was counted before, and the log is read again."""

from collections.abc import Iterable, Mapping

from streams.ports import TopicPartition
from streams.transport.starts import Start
from streams.transport.wiring import Observer


class Rebuilds:
    """The partitions whose store went back, each until it is where it was."""

    def __init__(self, observer: Observer) -> None:
        """Know of none.

        Args:
            observer: told while totals are less than they were.
        """
        self._observer = observer
        self._goals: dict[TopicPartition, int] = {}

    def begin(self, starts: Mapping[TopicPartition, Start], committed: Mapping[TopicPartition, int]) -> None:
        """Hold starts against what the group committed: never ahead of the store, unless that went back."""
        for tp, start in starts.items():
            goal = committed.get(tp, 0)
            if goal > start.offset:
                self._goals[tp] = goal
                self._observer.trouble(
                    f"rebuild {tp.topic}/{tp.partition}",
                    f"totals are being rebuilt: {tp.topic}/{tp.partition} is read again from {start.offset}, "
                    f"{goal} was reached before the store went back",
                )
            else:
                self.drop((tp,))

    def reached(self, tp: TopicPartition, done: int | None) -> None:
        """Note how far a partition is settled."""
        goal = self._goals.get(tp)
        if goal is not None and done is not None and done >= goal:
            self.drop((tp,))

    def drop(self, tps: Iterable[TopicPartition]) -> None:
        """Say no more about partitions."""
        for tp in tps:
            if self._goals.pop(tp, None) is not None:
                self._observer.recovered(f"rebuild {tp.topic}/{tp.partition}")
