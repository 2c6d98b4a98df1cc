"""Announcements as claims: which of them can be known, which still counts, and when daily hours turn."""

from collections.abc import Iterable, Mapping
from typing import Final

from models.decisions import Status
from models.events import Announcement
from models.units import DAY_MS, MINUTE_MS, UNKNOWN_REGION, EpochMs
from rules.settings import RuleSettings
from rules.state import Claim, DecideState, RegionState

CLAIMED: Final[dict[str, Status]] = {
    "on": Status.ON,
    "quota": Status.ON,
    "quota_hours": Status.ON,
    "paused": Status.OFF,
    "exhausted": Status.OFF,
    "off": Status.OFF,
    "upgrading": Status.UNKNOWN,
}
"""What each announced state claims; `quota_hours` only inside its hours, outside them OFF."""


def knowable_at(announcement: Announcement) -> EpochMs:
    """Give the time from which it holds and is known: the later of publication and effect."""
    return EpochMs(max(announcement.at, announcement.effective_at))


def pending(rules: RuleSettings, state: DecideState, announcements: Iterable[Announcement]) -> tuple[Announcement, ...]:
    """Give those that may still count, in the order they count; a filter that `advance` may be spared.

    Left out is what concerns another category, one city or one channel, and
    what a later claim for the same region has replaced.
    """
    wanted = [
        item
        for item in announcements
        if _concerns(rules, item) and counts(state.regions.get(item.region), claim_of(item))
    ]
    return tuple(sorted(wanted, key=lambda item: (*claim_of(item)[:3], item.region)))


def spent(rules: RuleSettings, state: DecideState, announcements: Mapping[str, Announcement]) -> list[str]:
    """Give the keys of those that can never count again, so that nobody has to keep them.

    The state holds the claim itself or a later one of the same region, or they
    expired before they counted. What concerns others is not for us to drop.
    """
    return [
        key
        for key, item in announcements.items()
        if _concerns(rules, item)
        and (
            not counts(state.regions.get(item.region), claim_of(item))
            or (item.expires_at is not None and item.expires_at <= state.position)
        )
    ]


def _concerns(rules: RuleSettings, item: Announcement) -> bool:
    """Tell whether it speaks of a whole region and of the category that is watched."""
    whole = item.region != UNKNOWN_REGION and item.city is None and item.channel is None
    return whole and item.category == rules.eligibility.category


def claim_of(announcement: Announcement) -> Claim:
    """Give what an announcement claims, daily hours not yet looked at."""
    return Claim(
        effective_at=announcement.effective_at,
        at=announcement.at,
        event_id=announcement.event_id,
        to=CLAIMED[announcement.state],
        source=announcement.source,
        hours=announcement.daily_hours if announcement.state == "quota_hours" else None,
    )


def counts(region: RegionState | None, claim: Claim) -> bool:
    """Tell whether a claim is newer than the region's claim before it: later in effect, then in publication."""
    return region is None or region.claim is None or claim[:3] > region.claim[:3]


def overtaken(region: RegionState, claim: Claim) -> bool:
    """Tell whether orders have shown a later change than the one the claim speaks of."""
    return region.cause == "orders" and region.since is not None and claim.effective_at < region.since


def in_hours(claim: Claim, until: EpochMs, offset_minutes: int) -> tuple[Status, EpochMs, int | None]:
    """Give what a claim says at `until`, inclusive, since when, and when its daily hours turn next.

    Without hours it says one thing since its effect and never turns. Inside
    the hours it is ON since they opened, outside OFF since they closed, but
    never since before it took effect.
    """
    if claim.hours is None:
        return claim.to, EpochMs(claim.effective_at), None
    opens, closes = (_minutes(part) for part in claim.hours.split("-"))
    offset = offset_minutes * MINUTE_MS
    midnight = (until + offset) // DAY_MS * DAY_MS - offset
    turns = sorted(
        (midnight + day * DAY_MS + minute * MINUTE_MS, status.value)
        for day in (-1, 0, 1)
        for minute, status in ((opens, Status.ON), (closes, Status.OFF))
    )
    turned, status = max(turn for turn in turns if turn[0] <= until)
    next_turn = min(at for at, _ in turns if at > until)
    return Status(status), EpochMs(max(claim.effective_at, turned)), next_turn


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
