"""The acknowledgement ledger against a model that remembers everything, under any order of events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from streams.ports import TopicPartition
from streams.transport.acks import Delivery, Ledger

PARTITIONS = [TopicPartition("ads.clicks.v1", number) for number in range(3)]


class LedgerMachine(RuleBasedStateMachine):
    """Opens, closes, delivers, acknowledges and commits; the model is a list of what is settled per lease."""

    deliveries: Bundle[Delivery] = Bundle("deliveries")
    settled: Bundle[Delivery] = Bundle("settled")

    def __init__(self) -> None:
        """Begin with no partition."""
        super().__init__()
        self.ledger = Ledger()
        self.starts: dict[TopicPartition, int] = {}
        self.fences: dict[TopicPartition, int] = {}
        self.handed: dict[TopicPartition, list[Delivery]] = {}
        self.acked: set[Delivery] = set()
        self.told: dict[TopicPartition, int] = {}

    @rule(tp=st.sampled_from(PARTITIONS), start=st.integers(0, 1_000), lead=st.sampled_from([0, 0, 1, 60]))
    def open(self, tp: TopicPartition, start: int, lead: int) -> None:
        """A partition is assigned, or begun anew after a seek, some records before its fence."""
        self.ledger.open(tp, start, start + lead)
        self.starts[tp], self.handed[tp], self.fences[tp] = start, [], start + lead
        self.told.pop(tp, None)

    @rule(tps=st.sets(st.sampled_from(PARTITIONS)))
    def revoke(self, tps: set[TopicPartition]) -> None:
        """Partitions go to another worker."""
        self.ledger.close(tps)
        for tp in tps:
            self.starts.pop(tp, None)
            self.handed.pop(tp, None)
            self.told.pop(tp, None)

    @rule(
        target=deliveries,
        tp=st.sampled_from(PARTITIONS),
        size=st.integers(1, 50),
        shift=st.sampled_from([0, 0, 0, -1, 1]),
    )
    def deliver(self, tp: TopicPartition, size: int, shift: int) -> Delivery | MultipleResults[Delivery]:
        """A slice is handed out; one that does not continue where the last ended is refused."""
        end = self.end(tp)
        first = (end or 0) + shift
        delivery = self.ledger.deliver(tp, first, first + size, size)
        assert (end is not None and shift == 0) == (delivery is not None)
        if delivery is None:
            return multiple()
        self.handed[tp].append(delivery)
        return delivery

    @rule(target=settled, delivery=consumes(deliveries))
    def ack(self, delivery: Delivery) -> Delivery:
        """A handler is done; it counts when the delivery is of the present lease."""
        current = delivery in self.handed.get(delivery.tp, ())
        assert current == self.ledger.is_current(delivery) == self.ledger.ack(delivery)
        self.acked.add(delivery)
        return delivery

    @rule(delivery=settled)
    def ack_again(self, delivery: Delivery) -> None:
        """A second acknowledgement never counts."""
        assert not self.ledger.ack(delivery)

    @rule(accepted=st.booleans())
    def commit(self, accepted: bool) -> None:
        """What is due goes to the broker, which may refuse it."""
        due = self.ledger.committable()
        for tp, offset in due.items():
            assert offset > self.told.get(tp, 0)
        if accepted:
            self.ledger.committed(due)
            self.told.update(due)

    def end(self, tp: TopicPartition) -> int | None:
        """Where the model expects the next slice to start."""
        if tp not in self.starts:
            return None
        return self.handed[tp][-1].next_offset if self.handed[tp] else self.starts[tp]

    def prefix(self, tp: TopicPartition) -> int:
        """The end of the acknowledged prefix, by walking over everything handed out; the fence at least."""
        at = self.starts[tp]
        for delivery in self.handed[tp]:
            if delivery not in self.acked:
                break
            at = delivery.next_offset
        return max(at, self.fences[tp])

    @invariant()
    def commits_the_prefix_and_nothing_else(self) -> None:
        """Due is exactly the prefix of each open partition, unless the broker knows it."""
        prefixes = {tp: self.prefix(tp) for tp in self.starts}
        assert {tp: at for tp, at in prefixes.items() if at not in (0, self.told.get(tp))} == self.ledger.committable()
        assert prefixes == {tp: self.ledger.done(tp) for tp in self.starts}

    @invariant()
    def knows_what_is_out(self) -> None:
        """Unacknowledged records are those handed out under present leases and not settled."""
        out = [d for handed in self.handed.values() for d in handed if d not in self.acked]
        assert sum(delivery.records for delivery in out) == self.ledger.unacked()
        assert [self.end(tp) for tp in PARTITIONS] == [self.ledger.position(tp) for tp in PARTITIONS]


LedgerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLedger = LedgerMachine.TestCase
