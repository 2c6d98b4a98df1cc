"""Laws of the decide line: replay, order inside a second, alternation, conservation."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from models.decisions import BudgetShift, ShiftResult, Status, Transition
from models.events import Announcement, Campaign, SubsidyState
from models.totals import Totals
from models.units import EpochMs, Region
from rules.decide import DecideState, absorb, advance, owes, respond
from rules.settings import RuleSettings

START = 1_748_822_400_000
REGIONS = ("110000", "320000", "440000")
RULES = RuleSettings.model_validate(
    {
        "detector": {"orders_to_false_alarm": 200},
        "guards": {"mode": "auto", "min_clicks": 0, "min_orders": 0, "cooldown_s": 30},
    }
)

Word = tuple[str, SubsidyState, int, int]
Second = tuple[int, dict[str, tuple[int, int]]]

counts = st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
seconds = st.lists(st.dictionaries(st.sampled_from((*REGIONS, "unknown")), counts, max_size=4), max_size=60)
STATES: tuple[SubsidyState, ...] = ("on", "quota", "off", "exhausted", "upgrading", "quota_hours")
words = st.lists(
    st.tuples(
        st.sampled_from(REGIONS),
        st.sampled_from(STATES),
        st.integers(0, 60),
        st.integers(-60, 60),
    ),
    max_size=6,
)


def stream(picked: list[dict[str, tuple[int, int]]]) -> list[Second]:
    """One second after the other from START."""
    return [(START + i * 1_000, region_counts) for i, region_counts in enumerate(picked)]


def announcements(picked: list[Word]) -> list[Announcement]:
    """Announce: region, state, second of publication, seconds from there to the effect."""
    return [
        Announcement(
            event_id=f"a{i}", at=START + at * 1_000, region=region, source="s", state=state, category="phone",
            effective_at=START + (at + lead) * 1_000, daily_hours="08:00-08:01" if state == "quota_hours" else None,
        )
        for i, (region, state, at, lead) in enumerate(picked)
    ]  # fmt: skip


def campaigns() -> dict[str, Campaign]:
    """One campaign per region, 100 yuan each."""
    return {
        region: Campaign(
            event_id=region, at=START, campaign_id=region, name=region, plan_type="subsidy", channel="search",
            daily_budget_micros=100_000_000 + i, category="phone", version=1, regions=(region,),
            region_addressable=True,
        )
        for i, region in enumerate(REGIONS)
    }  # fmt: skip


def run(
    feed: list[Second], heard: list[Announcement], *, stored: bool = False
) -> tuple[DecideState, list[Transition], list[BudgetShift]]:
    """Decide all seconds; every plan is applied at once; `stored` takes the state through JSON each second."""
    standings = {
        Region(region): Totals(clicks=9, spend_micros=i + 1, direct_orders=1, direct_gmv_micros=40)
        for i, region in enumerate(REGIONS)
    }
    state = absorb(RULES, DecideState(), campaigns(), (), EpochMs(START))
    made: list[Transition] = []
    moved: list[BudgetShift] = []
    for start, region_counts in feed:
        state, transitions = advance(RULES, state, (EpochMs(start), region_counts), heard)
        made.extend(transitions)
        if transitions or owes(state):
            state, shifts, _ = respond(RULES, state, transitions, standings, EpochMs(start), False)
            answers = [
                ShiftResult(shift_id=shift.shift_id, plan_id=shift.plan_id, consumer="c", result="applied", at=start)
                for shift in shifts
            ]
            state = absorb(RULES, state, campaigns(), answers, EpochMs(start))
            moved.extend(shifts)
        if stored:
            state = DecideState.from_json(state.to_json())
    return state, made, moved


@given(seconds, words)
@settings(max_examples=60, deadline=None)
def test_a_replay_gives_the_same_bytes_and_ids(picked: list[dict[str, tuple[int, int]]], said: list[Word]) -> None:
    """Twice the same, also with every second repeated and the state stored in between."""
    feed, heard = stream(picked), announcements(said)
    state, made, moved = run(feed, heard)
    again, remade, removed = run([second for second in feed for _ in range(2)], heard[::-1], stored=True)

    assert state.to_json() == again.to_json()
    assert made == remade
    assert moved == removed


@given(seconds, words)
@settings(max_examples=40, deadline=None)
def test_the_order_of_regions_in_a_second_does_not_matter(
    picked: list[dict[str, tuple[int, int]]], said: list[Word]
) -> None:
    """Counts commute: regions in another order give the same bytes."""
    heard = announcements(said)
    turned = [dict(reversed(region_counts.items())) for region_counts in picked]

    assert run(stream(picked), heard)[:2] == run(stream(turned), heard)[:2]
    assert run(stream(picked), heard)[0].to_json() == run(stream(turned), heard)[0].to_json()


@given(seconds, words)
@settings(max_examples=60, deadline=None)
def test_transitions_alternate_and_ids_are_unique(picked: list[dict[str, tuple[int, int]]], said: list[Word]) -> None:
    """In each region a transition starts where the one before ended, from UNKNOWN on; no id comes twice."""
    _, made, moved = run(stream(picked), announcements(said))
    ids = [change.transition_id for change in made] + [shift.shift_id for shift in moved]

    assert len(ids) == len(set(ids))
    for region in REGIONS:
        own = [change for change in made if change.region == region]
        assert all(change.from_ is Status.UNKNOWN for change in own[:1])
        assert all(before.to is after.from_ for before, after in pairwise(own))
        assert all(change.from_ is not change.to for change in own)
        assert all(change.at <= change.decided_at for change in own)


@given(seconds, words)
@settings(max_examples=60, deadline=None)
def test_money_is_conserved_through_every_plan(picked: list[dict[str, tuple[int, int]]], said: list[Word]) -> None:
    """Legs add up to zero, donors come first, and all budgets together stay what they were."""
    state, _, moved = run(stream(picked), announcements(said))
    total = sum(campaign.daily_budget_micros for campaign in campaigns().values())

    assert total == sum(budget.micros for budget in state.budgets.values())
    for shift in moved:
        deltas = [leg.delta_micros for leg in shift.legs]
        assert 0 == sum(deltas)
        assert total == shift.total_before_micros == shift.total_after_micros
        assert [delta > 0 for delta in deltas] == sorted(delta > 0 for delta in deltas)
