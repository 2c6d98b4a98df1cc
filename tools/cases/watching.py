"""Guangdong watched second by second: announcements, pictures of orders, and the transitions they make."""

from collections.abc import Sequence

from models.decisions import Transition
from models.events import Announcement
from models.units import SECOND_MS, EpochMs
from rules.decide import DecideState, advance
from rules.settings import RuleSettings
from rules.waking import wakes_at

RULES = RuleSettings()
START = EpochMs(1_748_822_400_000)
"""2025-06-02 08:00 in Shanghai."""
GUANGDONG = "440000"


def said(state: str, at: int = 0, effective: int | None = None, **more: object) -> Announcement:
    """Announce for Guangdong: times in ms after START."""
    fields = {
        "event_id": f"{state}-{at}",
        "at": START + at,
        "region": GUANGDONG,
        "source": "commerce-bureau",
        "state": state,
        "category": "phone",
        "effective_at": START + (at if effective is None else effective),
    }
    return Announcement.model_validate({**fields, **more})


def watch(
    announcements: Sequence[Announcement],
    *orders: tuple[int, str],
    state: DecideState | None = None,
    until: int = 0,
) -> tuple[DecideState, list[Transition]]:
    """Feed Guangdong's orders, one a second: (ms after START, picture); `#` carries a subsidy.

    The seconds at which time alone decides something are fed in between, as the decide line does.
    """
    state = state or DecideState()
    made: list[Transition] = []
    seconds = [
        (EpochMs(START + at + i * SECOND_MS), {GUANGDONG: (1, int(order == "#"))})
        for at, picture in orders
        for i, order in enumerate(picture)
    ]
    seconds.append((EpochMs(START + until - SECOND_MS), {}))
    for second in seconds:
        while (due := wakes_at(RULES, state, announcements)) is not None and due < second[0]:
            state, transitions = advance(RULES, state, (due, {}), announcements)
            made.extend(transitions)
        state, transitions = advance(RULES, state, second, announcements)
        made.extend(transitions)
    return state, made


def path(made: Sequence[Transition]) -> list[tuple[str, str, int]]:
    """Give (to, cause, estimated time in ms after START) of each transition."""
    return [(str(change.to), change.cause, change.at - START) for change in made]
