"""A slice's events to everything they change."""

import pytest

from cases.folding import DAY, FOLDER, T, click, decoded, fold_clicks, fold_orders, levels, ref
from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.fold import Folded
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from models.windows import Bucket, BucketRef, Level, Scope
from models.wire import WireImpression


@pytest.mark.parametrize("level", Level)
def test_clicks_add_to_every_scope_at_every_level(level: Level) -> None:
    """Counts and spend add per region, per campaign and per both."""
    events = [click(), click(spend=7), click(region="310000"), click(campaign="a:b")]

    deltas = fold_clicks(*events).deltas

    assert {"clicks:440000": 3, "clicks:310000": 1, "spend_micros:440000": 17, "spend_micros:310000": 5} == deltas[
        ref(Scope.REGION, level)
    ]
    assert {"clicks:c1": 3, "clicks:a:b": 1, "spend_micros:c1": 17, "spend_micros:a:b": 5} == deltas[
        ref(Scope.CAMPAIGN, level)
    ]
    assert {
        "clicks:440000:c1": 2,
        "clicks:310000:c1": 1,
        "clicks:440000:a:b": 1,
        "spend_micros:440000:c1": 12,
        "spend_micros:310000:c1": 5,
        "spend_micros:440000:a:b": 5,
    } == deltas[ref(Scope.REGION_CAMPAIGN, level)]
    assert 9 == len(deltas)


def test_impressions_without_cost_add_their_count_alone() -> None:
    """A delta of 0 is not written."""
    folded = FOLDER.fold_ads(Kind.IMPRESSIONS, decoded([WireImpression("e", T, "440000", "c1", 0)]), None, T)

    assert {"impressions:440000": 1} == folded.deltas[ref(Scope.REGION, Level.DAY)]
    assert {"accepted:impressions": 1} == folded.tallies


def test_a_slice_over_midnight_is_split_where_it_must_be() -> None:
    """Minutes, hours and days each get their own part, and the head is the newest."""
    midnight = EpochMs(DAY + DAY_MS)
    events = [click(midnight - 1), click(midnight), click(midnight + MINUTE_MS)]

    folded = fold_clicks(*events, timestamp=midnight)
    counts = {
        (key.bucket.level.value, key.bucket.start - midnight): fields["clicks:440000"]
        for key, fields in folded.deltas.items()
        if key.scope is Scope.REGION
    }

    assert {
        ("minute", -MINUTE_MS): 1,
        ("minute", 0): 1,
        ("minute", MINUTE_MS): 1,
        ("hour", -HOUR_MS): 1,
        ("hour", 0): 2,
        ("day", -DAY_MS): 1,
        ("day", 0): 2,
    } == counts
    assert midnight + MINUTE_MS == folded.head


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (2 * HOUR_MS, {"region": "mhd", "campaign": "mhd", "region,campaign": "mhd"}),
        (4 * HOUR_MS, {"region": "mhd", "campaign": "mhd", "region,campaign": "hd"}),
        (28 * HOUR_MS, {"region": "hd", "campaign": "hd", "region,campaign": "hd"}),
        (80 * HOUR_MS, {"region": "d", "campaign": "d", "region,campaign": "d"}),
    ],
)
def test_a_late_event_lands_where_its_bucket_is_kept(age: int, expected: dict[str, str]) -> None:
    """It is counted as late once some level has forgotten its bucket; the head stays."""
    folded = fold_clicks(click(), head=EpochMs(T + age), timestamp=EpochMs(T + age))

    assert expected == {
        scope: "".join(letter for letter in "mhd" if any(level.startswith(letter) for level in found))
        for scope, found in levels(folded).items()
    }
    assert (0 if age < 3 * HOUR_MS else 1) == folded.tallies.get("late:clicks", 0)
    assert T + age == folded.head


def test_an_event_older_than_every_level_is_refused() -> None:
    """The day of an event is kept 40 days after its end."""
    gone = EpochMs(DAY + 41 * DAY_MS)

    kept = fold_clicks(click(), head=EpochMs(gone - 1), timestamp=gone)
    refused = fold_clicks(click(), head=gone, timestamp=gone)

    assert [] == list(kept.rejects)
    assert [(0, "too_old")] == [(index, verdict.reason) for index, verdict in refused.rejects]
    assert {"rejected:clicks:too_old": 1} == refused.tallies
    assert {} == refused.deltas


def test_an_event_of_the_future_is_refused_and_moves_no_head() -> None:
    """Five minutes ahead of the broker are allowed, to the millisecond."""
    folded = fold_clicks(click(T + 300_001), click(T + 300_000))

    assert [(0, "future")] == [(index, verdict.reason) for index, verdict in folded.rejects]
    assert T + 300_000 == folded.head
    assert 1 == folded.deltas[BucketRef(Scope.REGION, Bucket(Level.DAY, DAY))]["clicks:440000"]


def test_an_event_is_held_against_the_head_before_it() -> None:
    """Old before new is on time; new before old makes the old one late."""
    old, new = click(T - 4 * HOUR_MS), click(T)

    assert {"accepted:clicks": 2} == fold_clicks(old, new).tallies
    assert {"accepted:clicks": 2, "late:clicks": 1, "late_by:clicks:1h": 1} == fold_clicks(new, old).tallies


def test_a_slice_of_nothing_changes_nothing() -> None:
    """The head stays where it was, known or not."""
    assert Folded(head=None, rejects=[]) == fold_clicks()
    assert Folded(head=T, rejects=[]) == fold_clicks(head=T)
    assert Folded(head=T, rejects=[], lines=[]) == fold_orders(head=T)


def test_verdicts_of_decoder_and_fold_are_in_order() -> None:
    """A dead letter is found by its position in the slice."""
    bad = InvalidEvent("not_json", "")
    slice_ = Decoded([click(), click(T + DAY_MS), click()], [0, 2, 4], [(1, bad), (3, bad)])

    folded = FOLDER.fold_ads(Kind.CLICKS, slice_, None, T)

    assert [1, 2, 3] == [index for index, _ in folded.rejects]
    assert {"accepted:clicks": 2, "rejected:clicks:not_json": 2, "rejected:clicks:future": 1} == folded.tallies
