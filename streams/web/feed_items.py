"""The decision feed: a change, what it moved or why nothing moved, and what adjusters answered, as one item."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from models.decisions import BudgetShift, HeldShift, Leg, Status, Transition
from rules.wording import Sentences, explain, explain_leg
from streams.readlog import Feed


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True)


class LegItem(_Item):
    """One change of one campaign's day budget."""

    campaign_id: str
    name: str
    regions: list[str]
    delta_micros: int
    text_en: str
    text_zh: str


class ShiftItem(_Item):
    """A budget shift and how many adjusters answered what."""

    shift_id: str
    mode: str
    moved_micros: int
    valid_until: int
    text_en: str
    text_zh: str
    legs: list[LegItem]
    answers: dict[str, int]


class HeldItem(_Item):
    """A shift that a guard rail held back."""

    held_id: str
    code: str
    text_en: str
    text_zh: str


class FeedItem(_Item):
    """One decision as the feed shows it.

    Attributes:
        id: the transition's, else the shift's or the veto's own.
        at: event time it was decided; wall time for a shift whose cause is not in the log any more.
        since: estimated or announced time of the change; None without a transition.
        marks: the last eligible orders as (subsidised, eligible) per second, oldest first.
    """

    id: str
    at: int
    region: str | None
    from_status: Status | None = None
    to_status: Status | None = None
    since: int | None = None
    cause: str | None = None
    alert: str | None = None
    marks: list[tuple[int, int]] = []
    text_en: str
    text_zh: str
    config_hash: str | None
    shifts: list[ShiftItem]
    held: list[HeldItem]


def feed_items(feed: Feed, names: dict[str, str]) -> list[FeedItem]:
    """Join the logs to items, newest first.

    Args:
        feed: the newest entries of each log.
        names: names of campaigns by id.
    """
    answers: dict[str, Counter[str]] = {}
    for result in feed.results:
        answers.setdefault(result.shift_id, Counter())[result.result] += 1
    shifts: dict[str, list[ShiftItem]] = {}
    for shift in feed.shifts:
        shifts.setdefault(shift.cause, []).append(shift_item(shift, names, answers.get(shift.shift_id, Counter())))
    held: dict[str, list[HeldItem]] = {}
    for veto in feed.held:
        held.setdefault(veto.cause, []).append(_held_item(veto))
    items = [_change(change, shifts, held) for change in feed.transitions]
    known = {item.id for item in items}
    by_id = {shift.shift_id: shift for shift in feed.shifts}
    for cause, made in shifts.items():
        if cause not in known:
            items += [_lone_shift(by_id[item.shift_id], item) for item in made]
    items += [_lone_veto(veto) for veto in feed.held if veto.cause not in known]
    return sorted(items, key=lambda item: -item.at)


def shift_item(shift: BudgetShift, names: dict[str, str], answers: Counter[str]) -> ShiftItem:
    """Turn a shift into what the feed shows of it."""
    text = _say(explain, shift)
    return ShiftItem(
        **shift.model_dump(include={"shift_id", "mode", "valid_until"}),
        moved_micros=sum(leg.delta_micros for leg in shift.legs if leg.delta_micros > 0),
        text_en=text.en,
        text_zh=text.zh,
        legs=[_leg(leg, names) for leg in shift.legs],
        answers=dict(answers),
    )


def _leg(leg: Leg, names: dict[str, str]) -> LegItem:
    text = _say(explain_leg, leg)
    return LegItem(
        campaign_id=leg.campaign,
        name=names.get(leg.campaign, leg.campaign),
        regions=leg.region.split(","),
        delta_micros=leg.delta_micros,
        text_en=text.en,
        text_zh=text.zh,
    )


def _held_item(veto: HeldShift) -> HeldItem:
    text = _say(explain, veto)
    return HeldItem(held_id=veto.held_id, code=veto.code, text_en=text.en, text_zh=text.zh)


def _change(change: Transition, shifts: dict[str, list[ShiftItem]], held: dict[str, list[HeldItem]]) -> FeedItem:
    text = _say(explain, change)
    return FeedItem(
        id=change.transition_id,
        at=change.decided_at,
        region=change.region,
        from_status=change.from_,
        to_status=change.to,
        since=change.at,
        cause=change.cause,
        alert=change.alert,
        marks=list(change.evidence.recent),
        text_en=text.en,
        text_zh=text.zh,
        config_hash=change.config_hash,
        shifts=shifts.get(change.transition_id, []),
        held=held.get(change.transition_id, []),
    )


def _lone_shift(shift: BudgetShift, item: ShiftItem) -> FeedItem:
    return FeedItem(
        id=shift.shift_id,
        at=shift.emitted_at,
        region=None,
        text_en=item.text_en,
        text_zh=item.text_zh,
        config_hash=shift.config_hash,
        shifts=[item],
        held=[],
    )


def _lone_veto(veto: HeldShift) -> FeedItem:
    item = _held_item(veto)
    return FeedItem(
        id=veto.held_id,
        at=veto.at,
        region=veto.region,
        text_en=item.text_en,
        text_zh=item.text_zh,
        config_hash=None,
        shifts=[],
        held=[item],
    )


Decision = TypeVar("Decision", Transition, BudgetShift, HeldShift, Leg)


def _say(say: Callable[[Decision], Sentences], decision: Decision) -> Sentences:
    """Put a decision into words; one with codes of a newer version keeps its own detail."""
    try:
        return say(decision)
    except (KeyError, ValueError):
        detail = getattr(decision, "detail", "") or ", ".join(getattr(decision, "reasons", ()))
        return Sentences(detail, detail)
