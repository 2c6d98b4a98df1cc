"""The adjuster's loop: each shift is judged once, answered, and only then marked as read.

```
record -> known? answer again -> void? answer stale -> your code -> verdict kept -> answer -> offset
```

A kill at any arrow loses nothing: the record comes again, and the ledger knows
what was done about it.
"""

import signal
from collections.abc import Callable, Iterator
from typing import Final, Literal, Self

import structlog
from pydantic import ValidationError

from models.decisions import BudgetShift, ResultKind, ShiftResult
from streams.adjuster.feed import Delivery, KafkaFeed, ShiftFeed
from streams.adjuster.ledger import AppliedStore, Verdict, wall_clock
from streams.adjuster.screening import screen

log = structlog.get_logger()

POLL_S: Final = 0.5
ANSWER_TIMEOUT_S: Final = 10.0
DETAIL_CHARS: Final = 300


class Shift:
    """One shift that may be applied now. Answer it with `accept` or `reject` before asking for the next."""

    def __init__(self, plan: BudgetShift, answer: Callable[[ResultKind, int | None, str | None], ShiftResult]) -> None:
        """Built by `Adjuster.shifts`."""
        self.plan = plan
        self.answer: ShiftResult | None = None
        self._answer = answer

    def accept(self, version: int | None = None) -> ShiftResult:
        """Say that all legs were applied; give the answer that was sent.

        Args:
            version: greatest budget version after it; None when the platform has none.

        Raises:
            ServiceUnavailable: the answer was not acknowledged in time. It is in the ledger and goes
                out when the shift is delivered again.
        """
        return self._settle("applied", version, None)

    def reject(self, reason: str, result: Literal["rejected", "stale", "failed"] = "rejected") -> ShiftResult:
        """Say that nothing was applied, and why; give the answer that was sent.

        Raises:
            ServiceUnavailable: as in `accept`.
        """
        return self._settle(result, None, reason[:DETAIL_CHARS])

    def _settle(self, result: ResultKind, version: int | None, detail: str | None) -> ShiftResult:
        if self.answer is not None:
            raise ValueError(f"shift {self.plan.shift_id} was answered {self.answer.result} already")
        self.answer = self._answer(result, version, detail)
        return self.answer


class Adjuster:
    """Loops over the shifts of one consumer group. Use it as a context manager; it is not for two threads at once."""

    def __init__(
        self, feed: ShiftFeed, ledger: AppliedStore, consumer: str, now: Callable[[], int] = wall_clock
    ) -> None:
        """Join a feed to a ledger; `consumer` signs the answers, `now` gives epoch ms."""
        self._feed = feed
        self._ledger = ledger
        self._consumer = consumer
        self._now = now
        self._stopping = False
        self.undecodable = 0

    @classmethod
    def connect(
        cls,
        bootstrap: str,
        ledger: AppliedStore,
        consumer: str = "adjuster",
        now: Callable[[], int] = wall_clock,
    ) -> Self:
        """Connect to Kafka in the group `<consumer>.v1`, which no worker may share.

        Raises:
            ServiceUnavailable: Kafka cannot be reached or has no shifts topic.
        """
        return cls(KafkaFeed.connect(bootstrap, f"{consumer}.v1"), ledger, consumer, now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the group within a few seconds; what is not answered is delivered again."""
        self._feed.close()

    def stop(self) -> None:
        """End `shifts` after the shift in hand; safe in a signal handler and from other threads."""
        self._stopping = True

    def stop_on_signals(self) -> None:
        """Let SIGTERM and SIGINT end `shifts` after the shift in hand. Main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def shifts(self) -> Iterator[Shift]:
        """Give each shift that may be applied, in order, until `stop`; wait for the next without end.

        Duplicates, expired and superseded shifts and those of another mode than `auto` are answered
        here and never given. A shift that the loop leaves unanswered is answered `failed`.

        Raises:
            ServiceUnavailable: an answer was not acknowledged in time.
        """
        while not self._stopping:
            for delivery in self._feed.poll(POLL_S):
                if self._stopping:
                    return
                plan = self._decode(delivery)
                if plan is None or self._settled(plan, delivery):
                    continue
                shift = Shift(plan, self._answerer(plan, delivery))
                yield shift
                if shift.answer is None:
                    shift.reject("the adjuster gave no answer", "failed")

    def _decode(self, delivery: Delivery) -> BudgetShift | None:
        try:
            return BudgetShift.model_validate_json(delivery.value or b"")
        except ValidationError as error:
            self.undecodable += 1
            log.warning("shift_undecodable", offset=delivery.offset, errors=error.error_count())
            self._feed.commit(delivery)
            return None

    def _settled(self, plan: BudgetShift, delivery: Delivery) -> bool:
        """Answer a shift that needs no look at the platform; tell whether it was one."""
        known = self._ledger.find(plan.shift_id)
        if known is not None and known.answered and known.result == "applied":
            self._send(plan, "duplicate", known.applied_version, "applied before")
            self._feed.commit(delivery)
            return True
        if known is not None:  # refused before, or killed before the answer was acknowledged
            self._publish(plan, known, delivery)
            return True
        refusal = screen(plan, self._ledger.newest_epoch(plan.category), self._now())
        if refusal is None:
            return False
        self._answerer(plan, delivery)(refusal.result, None, refusal.detail)
        return True

    def _answerer(
        self, plan: BudgetShift, delivery: Delivery
    ) -> Callable[[ResultKind, int | None, str | None], ShiftResult]:
        def answer(result: ResultKind, version: int | None, detail: str | None) -> ShiftResult:
            verdict = self._ledger.record(Verdict.of(plan, result, version, self._now(), detail))
            return self._publish(plan, verdict, delivery)

        return answer

    def _publish(self, plan: BudgetShift, verdict: Verdict, delivery: Delivery) -> ShiftResult:
        sent = self._send(plan, verdict.result, verdict.applied_version, verdict.detail)
        self._ledger.mark_answered(plan.shift_id)
        self._feed.commit(delivery)
        return sent

    def _send(self, plan: BudgetShift, result: ResultKind, version: int | None, detail: str | None) -> ShiftResult:
        """Publish one answer and wait for the acknowledgement; the producer tries again until the time is up."""
        body = ShiftResult(
            shift_id=plan.shift_id,
            plan_id=plan.plan_id,
            consumer=self._consumer,
            result=result,
            applied_version=version,
            at=self._now(),
            detail=detail,
        )
        self._feed.answer(plan.plan_id, body.model_dump_json(), ANSWER_TIMEOUT_S)
        log.info("shift_answered", shift=plan.shift_id, result=result, detail=detail)
        return body
