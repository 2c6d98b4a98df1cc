"""When time alone decides something: the moments between orders at which the decide line must look."""

from collections.abc import Iterable

from models.events import Announcement
from models.units import SECOND_MS, EpochMs
from rules.claims import knowable_at, pending
from rules.settings import RuleSettings
from rules.state import DecideState


def wakes_at(rules: RuleSettings, state: DecideState, announcements: Iterable[Announcement]) -> EpochMs | None:
    """Give the start of the next second to be fed although it may hold no order; None when nothing is due.

    Three things come due by time: an announcement that takes effect, daily
    hours that turn, and a held change that is looked at again. Feeding exactly
    these seconds makes the times of decisions independent of how often the line runs.
    """
    due = [knowable_at(item) for item in pending(rules, state, announcements)]
    due += [EpochMs(region.next_turn) for region in state.regions.values() if region.next_turn is not None]
    if state.owed:
        due.append(EpochMs(state.retry_at))
    ahead = [at for at in due if at > state.position]
    return _second_ending_at(min(ahead)) if ahead else None


def _second_ending_at(at: EpochMs) -> EpochMs:
    """Give the start of the first second whose end is `at` or later."""
    return EpochMs(-(-at // SECOND_MS) * SECOND_MS - SECOND_MS)
