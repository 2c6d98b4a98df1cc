"""Every ROI and what is still to come, as the API, `table --json` and the terminal show them."""

from collections.abc import Sequence

import pytest

from cases.writes import split
from models.cohorts import Maturity
from models.errors import SettingsError
from models.roi import Labels
from models.totals import Totals
from models.units import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from models.windows import Scope, buckets_of
from seeded_day import ZONE
from streams.ports import BatchWrite, BucketRef, TopicPartition
from streams.readcohorts import read_expected, read_maturity
from streams.readmodel import build, table
from streams.store.memory_store import MemoryStore
from streams.terminal.rois import REPORT, parse_rois, roi_note
from streams.terminal.view import ViewData, table_lines
from streams.web.answering import Detail, table_answer

NOON = EpochMs(1_750_046_400_000)
CLICKS = TopicPartition("ads.clicks.v1", 0)
GUANGDONG = Totals(
    clicks=100,
    spend_micros=1_000_000,
    direct_orders=20,
    direct_gmv_micros=30_000_000,
    total_orders=30,
    total_gmv_micros=50_000_000,
    click_total_orders=12,
    click_total_paid_micros=18_000_000,
    click_direct_orders=4,
    click_direct_paid_micros=6_000_000,
    capped_orders=1,
    total_capped_micros=40_000_000,
    flow_cancelled=2,
)


async def counted(*events: tuple[int, dict[str, int]], tallies: dict[str, int] | None = None) -> MemoryStore:
    """Give a store that counted these events of Guangdong, each (at, counters)."""
    store = MemoryStore(ZONE)
    claim = await store.claim(CLICKS)
    sums: dict[BucketRef, dict[str, int]] = {}
    for at, counters in events:
        for bucket in buckets_of(EpochMs(at), ZONE):
            cell = sums.setdefault(BucketRef(Scope.REGION, bucket), {})
            for name, amount in counters.items():
                cell[f"{name}:440000"] = cell.get(f"{name}:440000", 0) + amount
    deltas, vectors = split(sums)
    await store.apply(
        BatchWrite(
            tp=CLICKS,
            epoch=claim.epoch,
            first=0,
            next_offset=1,
            head=NOON,
            now=NOON,
            deltas=deltas,
            vectors=vectors,
            tallies=tallies or {},
        )
    )
    return store


def test_an_answer_names_the_labels_of_every_roi() -> None:
    """Amount and lines stand beside each, so that anyone can divide again."""
    found = table_answer(build({"440000": GUANGDONG}, Scope.REGION, "24h", None, NOON, {}), detail=Detail({}))
    rois = {one.name: one.model_dump(mode="json") for one in found.rows[0].rois or ()}

    assert 24 == len(rois)
    assert {
        "name": "roi_total_paid_click",
        "basis": "click",
        "window": "15d",
        "amount": "paid",
        "scope": "total",
        "orders": 12,
        "amount_micros": 18_000_000,
        "value": "18.000000",
    } == rois["roi_total_paid_click"]


def test_capped_roi_flows_and_cut_lines_stand_beside_the_exact_figures() -> None:
    """In every answer; the long list only when asked for."""
    row = table_answer(build({"440000": GUANGDONG}, Scope.REGION, "24h", None, NOON, {})).rows[0]
    shown = row.model_dump(mode="json")

    assert ("50.000000", "40.000000") == (shown["ratios"]["roi_total"], shown["ratios"]["roi_total_capped"])
    assert (1, 2, 0) == (row.totals.capped_orders, row.totals.flow_cancelled, row.totals.flow_refunds)
    assert (None, None) == (row.rois, row.roi_click_expected)


async def test_what_is_still_to_come_follows_from_the_age_of_the_clicks() -> None:
    """Old clicks and clicks of this minute in one window: the young half has its orders yet to get."""
    ripe = {"clicks": 100, "spend_micros": 1_000, "click_total_orders": 40, "click_total_gmv_micros": 4_000}
    store = await counted((NOON - 20 * HOUR_MS, ripe), (NOON, {"clicks": 100, "spend_micros": 1_000}))
    curve = Maturity(((HOUR_MS, 1.0),), 500)
    found = await table(store, ZONE, Scope.REGION, "24h")

    answer = table_answer(found, detail=Detail(await read_expected(store, ZONE, found, curve)))

    for row in (*answer.rows, answer.total):
        assert row.roi_click_expected is not None
        shown = row.roi_click_expected.model_dump(mode="json")
        assert (80, 8_000) == (shown["orders"], shown["total_gmv_micros"])
        assert ("4.000000", "0.500000") == (shown["roi_total"], shown["to_come"])


