"""The adjuster's loop over a feed in memory: what is given to the program and what is answered for it."""

from collections.abc import Sequence
from typing import Any

import pytest

from models.decisions import BudgetShift, Leg, ShiftEvidence, ShiftResult
from models.errors import ServiceUnavailable
from streams.adjuster.client import Adjuster
from streams.adjuster.feed import Delivery
from streams.adjuster.ledger import MemoryLedger

NOW = 1_800_000_000_000


class ListFeed:
    """A feed over a list. `journal` holds what happened, in order."""

    def __init__(self, *bodies: bytes) -> None:
        self.deliveries = [Delivery(0, offset, body) for offset, body in enumerate(bodies)]
        self.journal: list[tuple[str, object]] = []
        self.answers: list[ShiftResult] = []
        self.refuse_answers = False
        self.adjuster: Adjuster | None = None

    def poll(self, timeout_s: float) -> Sequence[Delivery]:
        """Give everything once, then end the adjuster's loop."""
        if not self.deliveries and self.adjuster:
            self.adjuster.stop()
        out, self.deliveries = self.deliveries, []
        return out

    def answer(self, key: str, body: str, timeout_s: float) -> None:
        """Keep an answer."""
        if self.refuse_answers:
            raise ServiceUnavailable("no acknowledgement")
        self.answers.append(ShiftResult.model_validate_json(body))
        self.journal.append(("answer", key))

    def commit(self, delivery: Delivery) -> None:
        """Keep an offset."""
        self.journal.append(("commit", delivery.offset))

    def close(self) -> None:
        """Note the end."""
        self.journal.append(("close", None))


def body(shift_id: str = "s1", **changes: object) -> bytes:
    """Make a record of the shifts topic."""
    fields: dict[str, object] = {
        "shift_id": shift_id,
        "plan_id": f"plan-{shift_id}",
        "plan_hash": "h1",
        "decision_epoch": 1,
        "emitted_at": NOW - 1_000,
        "valid_until": NOW + 600_000,
        "mode": "auto",
        "action": "budget",
        "category": "phone",
        "cause": "t1",
        "reasons": ("status_on",),
        "legs": [
            Leg(
                campaign="a",
                region="440000",
                old_micros=1,
                old_version=1,
                new_micros=1,
                delta_micros=0,
                reasons=("status_on",),
            )
        ],
        "total_before_micros": 1,
        "total_after_micros": 1,
        "status_version": 1,
        "evidence": ShiftEvidence(window="24h", clicks=1, orders=1, spend_micros=1, value_micros=1),
        "config_hash": "c1",
    }
    return BudgetShift.model_validate({**fields, **changes}).model_dump_json().encode()


def drain(feed: ListFeed, ledger: MemoryLedger, answer: str = "accept") -> list[str]:
    """Run the loop until the feed is empty, accepting or rejecting; give the shifts that were given."""
    given = []
    adjuster = feed.adjuster = Adjuster(feed, ledger, "tester", lambda: NOW)
    for shift in adjuster.shifts():
        given.append(shift.plan.shift_id)
        if answer == "accept":
            shift.accept(5)
        elif answer == "reject":
            shift.reject("budget is locked")
    return given


def test_accepted_shift_is_answered_then_committed() -> None:
    """The offset moves only after the answer was acknowledged."""
    feed = ListFeed(body())

    assert ["s1"] == drain(feed, MemoryLedger())
    assert [("answer", "plan-s1"), ("commit", 0)] == feed.journal
    assert [
        ShiftResult(shift_id="s1", plan_id="plan-s1", consumer="tester", result="applied", applied_version=5, at=NOW)
    ] == feed.answers


def test_rejection_carries_its_reason() -> None:
    """What the program said is what the topic gets."""
    feed = ListFeed(body())
    drain(feed, MemoryLedger(), "reject")

    assert ("rejected", "budget is locked") == (feed.answers[0].result, feed.answers[0].detail)


def test_duplicate_is_given_once_and_answered_twice() -> None:
    """The second copy is answered as a duplicate with the version of the first."""
    feed = ListFeed(body(), body())

    assert ["s1"] == drain(feed, MemoryLedger())
    assert [("applied", 5), ("duplicate", 5)] == [(one.result, one.applied_version) for one in feed.answers]


