"""Which offsets may be committed: a small state machine without clock, I/O or framework.

```
              open(tp, 100)
delivered     [100..150) [150..170) [170..300)          in delivery order, each starting where the last ended
acked             x                     x               in any order
commit            ^150                                  the prefix of acknowledged slices, never past a hole
```

A partition may be opened before its fence: what lies between was counted before
and is read again to look at it. Nothing before the fence is ever committed.

Each `open` starts a new lease. What was delivered under an older lease may
still be acknowledged by a handler that did not notice; it changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streams.ports import TopicPartition


class Delivery(NamedTuple):
    """One slice handed out, half-open `[first, next_offset)`, and the lease it was handed out under."""

    tp: TopicPartition
    lease: int
    first: int
    next_offset: int
    records: int


class _Lease:
    """What is known of one partition since it was opened."""

    __slots__ = ("acked", "committed", "done", "fence", "number", "out", "position", "unacked")

    def __init__(self, number: int, start: int, fence: int) -> None:
        self.number = number
        self.fence = fence
        self.position = start
        self.done = start
        self.committed: int | None = None
        self.out: dict[int, Delivery] = {}
        self.acked: dict[int, int] = {}
        self.unacked = 0

    @property
    def counted(self) -> int:
        """End of what is safe in the store, exclusive."""
        return max(self.done, self.fence)


class Ledger:
    """Slices delivered and acknowledged, per partition. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        """Start with no partition."""
        self._leases: dict[TopicPartition, _Lease] = {}
        self._last_lease = 0

    def open(self, tp: TopicPartition, start: int, fence: int | None = None) -> int:
        """Begin a partition anew at `start`; everything known of it before is void. Gives the lease.

        Args:
            tp: the partition.
            start: first offset that is delivered.
            fence: first offset the store has not counted; None for `start`.
        """
        self._last_lease += 1
        self._leases[tp] = _Lease(self._last_lease, start, start if fence is None else fence)
        return self._last_lease

    def close(self, tps: Iterable[TopicPartition]) -> None:
        """Forget partitions: nothing is delivered, acknowledged or committed for them any more."""
        for tp in tps:
            self._leases.pop(tp, None)

    def held(self) -> list[TopicPartition]:
        """Give the partitions that are open."""
        return list(self._leases)

    def is_open(self, tp: TopicPartition) -> bool:
        """Tell whether the partition is being delivered."""
        return tp in self._leases

    def is_current(self, delivery: Delivery) -> bool:
        """Tell whether the delivery belongs to the present lease of its partition."""
        lease = self._leases.get(delivery.tp)
        return lease is not None and lease.number == delivery.lease

    def position(self, tp: TopicPartition) -> int | None:
        """Give the offset the next slice must start at; None when the partition is not open."""
        lease = self._leases.get(tp)
        return None if lease is None else lease.position

    def done(self, tp: TopicPartition) -> int | None:
        """Give the end of what is safe in the store, exclusive; None when the partition is not open."""
        lease = self._leases.get(tp)
        return None if lease is None else lease.counted

    def fence(self, tp: TopicPartition) -> int | None:
        """Give the offset from which records count in this lease; None when the partition is not open."""
        lease = self._leases.get(tp)
        return None if lease is None else lease.fence

    def deliver(self, tp: TopicPartition, first: int, next_offset: int, records: int = 1) -> Delivery | None:
        """Hand out a slice; None when it does not start exactly where the last one ended.

        Raises:
            ValueError: the slice covers no offset.
        """
        if next_offset <= first:
            raise ValueError(f"a slice must cover at least one offset, got [{first}, {next_offset})")
        lease = self._leases.get(tp)
        if lease is None or lease.position != first:
            return None
        delivery = Delivery(tp, lease.number, first, next_offset, records)
        lease.out[first] = delivery
        lease.position = next_offset
        lease.unacked += records
        return delivery

    def ack(self, delivery: Delivery) -> bool:
        """Note that a slice is safe in the store; False when it is stale or was acknowledged before."""
        lease = self._leases.get(delivery.tp)
        if lease is None or lease.number != delivery.lease or lease.out.pop(delivery.first, None) is None:
            return False
        lease.unacked -= delivery.records
        lease.acked[delivery.first] = delivery.next_offset
        while lease.done in lease.acked:
            lease.done = lease.acked.pop(lease.done)
        return True

    def unacked(self) -> int:
        """Give the number of records handed out and not yet acknowledged, over all partitions."""
        return sum(lease.unacked for lease in self._leases.values())

    def committable(self) -> dict[TopicPartition, int]:
        """Give the offsets worth telling the broker: the fence of a partition, then each longer prefix."""
        return {tp: lease.counted for tp, lease in self._leases.items() if lease.counted not in (0, lease.committed)}

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note what the broker has accepted; a partition closed or reopened meanwhile is left alone."""
        for tp, offset in offsets.items():
            lease = self._leases.get(tp)
            if lease is not None and offset <= lease.counted:
                lease.committed = max(offset, lease.committed or 0)