@pytest.mark.parametrize("window", ["24h", "all", "yesterday", "15m"])
async def test_groups_of_age_hold_all_clicks_of_the_window(window: str) -> None:
    """When all orders are there, expected is what the table shows."""
    events = [
        (NOON - back * HOUR_MS - MINUTE_MS, {"clicks": 3, "click_total_orders": back + 1}) for back in range(0, 700, 7)
    ]
    store = await counted(*events)
    found = await table(store, ZONE, Scope.REGION, window)

    expected = await read_expected(store, ZONE, found, Maturity(((1, 1.0),), 500))

    assert [row.totals.click_total_orders for row in found.rows] == [expected[row.member].orders for row in found.rows]
    assert found.total.totals.click_total_orders == expected["total"].orders


async def test_nothing_is_expected_without_a_curve_or_an_event() -> None:
    """The answer says null, not the orders so far."""
    empty = await counted()
    store = await counted((NOON, {"clicks": 1}))

    assert {} == await read_expected(store, ZONE, await table(store, ZONE, Scope.REGION, "24h"), None)
    assert {} == await read_expected(
        MemoryStore(ZONE), ZONE, await table(MemoryStore(ZONE), ZONE, Scope.REGION, "24h"), Maturity(((1, 1.0),), 9)
    )
    assert await read_maturity(store, ZONE, NOON, {}) is None
    assert await read_maturity(empty, ZONE, NOON, {"delay:1m": 500}) is None


async def test_the_curve_is_made_from_the_history_there_is() -> None:
    """Delays near the length of the history are seen seldom, so they weigh more than in a long one."""
    tallies = {"delay:1m": 300, "delay:1d": 300}
    short = await counted((NOON - 1 * DAY_MS, {"clicks": 1}))
    long = await counted((NOON - 30 * DAY_MS, {"clicks": 1}))

    young, old = [await read_maturity(store, ZONE, NOON, tallies) for store in (short, long)]

    assert young is not None
    assert old is not None
    assert young.at(HOUR_MS) < old.at(HOUR_MS) < 0.52


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, REPORT),
        ("click,paid", (Labels("click", "15d", "paid", "direct"), Labels("click", "15d", "paid", "total"))),
        ("click,15d,paid,direct", (Labels("click", "15d", "paid", "direct"),)),
        ("total,net,0d", (Labels("order", "0d", "net", "total"),)),
    ],
)
def test_labels_choose_the_columns(text: str | None, expected: Sequence[Labels]) -> None:
    """Without a scope both columns stay."""
    assert expected == parse_rois(text)


def test_a_word_that_is_no_label_is_refused_with_all_that_are() -> None:
    """In one sentence that names the flag."""
    with pytest.raises(SettingsError, match=r"--roi: 'clicks' is no label.*order\|click.*15d\|0d.*placed\|paid\|net"):
        parse_rois("clicks")


@pytest.mark.parametrize(
    ("text", "shown"), [(None, ["30.0", "50.0"]), ("click,paid", ["~6.0", "18.0"]), ("click,paid,total", ["18.0"])]
)
def test_the_columns_show_what_was_chosen(text: str | None, shown: list[str]) -> None:
    """Few orders are judged by the lines behind that very ROI."""
    found = build({"440000": GUANGDONG}, Scope.REGION, "24h", None, NOON, {})
    cells = table_lines(ViewData(table=found, rois=parse_rois(text)), 200)[4].plain.split()

    assert shown == [cell for cell in cells if cell.lstrip("~") in ("30.0", "50.0", "6.0", "18.0")]


def test_the_screen_says_which_labels_its_roi_carries() -> None:
    """In both languages."""
    assert "ROI: by order time, clicks of 15 days, placed amount" == roi_note(REPORT, "en")
    assert "ROI: 按点击时间(仍会增长), 15天内点击, 实付减退款" == roi_note(parse_rois("click,net"), "zh")