def test_copy_of_a_refused_shift_is_refused_again() -> None:
    """Duplicate means applied before; whoever missed the first answer must not take a refusal for that."""
    feed = ListFeed(body(), body())

    assert ["s1"] == drain(feed, MemoryLedger(), "reject")
    assert ["rejected", "rejected"] == [one.result for one in feed.answers]


def test_verdict_without_answer_is_sent_as_it_was() -> None:
    """Killed between applying and answering: the next life says applied, not duplicate, and applies nothing."""
    ledger = MemoryLedger()
    first = ListFeed(body())
    first.refuse_answers = True
    with pytest.raises(ServiceUnavailable):
        drain(first, ledger)
    assert [] == first.journal
    second = ListFeed(body())

    assert [] == drain(second, ledger)
    assert [("applied", 5)] == [(one.result, one.applied_version) for one in second.answers]
    assert [("answer", "plan-s1"), ("commit", 0)] == second.journal


@pytest.mark.parametrize(
    ("changes", "result", "detail"),
    [
        ({"valid_until": NOW}, "stale", "expired 0 ms ago"),
        ({"valid_until": NOW - 5}, "stale", "expired 5 ms ago"),
        ({"mode": "dry_run"}, "rejected", "mode dry_run: nothing is applied"),
        ({"mode": "propose"}, "rejected", "mode propose: nothing is applied"),
        ({"mode": "observe"}, "rejected", "mode observe: nothing is applied"),
    ],
)
def test_void_shift_is_answered_for_the_program(changes: dict[str, Any], result: str, detail: str) -> None:
    """What may not be applied never reaches the program."""
    feed = ListFeed(body(**changes))

    assert [] == drain(feed, MemoryLedger())
    assert [(result, detail)] == [(one.result, one.detail) for one in feed.answers]


def test_last_valid_millisecond_counts() -> None:
    """A shift is void from `valid_until` on, not before."""
    assert ["s1"] == drain(ListFeed(body(valid_until=NOW + 1)), MemoryLedger())


def test_older_decision_is_superseded() -> None:
    """After decision 2, decision 1 of the same category is stale; another category is not."""
    feed = ListFeed(
        body("new", decision_epoch=2), body("old", decision_epoch=1), body("else", decision_epoch=1, category="fridge")
    )

    assert ["new", "else"] == drain(feed, MemoryLedger())
    assert ["applied", "stale", "applied"] == [one.result for one in feed.answers]


def test_garbage_is_skipped_and_counted() -> None:
    """A record that is no shift stops nothing and gets no answer."""
    feed = ListFeed(b"{", body())
    adjuster = feed.adjuster = Adjuster(feed, MemoryLedger(), "tester", lambda: NOW)
    for shift in adjuster.shifts():
        shift.accept()

    assert 1 == adjuster.undecodable
    assert [("commit", 0), ("answer", "plan-s1"), ("commit", 1)] == feed.journal


def test_shift_left_alone_is_answered_failed() -> None:
    """A program that forgets to answer does not leave the worker waiting."""
    feed = ListFeed(body())
    drain(feed, MemoryLedger(), "forget")

    assert ["failed"] == [one.result for one in feed.answers]


def test_second_answer_is_a_mistake() -> None:
    """A shift is answered once."""
    feed = ListFeed(body())
    shift = next(Adjuster(feed, MemoryLedger(), "tester", lambda: NOW).shifts())
    shift.accept(2)

    with pytest.raises(ValueError, match="answered applied already"):
        shift.reject("on second thoughts")


def test_stop_ends_after_the_shift_in_hand() -> None:
    """What was fetched but not begun stays for the next life."""
    feed = ListFeed(body("s1"), body("s2"))
    adjuster = Adjuster(feed, MemoryLedger(), "tester", lambda: NOW)
    given = []
    with adjuster:
        for shift in adjuster.shifts():
            given.append(shift.plan.shift_id)
            adjuster.stop()
            shift.accept()

    assert ["s1"] == given
    assert [("answer", "plan-s1"), ("commit", 0), ("close", None)] == feed.journal
