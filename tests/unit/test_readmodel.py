"""What readers see of a store: rows, shares, freshness, CSV bytes."""

import io
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from models.errors import SettingsError
from models.totals import Totals
from models.units import HOUR_MS, MINUTE_MS, EpochMs
from models.windows import Scope, buckets_of
from streams.files.csv_tables import header, write_totals
from streams.ports import BatchWrite, BucketRef, Fact, TopicPartition
from streams.readfresh import freshness
from streams.readmodel import build, head_of, parse_scope, parse_window, table
from streams.store.memory_store import MemoryStore

ZONE = ZoneInfo("Asia/Shanghai")
NOON = EpochMs(1_750_046_400_000)  # 2025-06-16 12:00 in Shanghai
CLICKS = TopicPartition("ads.clicks.v1", 0)


async def filled(*events: tuple[int, Scope, str, dict[str, int]], facts: tuple[Fact, ...] = ()) -> MemoryStore:
    """Give a store that counted these events, each (at, scope, member, counters)."""
    store = MemoryStore(ZONE)
    claim = await store.claim(CLICKS)
    deltas: dict[BucketRef, dict[str, int]] = {}
    for at, scope, member, counters in events:
        for bucket in buckets_of(EpochMs(at), ZONE):
            cells = deltas.setdefault(BucketRef(scope, bucket), {})
            for name, amount in counters.items():
                cells[f"{name}:{member}"] = cells.get(f"{name}:{member}", 0) + amount
    head = EpochMs(max((event[0] for event in events), default=NOON))
    write = BatchWrite(
        tp=CLICKS, epoch=claim.epoch, first=0, next_offset=len(events), head=head, now=head, deltas=deltas, facts=facts
    )
    await store.apply(write)
    return store


async def test_rows_come_with_most_spend_first_and_the_total_apart() -> None:
    """Shares are parts of the table's spend and the total row sums every counter."""
    store = await filled(
        (NOON, Scope.REGION, "440000", {"clicks": 1, "spend_micros": 1_000_000}),
        (NOON, Scope.REGION, "320000", {"clicks": 2, "spend_micros": 3_000_000}),
    )

    found = await table(store, ZONE, Scope.REGION, "today")

    assert ["江苏", "广东"] == [row.name_zh for row in found.rows]
    assert [Decimal("0.75"), Decimal("0.25")] == [row.share for row in found.rows]
    assert Totals(clicks=3, spend_micros=4_000_000) == found.total.totals
    assert Decimal(1) == found.total.share


async def test_a_window_holds_only_its_own_minutes() -> None:
    """An event 20 minutes before the head is in the hour but not in the last 15 minutes."""
    store = await filled(
        (NOON, Scope.REGION, "440000", {"clicks": 1}),
        (NOON - 20 * MINUTE_MS, Scope.REGION, "440000", {"clicks": 10}),
    )

    clicks = {window: (await table(store, ZONE, Scope.REGION, window)).total.totals.clicks for window in ("15m", "1h")}

    assert {"15m": 1, "1h": 11} == clicks


async def test_an_empty_store_gives_an_empty_table() -> None:
    """Without any event there is no span, no head, no row, and an undefined share."""
    found = await table(MemoryStore(ZONE), ZONE, Scope.REGION, "today")

    assert (None, None, (), None) == (found.span, found.head, found.rows, found.total.share)


async def test_campaigns_are_named_by_what_they_announced() -> None:
    """A campaign without a record, or with an unreadable one, is named by its id."""
    facts = (
        Fact("campaigns", "c1", json.dumps({"name": "小米17 国补"})),
        Fact("campaigns", "c2", "not json"),
        Fact("campaigns", "c3", "[]"),
    )
    events = [(NOON, Scope.CAMPAIGN, f"c{i}", {"spend_micros": 9 - i}) for i in range(1, 4)]
    store = await filled(*events, facts=facts)

    found = await table(store, ZONE, Scope.CAMPAIGN, "all")

    assert ["小米17 国补", "c2", "c3"] == [row.name_en for row in found.rows]


