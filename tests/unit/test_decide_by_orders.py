"""What the orders of a region say for or against its announced status, and what is kept of it."""

from cases.watching import GUANGDONG, RULES, START, path, said, watch
from models.decisions import Status
from models.units import HOUR_MS, MINUTE_MS, SECOND_MS, EpochMs
from rules.decide import DecideState, RegionState, advance
from rules.settings import RuleSettings
from rules.state import Claim, Owed
from rules.waking import wakes_at


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
