"""What every store must keep: sums, order lines, facts, tallies, evidence."""

import pytest

from cases.writes import CLICKS, MINUTE, NOON, REGION, slice_of, split
from models.totals import COUNTERS, Totals
from models.units import HOUR_MS, MINUTE_MS, EpochMs
from models.windows import Bucket, Level, Scope
from streams.ports import BucketRef, EvidenceBucket, Fact, LineSwap, Store, TopicPartition

DAY = EpochMs(1_735_660_800_000)
ORDERS = TopicPartition("shop.orders.v1", 1)


async def test_totals_add_over_buckets_and_partitions(store: Store) -> None:
    """Every counter of every member adds; corrections are negative; a member without data is absent."""
    later = Bucket(Level.MINUTE, EpochMs(NOON + MINUTE_MS))
    all_counters = {f"{name}:440000": place for place, name in enumerate(COUNTERS, 1)}
    for tp in (CLICKS, ORDERS):
        await store.claim(tp)
        deltas, vectors = split({REGION: all_counters})
        await store.apply(slice_of(0, 1, tp, deltas=deltas, vectors=vectors))
        await store.apply(
            slice_of(1, 2, tp, deltas={BucketRef(Scope.REGION, later): {"clicks:440000": -7, "spend_micros:110000": 3}})
        )

    both = {name: 2 * place for place, name in enumerate(COUNTERS, 1)}
    assert {"440000": Totals(**both)} == await store.totals(Scope.REGION, [MINUTE])
    both["clicks"] -= 14
    expected = {"440000": Totals(**both), "110000": Totals(spend_micros=6)}
    assert expected == await store.totals(Scope.REGION, iter([MINUTE, later]))
    assert {} == await store.totals(Scope.REGION, [])


async def test_scopes_and_levels_are_kept_apart(store: Store) -> None:
    """A bucket is a scope, a level and a start; members may hold colons, carets and any letters."""
    await store.claim(CLICKS)
    member = "440000:计划:^7"
    ref = BucketRef(Scope.REGION_CAMPAIGN, Bucket(Level.HOUR, EpochMs(NOON - NOON % HOUR_MS)))
    await store.apply(slice_of(0, 1, deltas={ref: {f"clicks:{member}": 5}}))

    assert {member: Totals(clicks=5)} == await store.totals(ref.scope, [ref.bucket])
    assert {} == await store.totals(Scope.CAMPAIGN, [ref.bucket])
    assert {} == await store.totals(ref.scope, [Bucket(Level.MINUTE, ref.bucket.start)])


async def test_the_members_of_one_region_can_be_read_alone(store: Store) -> None:
    """By the whole code, and by its place: a campaign may be called like a region; sums past 64 bits included."""
    await store.claim(CLICKS)
    amounts = {"440000:c1": 1 << 64, "440000:310000:x": -1, "310000:440000:y": 2, "4400001:c1": 3, "44000:c1": 4}
    cells = {f"{name}:{member}": n for member, n in amounts.items() for name in ("spend_micros", "gmv_paid_micros")}
    deltas, vectors = split({BucketRef(Scope.REGION_CAMPAIGN, MINUTE): cells})
    both, of_region = split({REGION: {"clicks:440000": 5, "clicks:310000": 6}})
    await store.apply(slice_of(0, 1, deltas=deltas | both, vectors=vectors | of_region))

    own = {
        member: Totals(spend_micros=n, gmv_paid_micros=n) for member, n in amounts.items() if member[:7] == "440000:"
    }
    assert own == await store.totals(Scope.REGION_CAMPAIGN, [MINUTE], "440000")
    assert {"440000": Totals(clicks=5)} == await store.totals(Scope.REGION, [MINUTE], "440000")
    assert {} == await store.totals(Scope.REGION, [MINUTE], "990000")