async def test_a_cell_of_region_and_campaign_is_split_at_the_first_colon() -> None:
    """Campaign ids may hold colons, regions never do."""
    store = await filled((NOON, Scope.REGION_CAMPAIGN, "440000:a:b", {"clicks": 1}))

    row = (await table(store, ZONE, Scope.REGION_CAMPAIGN, "1h")).rows[0]

    assert ("440000", "a:b", "Guangdong a:b") == (row.region, row.campaign, row.name_en)


async def test_freshness_is_the_newest_minute_with_an_event() -> None:
    """Within the hour it is exact to the minute, before that to the hour."""
    store = await filled(
        (NOON + 1, Scope.REGION, "440000", {"clicks": 1}),
        (NOON - 7 * MINUTE_MS, Scope.REGION, "320000", {"clicks": 1}),
        (NOON - 5 * HOUR_MS, Scope.REGION, "540000", {"clicks": 1}),
        (NOON - 48 * HOUR_MS, Scope.REGION, "630000", {"clicks": 1}),
    )

    found = await freshness(store, Scope.REGION, EpochMs(NOON + 1))

    assert {"440000": NOON, "320000": NOON - 7 * MINUTE_MS, "540000": NOON - 5 * HOUR_MS} == found


async def test_freshness_goes_on_from_an_earlier_look() -> None:
    """Only minutes since the earlier head are read; what was known stays."""
    store = await filled((NOON, Scope.REGION, "440000", {"clicks": 1}))

    found = await freshness(
        store, Scope.REGION, NOON, known={"320000": EpochMs(NOON - HOUR_MS)}, since=EpochMs(NOON - MINUTE_MS)
    )

    assert {"440000": NOON, "320000": NOON - HOUR_MS} == found


def test_a_member_whose_counters_are_all_zero_is_left_out() -> None:
    """A correction that took back everything leaves no row."""
    assert () == build({"440000": Totals()}, Scope.REGION, "1h", None, None, {}).rows


def test_unknown_region_and_code_outside_the_table_have_names() -> None:
    """Nothing is dropped because it has no province."""
    cells = {"unknown": Totals(clicks=1), "710000": Totals(clicks=1)}

    found = build(cells, Scope.REGION, "1h", None, None, {})

    assert [("710000", "710000"), ("Unknown", "未知地区")] == [(row.name_en, row.name_zh) for row in found.rows]


@pytest.mark.parametrize(("parse", "wrong"), [(parse_scope, "city"), (parse_window, "2h")])
def test_wrong_names_are_refused_with_the_right_ones(parse: object, wrong: str) -> None:
    """The sentence lists what may be asked for."""
    with pytest.raises(SettingsError, match="take one of"):
        parse(wrong)  # type: ignore[operator]


def test_head_without_progress_is_none() -> None:
    """No partition, no event time."""
    assert None is head_of({})


def test_csv_has_the_fixed_columns_and_ends_with_the_total() -> None:
    """Rows are in order of their members; undefined ratios are empty cells."""
    cells = {
        "440000": Totals(clicks=2, impressions=8, spend_micros=1_000_000, total_orders=1, total_gmv_micros=2_500_000),
        "320000": Totals(orders_placed=1, gmv_placed_micros=5),
    }
    out = io.StringIO()

    write_totals(out, build(cells, Scope.REGION, "all", None, None, {}).rows, Scope.REGION)

    assert [
        ",".join(header(Scope.REGION)),
        "320000,江苏,0,0,0,1,0,0,0,0,5,0,0,0,0,0,0,0,,,,,,",
        "440000,广东,8,2,1000000,0,0,0,0,0,0,0,0,0,0,0,1,2500000,0.500000,0.250000,0.500000,,0.000000,2.500000",
        "total,总计,8,2,1000000,1,0,0,0,0,5,0,0,0,0,0,1,2500000,0.500000,0.250000,0.500000,,0.000000,2.500000",
    ] == out.getvalue().splitlines()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "＝1+1", "＠x"])
def test_csv_never_gives_a_spreadsheet_a_formula(name: str) -> None:
    """A campaign id that a spreadsheet would run is quoted as text."""
    out = io.StringIO()

    write_totals(out, build({name: Totals(clicks=1)}, Scope.CAMPAIGN, "all", None, None, {}).rows, Scope.CAMPAIGN)

    assert f"'{name}" == out.getvalue().splitlines()[1].split(",")[0]
