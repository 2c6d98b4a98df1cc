"""What was decided and what became of it: the logs of the decide line, read back as their contracts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from models.decisions import BudgetShift, HeldShift, ShiftResult, Transition
from streams.ports import ReadStore

FEED_LIMIT: Final = 60
"""Entries of each log that the feed shows."""

MIN_PREFIX: Final = 6
"""Shortest prefix of an id that `explain` accepts."""

EXPLAIN_LIMIT: Final = 2_000
"""Entries of each log that `explain` looks through."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The newest decisions, each list newest first.

    Attributes:
        transitions: changes of a status.
        shifts: budget shifts, whatever their mode.
        held: shifts that a guard rail held back.
        results: what bid adjusters answered.
    """

    transitions: tuple[Transition, ...] = ()
    shifts: tuple[BudgetShift, ...] = ()
    held: tuple[HeldShift, ...] = ()
    results: tuple[ShiftResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything the logs hold on one id: the change, what it led to, and the answers.

    Attributes:
        asked: the id as it was given; a prefix of at least six characters is enough.
        transition: the change of status; None when the id is of something else and its cause is not in the log.
        shifts: shifts that the transition caused, or the one asked for.
        held: vetoes that the transition led to, or the one asked for.
        results: answers to those shifts.
    """

    asked: str
    transition: Transition | None
    shifts: tuple[BudgetShift, ...]
    held: tuple[HeldShift, ...]
    results: tuple[ShiftResult, ...]


async def feed(store: ReadStore, limit: int = FEED_LIMIT, beside: int | None = None) -> Feed:
    """Read the newest entries of the four logs.

    Args:
        store: holds the logs.
        limit: most entries of each log.
        beside: most entries of changes and answers, for what stands beside a shift; None for `limit`.

    Raises:
        ServiceUnavailable: the store is away.
    """
    more = limit if beside is None else beside
    return Feed(
        transitions=await _entries(store, "transitions", Transition, more),
        shifts=await _entries(store, "shifts", BudgetShift, limit),
        held=await _entries(store, "held", HeldShift, limit),
        results=await _entries(store, "results", ShiftResult, more),
    )


async def explain(store: ReadStore, wanted: str) -> Explanation | None:
    """Find an id of a transition, shift, plan or veto, and what hangs together with it; None when nothing has it.

    Raises:
        ServiceUnavailable: the store is away.
    """
    if len(wanted) < MIN_PREFIX:
        return None
    whole = await feed(store, EXPLAIN_LIMIT)
    causes = [t.transition_id for t in whole.transitions if t.transition_id.startswith(wanted)]
    shifts = [s for s in whole.shifts if s.shift_id.startswith(wanted) or s.plan_id.startswith(wanted)]
    held = [h for h in whole.held if h.held_id.startswith(wanted)]
    if not (causes or shifts or held):
        return None
    if causes:
        shifts = [s for s in whole.shifts if s.cause == causes[0]]
        held = [h for h in whole.held if h.cause == causes[0]]
    cause = causes[0] if causes else (shifts[0].cause if shifts else held[0].cause)
    ids = {shift.shift_id for shift in shifts}
    return Explanation(
        asked=wanted,
        transition=next((t for t in whole.transitions if t.transition_id == cause), None),
        shifts=tuple(shifts),
        held=tuple(held),
        results=tuple(r for r in whole.results if r.shift_id in ids),
    )


async def _entries(store: ReadStore, log: str, model: type[Model], limit: int) -> tuple[Model, ...]:
    return tuple(_parsed(await store.read_log(log, limit), model))


def _parsed(bodies: Sequence[str], model: type[Model]) -> list[Model]:
    """Parse entries; one that a newer version wrote in another shape is left out rather than hiding the rest."""
    entries = []
    for body in bodies:
        try:
            entries.append(model.model_validate_json(body))
        except ValidationError:
            continue
    return entries