@pytest.mark.parametrize("counter", ["spend_micros", "gmv_paid_micros"], ids=["plain", "vector"])
@pytest.mark.parametrize(
    "amounts",
    [
        [(1 << 53) + 1, 1, (1 << 53) + 1, -1],
        [10**15] * 5 + [-(10**15) - 1],
        [5_000 * 10**15] * 12,
        [-5_000 * 10**15 + 1] * 12,
        [(1 << 62) - 1, 1, (1 << 62) - 1, 1, 1 << 61, (1 << 61) + 1],
        [1 << 63, -(1 << 63), 1 << 64, -(1 << 65), 12345],
        [10**30, -(10**30), 10**30 + 1],
        [(1 << 61) - 1] * 12,
        [-(1 << 61)] * 12,
        [(1 << 53) + 1, -1, -1, -1],
        [-(1 << 53) - 1, 1, 1, 1],
        [(1 << 53) - 1, 2, 2, -4],
        [-(1 << 53) + 1, -2, -2, 4],
        [(1 << 52) - 1, 1, 1, -1, -1, 1 << 52, 1 << 52],
        [-(1 << 52) + 1, -1, -1, 1, 1, -(1 << 52), -(1 << 52)],
    ],
    ids=[
        "past 2^53",
        "largest events",
        "past 2^63",
        "past -2^63",
        "edges of a limb",
        "back and forth",
        "absurd",
        "many large",
        "many small",
        "down",
        "up",
        "over",
        "under",
        "edges of a part",
        "edges of a part below",
    ],
)
async def test_sums_are_exact_however_large(store: Store, amounts: list[int], counter: str) -> None:
    """No sum rounds, overflows or stops a partition: not past 2^53, not past 2^63."""
    await store.claim(CLICKS)
    for at, amount in enumerate(amounts):
        deltas, vectors = split({REGION: {f"{counter}:440000": amount}})
        await store.apply(slice_of(at, at + 1, deltas=deltas, vectors=vectors))

        total = getattr((await store.totals(Scope.REGION, [MINUTE]))["440000"], counter)
        assert sum(amounts[: at + 1]) == total


async def test_order_lines_are_compared_and_set(store: Store) -> None:
    """States are read in the order asked, and move only from what was read."""
    await store.claim(ORDERS)
    first = [LineSwap(DAY, "o1:1", None, "placed"), LineSwap(NOON, "o1:1", None, "other day")]
    await store.apply(slice_of(0, 1, ORDERS, lines=first))
    await store.apply(slice_of(1, 2, ORDERS, lines=[LineSwap(DAY, "o1:1", "placed", "paid 订单")]))

    asked = [(NOON, "o1:1"), (DAY, "o9:1"), (DAY, "o1:1"), (EpochMs(0), "o1:1")]
    assert ["other day", None, "paid 订单", None] == await store.lines(ORDERS, asked)
    assert [] == await store.lines(ORDERS, [])


async def test_a_later_fact_replaces_the_earlier(store: Store) -> None:
    """Facts are kept whole by kind and key, until they are forgotten."""
    await store.claim(CLICKS)
    await store.apply(slice_of(0, 1, facts=[Fact("campaigns", "c1", "{}"), Fact("stock", "c1", "5")]))
    await store.apply(slice_of(1, 2, facts=[Fact("campaigns", "c1", '{"a":1}'), Fact("campaigns", "c2", "计")]))

    assert {"c1": '{"a":1}', "c2": "计"} == await store.facts("campaigns")
    assert {"c1": "5"} == await store.facts("stock")
    assert {} == await store.facts("results")
    await store.forget("campaigns", ["c1", "c9"])
    await store.forget("nothing", [])
    assert {"c2": "计"} == await store.facts("campaigns")


async def test_tallies_add_over_partitions(store: Store) -> None:
    """Process-wide counts add under their names, whoever counted."""
    for tp in (CLICKS, ORDERS):
        await store.claim(tp)
        await store.apply(slice_of(0, 1, tp, tallies={"rejected:clicks:not_json": 2, "late:clicks": 1}))

    assert {"rejected:clicks:not_json": 4, "late:clicks": 2} == await store.tallies()


async def test_evidence_is_read_by_range(store: Store) -> None:
    """Seconds come in order of time, from `after` inclusive to `before` exclusive, the oldest first."""
    times = [EpochMs(NOON + 1000 * second) for second in range(4)]
    for place, tp in enumerate((CLICKS, ORDERS)):
        await store.claim(tp)
        counts = {at: {"440000": (2, 1), "110000": (1, 0)} for at in reversed(times[place:])}
        await store.apply(slice_of(0, 1, tp, evidence=counts))

    one = {"440000": (2, 1), "110000": (1, 0)}
    two = {"440000": (4, 2), "110000": (2, 0)}
    expected = [EvidenceBucket(times[0], one), EvidenceBucket(times[1], two), EvidenceBucket(times[2], two)]
    assert expected == await store.evidence(times[0], times[3])
    assert expected[:2] == await store.evidence(EpochMs(0), times[3], 2)
    assert [] == await store.evidence(EpochMs(times[3] + 1), EpochMs(times[3] + 9999))
