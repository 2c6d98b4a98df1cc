"""Status per region: announcements, daily hours and orders, second by second."""

from collections.abc import Sequence

import pytest

from models.decisions import Status, Transition
from models.events import Announcement
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, EpochMs
from rules.decide import DecideState, RegionState, advance, pending
from rules.settings import RuleSettings
from rules.state import Claim, Owed
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


def test_orders_make_a_first_belief_and_overturn_it() -> None:
    """Without any announcement the orders decide, with their evidence."""
    state, made = watch([], (0, "##.##" * 20), (HOUR_MS, "." * 30))

    assert [("ON", "orders", 0), ("OFF", "orders", HOUR_MS)] == path(made)
    evidence = made[1].evidence
    assert evidence.base_percent is not None
    assert evidence.statistic is not None
    assert evidence.threshold is not None
    assert 70 < evidence.base_percent < 80
    assert 0 == evidence.level_percent
    assert evidence.statistic >= evidence.threshold == 20_000
    assert 24 == len(evidence.recent)
    assert (None, None, None) == (made[1].alert, evidence.announcement_id, evidence.announcement_source)
    assert 2 == state.status_version


def test_orders_against_an_announcement_raise_one_alert() -> None:
    """The first contradiction of a word is an alert that names it; later changes are ordinary."""
    _, made = watch(
        [said("on")], (0, "##.##" * 20), (HOUR_MS, "." * 30), (2 * HOUR_MS, "#" * 20), (3 * HOUR_MS, "." * 40)
    )

    assert [None, "contradiction", None, None] == [change.alert for change in made]
    assert ["ON", "OFF", "ON", "OFF"] == [change.to for change in made]
    assert ["on-0", "on-0", "on-0", None] == [change.evidence.announcement_id for change in made]
    assert "commerce-bureau" == made[1].evidence.announcement_source


def test_orders_after_upgrading_contradict_nobody() -> None:
    """What nobody claimed cannot be contradicted."""
    _, made = watch([said("on"), said("upgrading", HOUR_MS)], (2 * HOUR_MS, "." * 10))

    assert (Status.OFF, None) == (made[-1].to, made[-1].alert)


def test_a_late_word_does_not_undo_what_orders_showed_since() -> None:
    """An announcement about a time before the change the orders found is noted, not followed."""
    late = said("on", 2 * HOUR_MS, effective=30 * MINUTE_MS)
    state, made = watch([said("on"), late], (0, "##.##" * 20), (HOUR_MS, "." * 30), until=3 * HOUR_MS)
    region = state.regions[GUANGDONG]

    assert ["ON", "OFF"] == [change.to for change in made]
    assert region.claim is not None
    assert ("on-7200000", Status.ON, True) == (region.claim.event_id, region.claimed, region.alerted)


def test_orders_from_before_an_announced_change_say_nothing_about_it() -> None:
    """Late orders of the ON time do not overturn an OFF that came into effect after them."""
    state, _ = watch([said("off", 0, effective=MINUTE_MS)], until=MINUTE_MS)
    before = state.regions[GUANGDONG].detector
    state, made = advance(RULES, state, (EpochMs(START + MINUTE_MS), {"440000": (0, 0), "unknown": (5, 5)}))

    assert () == made
    assert before == state.regions[GUANGDONG].detector


def test_a_consumed_second_changes_nothing() -> None:
    """The position moves to the end of each second, and never back."""
    state, _ = advance(RULES, DecideState(), (EpochMs(START + 500), {GUANGDONG: (1, 1)}))
    again, made = advance(RULES, state, (START, {GUANGDONG: (1, 1)}))

    assert START + SECOND_MS == state.position
    assert (state, ()) == (again, made)


def test_ids_and_hashes_follow_the_cause() -> None:
    """The same decision has the same id; other rules, other time or other region have another."""

    def ids(region: str, at: int, rules: RuleSettings) -> str:
        word = said("on", at, region=region)
        _, made = advance(rules, DecideState(), (EpochMs(START + at), {}), [word])
        assert rules.config_hash == made[0].config_hash
        return made[0].transition_id

    other = RuleSettings.model_validate({"detector": {"orders_to_false_alarm": 500}})

    assert ids(GUANGDONG, 0, RULES) == ids(GUANGDONG, 0, RULES)
    assert 4 == len(
        {
            ids(*case)
            for case in [(GUANGDONG, 0, RULES), ("110000", 0, RULES), (GUANGDONG, 1_000, RULES), (GUANGDONG, 0, other)]
        }
    )


def test_the_state_is_one_canonical_text() -> None:
    """From JSON and back gives equal states and equal bytes, also with everything in it."""
    hours = said("quota_hours", daily_hours="08:30-22:00")
    state, _ = watch([hours], (HOUR_MS, "##.##" * 20), until=2 * HOUR_MS)
    stored = state.to_json()

    assert state == DecideState.from_json(stored)
    assert stored == DecideState.from_json(stored).to_json()
    assert DecideState() == DecideState.from_json("{}")


def test_time_alone_wakes_the_line_for_what_is_due() -> None:
    """The next effect, turn or retry ahead is named by the second that ends there; nothing due is None."""
    turning = DecideState(regions={GUANGDONG: RegionState(next_turn=START + 500)})
    owing = DecideState(owed=(Owed(transition_id="t", region=GUANGDONG, to=Status.ON),), retry_at=START + 2_000)

    assert wakes_at(RULES, DecideState(), []) is None
    assert START - SECOND_MS == wakes_at(RULES, DecideState(), [said("on"), said("off", 5_000)])
    assert START == wakes_at(RULES, turning, [])
    assert START + SECOND_MS == wakes_at(RULES, owing, [])


def test_a_claim_without_hours_never_turns() -> None:
    """A turn that is due without a claim is nobody's."""
    odd = DecideState(regions={GUANGDONG: RegionState(next_turn=START)})
    claimed = DecideState(
        regions={GUANGDONG: RegionState(claim=Claim(START, START, "on-0", Status.ON, "x"), claimed=Status.ON)}
    )

    assert () == advance(RULES, odd, (START, {}))[1]
    assert () == advance(RULES, claimed, (START, {}))[1]
