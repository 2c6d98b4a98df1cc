"""A slice's events to everything they change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from models.codec import Decoded
from models.errors import InvalidEvent
from models.events import Kind
from models.fold import Folded, Folder
from models.orders import Eligibility
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, DurationMs, EpochMs
from models.windows import Bucket, BucketRef, Level, Scope
from models.wire import WireClick, WireImpression, WireOrder

E = TypeVar("E")
ZONE = ZoneInfo("Asia/Shanghai")
FOLDER = Folder(ZONE, DurationMs(300_000), Eligibility("phone", 6_000_000_000))
T = EpochMs(int(datetime(2025, 3, 10, 12, 30, 15, tzinfo=ZONE).timestamp() * 1000))
MINUTE = EpochMs(T - 15_000)
HOUR = EpochMs(MINUTE - 30 * MINUTE_MS)
DAY = EpochMs(HOUR - 12 * HOUR_MS)


def click(at: int = T, region: str = "440000", campaign: str = "c1", spend: int = 5) -> WireClick:
    """Make a click."""
    return WireClick("e", at, region, campaign, "u", spend)


def order(status: str = "placed", at: int = T, placed_at: int | None = None, **changes: object) -> WireOrder:
    """Make an order record placed at its own time."""
    amounts: dict[str, object] = {"paid_micros": 7, "refund_micros": 7, "subsidy_micros": 1}
    body: dict[str, object] = {"event_id": f"e{at}", "region": "440000", "order_id": "o", "line": 1}
    body |= {"status": status, "at": at, "placed_at": at if placed_at is None else placed_at}
    return WireOrder(**(body | amounts | {"quantity": 1, "amount_micros": 9} | changes))  # type: ignore[arg-type]


def decoded(events: Sequence[E]) -> Decoded[E]:
    """Pretend that a whole slice was valid."""
    return Decoded(events, range(len(events)), ())


def fold_clicks(*events: WireClick, head: EpochMs | None = None, timestamp: EpochMs = T) -> Folded:
    """Fold a slice of clicks."""
    return FOLDER.fold_ads(Kind.CLICKS, decoded(events), head, timestamp)


def fold_orders(
    *events: WireOrder, head: EpochMs | None = None, states: Mapping[tuple[EpochMs, str], str | None] | None = None
) -> Folded:
    """Fold a slice of orders whose lines are new unless a state is given."""
    known = dict.fromkeys(FOLDER.line_ids(events)) | dict(states or {})
    return FOLDER.fold_orders(decoded(events), known, head, T)


def ref(scope: Scope, level: Level) -> BucketRef:
    """Name the bucket of `T`."""
    starts = {Level.MINUTE: MINUTE, Level.HOUR: HOUR, Level.DAY: DAY}
    return BucketRef(scope, Bucket(level, starts[level]))


def levels(folded: Folded) -> dict[str, set[str]]:
    """Give the levels written per scope."""
    out: dict[str, set[str]] = {}
    for key in folded.deltas:
        out.setdefault(key.scope, set()).add(key.bucket.level)
    return out


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
    assert {"accepted:clicks": 2, "late:clicks": 1} == fold_clicks(new, old).tallies


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


def test_an_order_adds_to_the_bucket_of_its_placing() -> None:
    """All its records do, whenever they come; the head follows the time of the record."""
    paid = order("paid", at=T + DAY_MS, placed_at=T)
    folded = FOLDER.fold_orders(decoded([paid]), {FOLDER.line_ids([paid])[0]: "p|0|0|"}, T, EpochMs(T + DAY_MS))

    assert {"orders_paid:440000": 1, "gmv_paid_micros:440000": 7} == folded.deltas[ref(Scope.REGION, Level.HOUR)]
    assert T + DAY_MS == folded.head
    assert {"accepted:orders": 1} == folded.tallies


def test_an_order_without_a_campaign_counts_for_its_region_alone() -> None:
    """One that names a campaign counts for that too."""
    assert {"region"} == set(levels(fold_orders(order())))
    assert {"region", "campaign", "region,campaign"} == set(levels(fold_orders(order(campaign_id="c1"))))


def test_evidence_is_kept_per_second_and_region() -> None:
    """Eligible and subsidised orders of the second they were placed in."""
    events = [
        order(order_id="a", at=T),
        order(order_id="b", at=T + 999, subsidy_micros=0),
        order(order_id="c", at=T + 1_000, region="310000"),
        order(order_id="d", at=T, subsidy_micros=None),
    ]

    assert {T: {"440000": (2, 1)}, T + 1_000: {"310000": (1, 1)}} == fold_orders(*events).evidence


def test_an_order_whose_minute_is_gone_is_no_evidence() -> None:
    """It counts in its day and says nothing about the subsidy of now."""
    folded = fold_orders(order(at=T - 2 * DAY_MS), head=T)

    assert {} == folded.evidence
    assert 1 == sum(fields["eligible_orders:440000"] for key, fields in folded.deltas.items() if key[1][0] == Level.DAY)


def test_a_line_is_swapped_once_from_what_was_read() -> None:
    """Duplicates inside a slice and against the store are found; an unchanged line is not written."""
    line = (DAY, "1:o")

    first = fold_orders(order(), order(), order("paid"))
    again = fold_orders(order(), states={line: "p|0|0|"})

    assert [(DAY, "1:o", None, "pd|7|0|")] == list(first.lines)
    assert {"accepted:orders": 2, "duplicates:orders": 1} == first.tallies
    assert [] == list(again.lines)
    assert {"duplicates:orders": 1} == again.tallies


def test_lines_are_named_once_in_order_of_appearance() -> None:
    """The store is asked for each line once."""
    events = [order(order_id="b"), order(order_id="a"), order("paid", order_id="b"), order(order_id="b", line=2)]

    assert [(DAY, "1:b"), (DAY, "1:a"), (DAY, "2:b")] == FOLDER.line_ids(events)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (order(at=T + 300_001), "future"),
        (order(at=T, placed_at=T + 300_001), "future"),
        (order(at=T, placed_at=T - 42 * DAY_MS), "too_old"),
    ],
)
def test_refused_orders_move_nothing(event: WireOrder, reason: str) -> None:
    """Neither head nor line nor totals."""
    folded = fold_orders(event)

    assert [reason] == [verdict.reason for _, verdict in folded.rejects]
    assert (None, {}, []) == (folded.head, folded.deltas, list(folded.lines))


def test_a_line_with_too_many_refunds_refuses_one_more() -> None:
    """The others of the slice go on."""
    full = "d|100|64|" + ",".join(f"{part:016x}" for part in range(64))
    folded = fold_orders(order("refunded"), order(order_id="b"), states={(DAY, "1:o"): full})

    assert [(0, "out_of_range")] == [(index, verdict.reason) for index, verdict in folded.rejects]
    assert {"accepted:orders": 1, "rejected:orders:out_of_range": 1} == folded.tallies


def test_an_order_late_by_its_own_time_is_counted_as_late() -> None:
    """A correction of an old order is not late; a record that was long under way is."""
    assert 1 == fold_orders(order(at=T - 4 * HOUR_MS), head=T).tallies["late:orders"]
    assert "late:orders" not in fold_orders(order("paid", at=T, placed_at=T - 4 * HOUR_MS), head=T).tallies
