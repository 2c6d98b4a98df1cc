"""An adjuster that stops dead at a chosen point, to be killed there: BOOTSTRAP BUDGETS CONSUMER POINT."""

import signal
import sys

from streams.adjuster import Adjuster, BudgetPlatform
from streams.adjuster.feed import Delivery, KafkaFeed

bootstrap, path, consumer, point = sys.argv[1:]


def reach(here: str) -> None:
    """Say so and wait for the end, if this is the point."""
    if here in (point, "started"):
        sys.stdout.write(f"reached {here}\n")
        sys.stdout.flush()
    if here == point:
        signal.pause()


class PausingFeed:
    """The real feed, with points around the answer."""

    def __init__(self, feed: KafkaFeed) -> None:
        self._feed = feed
        self._applied = False
        self.poll = feed.poll
        self.close = feed.close

    def answer(self, key: str, body: str, timeout_s: float) -> None:
        """Answer."""
        self._feed.answer(key, body, timeout_s)
        if '"applied"' in body:
            self._applied = True
            reach("answered")

    def commit(self, delivery: Delivery) -> None:
        """Commit."""
        self._feed.commit(delivery)
        if self._applied:
            reach("committed")


platform = BudgetPlatform(path)
feed = PausingFeed(KafkaFeed.connect(bootstrap, f"{consumer}.v1", session_timeout_s=6))
with Adjuster(feed, platform.ledger, consumer) as adjuster:
    adjuster.stop_on_signals()
    reach("started")
    for shift in adjuster.shifts():
        if shift.plan.category != consumer:  # the broker is shared with other tests
            shift.reject("of another test")
            continue
        reach("given")
        version = platform.apply(shift.plan)
        reach("applied")
        shift.accept(version)
