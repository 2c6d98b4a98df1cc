"""Status per region: announcements, daily hours and orders, second by second."""

import pytest

from cases.watching import GUANGDONG, RULES, START, path, said, watch
from models.decisions import Status
from models.events import Announcement
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from rules.decide import pending, spent


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("on", [Status.ON]),
        ("quota", [Status.ON]),
        ("paused", [Status.OFF]),
        ("exhausted", [Status.OFF]),
        ("off", [Status.OFF]),
        ("upgrading", []),
    ],
)
def test_each_announced_state_has_one_meaning(state: str, status: list[Status]) -> None:
    """From UNKNOWN, what is announced is believed; upgrading says nothing yet."""
    _, made = watch([said(state)], until=SECOND_MS)

    assert status == [change.to for change in made]
    assert all(change.from_ is Status.UNKNOWN and change.cause == "announcement" for change in made)


def test_upgrading_takes_a_belief_back() -> None:
    """A region that was ON is UNKNOWN from the announcement on."""
    _, made = watch([said("on"), said("upgrading", HOUR_MS)], until=2 * HOUR_MS)

    assert [("ON", "announcement", 0), ("UNKNOWN", "announcement", HOUR_MS)] == path(made)


def test_an_announcement_waits_for_its_effect_and_its_publication() -> None:
    """The later of the two decides when it counts; the effect dates the transition."""
    ahead = said("off", 0, effective=HOUR_MS)
    late = said("off", 3 * HOUR_MS, effective=2 * HOUR_MS)

    _, before = watch([said("on", -1), ahead], until=HOUR_MS - SECOND_MS)
    _, after = watch([said("on", -1), ahead], until=HOUR_MS)
    _, known = watch([said("on", -1), late], until=4 * HOUR_MS)

    assert [("ON", "announcement", -1)] == path(before)
    assert [("ON", "announcement", -1), ("OFF", "announcement", HOUR_MS)] == path(after)
    assert START + HOUR_MS == after[-1].decided_at
    assert ("OFF", "announcement", 2 * HOUR_MS) == path(known)[-1]
    assert START + 3 * HOUR_MS == known[-1].decided_at


def test_an_announcement_counts_once_and_the_later_effect_wins() -> None:
    """Repeats, agreement and words about an earlier time change nothing."""
    words = [said("on"), said("quota", MINUTE_MS), said("off", HOUR_MS), said("on", 2 * HOUR_MS, effective=30_000)]
    state, made = watch(words, until=3 * HOUR_MS)
    again, repeated = watch(words, state=state, until=4 * HOUR_MS)

    assert [("ON", "announcement", 0), ("OFF", "announcement", HOUR_MS)] == path(made)
    assert [] == repeated
    assert state.regions == again.regions
    assert () == pending(RULES, state, words)


def test_what_counted_and_what_expired_need_not_be_kept() -> None:
    """The state holds what was said; what is still to come and what concerns others stays."""
    words = {
        "heard": said("on"),
        "overtaken": said("paused", 1, effective=-1),
        "expired": said("quota", HOUR_MS, effective=0, expires_at=START + MINUTE_MS),
        "ahead": said("off", effective=3 * HOUR_MS, expires_at=START + DAY_MS),
        "television": said("on", category="tv"),
        "a city": said("on", city="440100"),
    }
    state, _ = watch(list(words.values()), until=2 * HOUR_MS)

    assert ["heard", "overtaken", "expired"] == spent(RULES, state, words)


@pytest.mark.parametrize(
    "word",
    [
        said("off", category="tv"),
        said("off", city="440100"),
        said("off", channel="offline"),
        said("off", region="unknown"),
        said("off", MINUTE_MS, effective=0, expires_at=START + SECOND_MS),
    ],
    ids=["category", "city", "channel", "region", "expired"],
)
def test_what_concerns_others_is_left_out(word: Announcement) -> None:
    """Another category, one city, one channel, no region, or a word that has expired: not this region's status."""
    assert [] == watch([word], until=HOUR_MS)[1]


def test_daily_hours_open_and_close() -> None:
    """Outside its hours a quota is OFF; each turn is dated to the minute."""
    hours = said("quota_hours", daily_hours="08:30-22:00")
    state, made = watch([hours], until=DAY_MS + HOUR_MS)

    assert [
        ("OFF", "announcement", 0),
        ("ON", "announcement", 30 * MINUTE_MS),
        ("OFF", "announcement", 14 * HOUR_MS),
        ("ON", "announcement", DAY_MS + 30 * MINUTE_MS),
    ] == path(made)
    assert START + DAY_MS + 14 * HOUR_MS == state.regions[GUANGDONG].next_turn


def test_hours_over_midnight_and_an_end_of_the_hours() -> None:
    """A night quota is ON since yesterday evening; a later word ends the turning."""
    night = said("quota_hours", -DAY_MS, daily_hours="21:00-09:00")
    _, made = watch([night, said("off", 5 * MINUTE_MS)], until=3 * DAY_MS)

    assert [
        ("ON", "announcement", -DAY_MS),
        ("OFF", "announcement", -23 * HOUR_MS),
        ("ON", "announcement", -11 * HOUR_MS),
        ("OFF", "announcement", 5 * MINUTE_MS),
    ] == path(made)


def test_a_turn_to_what_the_orders_said_already_is_no_transition() -> None:
    """Orders showed the quota empty at noon; closing time changes nothing, the next morning does."""
    hours = said("quota_hours", daily_hours="08:00-22:00")
    _, made = watch([hours], (0, "#" * 40), (4 * HOUR_MS, "." * 30), until=DAY_MS + MINUTE_MS)

    assert [
        ("ON", "announcement", 0),
        ("OFF", "orders", 4 * HOUR_MS),
        ("ON", "announcement", DAY_MS),
    ] == path(made)
