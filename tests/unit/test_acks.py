"""What may be committed, drawn: `-` delivered, `x` acknowledged, `^` the commit."""

import pytest

from streams.ports import TopicPartition
from streams.transport.acks import Delivery, Ledger

TP = TopicPartition("ads.clicks.v1", 0)
OTHER = TopicPartition("ads.clicks.v1", 1)


def deliver(ledger: Ledger, first: int, stop: int, tp: TopicPartition = TP) -> Delivery:
    """Deliver a slice that is expected to be accepted, one record an offset."""
    delivery = ledger.deliver(tp, first, stop, stop - first)
    assert delivery is not None
    return delivery


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", 100),  # ---
        ("0", 110),  # x--
        ("1", 100),  # -x-
        ("21", 100),  # -xx
        ("02", 110),  # x-x
        ("210", 130),  # xxx
    ],
    ids=["none", "head", "middle", "tail", "hole", "backwards"],
)
def test_commit_is_the_acknowledged_prefix(order: str, expected: int) -> None:
    """A slice that is not acknowledged stops the commit, however many after it are."""
    ledger = Ledger()
    ledger.open(TP, 100)
    slices = [deliver(ledger, 100 + 10 * n, 110 + 10 * n) for n in range(3)]
    for index in order:
        ledger.ack(slices[int(index)])

    assert {TP: expected} == ledger.committable()


def test_nothing_before_the_fence_is_committed() -> None:
    """What is read again was committed before: the fence stands until the prefix passes it."""
    ledger = Ledger()
    ledger.open(TP, 100, 115)
    slices = [deliver(ledger, 100 + 10 * n, 110 + 10 * n) for n in range(3)]
    commits = [ledger.committable()]
    for delivery in slices:
        ledger.ack(delivery)
        commits.append(ledger.committable())

    assert [115, 115, 120, 130] == [due[TP] for due in commits]
    assert (115, 130) == (ledger.fence(TP), ledger.done(TP))
    assert ledger.fence(OTHER) is None


def test_a_hole_of_one_record_stops_the_commit() -> None:
    """One unacknowledged record is a hole like any other."""
    ledger = Ledger()
    ledger.open(TP, 124)
    deliver(ledger, 124, 125)
    ledger.ack(deliver(ledger, 125, 1000))

    assert {TP: 124} == ledger.committable()


def test_offset_zero_is_not_worth_a_commit() -> None:
    """A partition nothing was read from has nothing to tell the broker."""
    ledger = Ledger()
    ledger.open(TP, 0)
    deliver(ledger, 0, 5)

    assert {} == ledger.committable()


def test_what_is_committed_is_not_offered_again() -> None:
    """Only a longer prefix is worth another commit."""
    ledger = Ledger()
    ledger.open(TP, 0)
    ledger.ack(deliver(ledger, 0, 5))
    ledger.committed(ledger.committable())
    before = ledger.committable()
    ledger.ack(deliver(ledger, 5, 9))

    assert ({}, {TP: 9}) == (before, ledger.committable())


def test_a_refused_commit_is_offered_again() -> None:
    """Without `committed` the same offsets stay due."""
    ledger = Ledger()
    ledger.open(TP, 0)
    ledger.ack(deliver(ledger, 0, 5))

    assert ledger.committable() == ledger.committable() == {TP: 5}


def test_a_stale_ack_changes_nothing() -> None:
    """What was delivered before the partition was opened anew no longer counts."""
    ledger = Ledger()
    ledger.open(TP, 100)
    stale = deliver(ledger, 100, 110)
    ledger.open(TP, 100)
    deliver(ledger, 100, 110)

    assert (False, {TP: 100}, 10) == (ledger.ack(stale), ledger.committable(), ledger.unacked())


def test_a_second_ack_changes_nothing() -> None:
    """Acknowledging twice counts once."""
    ledger = Ledger()
    ledger.open(TP, 0)
    delivery = deliver(ledger, 0, 5)

    assert (True, False) == (ledger.ack(delivery), ledger.ack(delivery))


def test_a_revoked_partition_is_forgotten() -> None:
    """After a revocation nothing is delivered, acknowledged or committed, and other partitions go on."""
    ledger = Ledger()
    for tp in (TP, OTHER):
        ledger.open(tp, 0)
    gone, kept = deliver(ledger, 0, 5), deliver(ledger, 0, 7, OTHER)
    ledger.close([TP])
    ledger.committed({TP: 5})

    assert (False, True) == (ledger.ack(gone), ledger.ack(kept))
    assert {OTHER: 7} == ledger.committable()
    assert (None, None, None) == (ledger.deliver(TP, 5, 6), ledger.position(TP), ledger.done(TP))
    assert (False, True) == (ledger.is_current(gone), ledger.is_current(kept))


@pytest.mark.parametrize("first", [4, 6], ids=["again", "gap"])
def test_a_slice_that_does_not_continue_is_refused(first: int) -> None:
    """Slices tile the log: neither a repeat nor a gap is handed out."""
    ledger = Ledger()
    ledger.open(TP, 0)
    deliver(ledger, 0, 5)

    assert (None, 5) == (ledger.deliver(TP, first, 9), ledger.position(TP))


def test_an_empty_slice_is_a_mistake() -> None:
    """A slice covers at least one offset."""
    with pytest.raises(ValueError, match="at least one offset"):
        Ledger().deliver(TP, 5, 5)
