"""Two real logs and the published table, through files and through real Kafka: equal to the last unit, in both.

The logs are not part of the project: they have no open licence. The tests look
for them in `../shared/data` beside the checkout, or where
`SUBSIDYWATCH_REAL_LOGS` points, and say so when they are skipped.
"""

import asyncio
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from models.regions import find
from models.scenario import seed_table
from models.units import MICROS_PER_UNIT
from services import Broker, RedisServer, wait_for
from services.worker import Worker
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore
from streams.topics import TOPICS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LOGS = Path(os.environ.get("SUBSIDYWATCH_REAL_LOGS", Path(__file__).resolve().parents[3] / "shared" / "data"))

needs_logs = pytest.mark.skipif(
    not LOGS.is_dir(), reason=f"THE REAL LOGS ARE ABSENT: nothing is proved about them; expected in {LOGS}"
)

Cells = dict[str, tuple[int, ...]]

PRINTED = (
    # as published: region, spend, share, clicks, CPC, orders, direct ROI, CPA, GMV, total ROI
    "Guangdong 25,571 12 68,761 0.37 533 47 48 1,191,009 85",
    "Jiangsu 17,762 8 42,711 0.42 299 41 59 721,380 68",
    "Sichuan 12,817 6 32,313 0.40 444 89 29 1,138,195 147",
    "Beijing 16,280 7 33,317 0.49 247 37 66 594,721 62",
    "Anhui 4,747 2 13,716 0.35 84 38.5 57 182,818 65",
    "Hubei 9,292 4 22,280 0.42 176 44 53 406,574 68",
    "Shanghai 8,583 4 18,400 0.47 252 74 34 638,448 118",
    "Total 219,826 100 554,159 0.40 4,478 45.5 49 10,000,004 78",
)


class Stack(NamedTuple):
    """Real services with one worker on them, and the settings of all."""

    env: dict[str, str]
    redis: RedisServer
    worker: Worker


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Kafka, Redis and a worker of their own, empty: a log of 2013 would be too old behind one of 2020."""
    broker, redis = Broker(tmp_path / "kafka"), RedisServer(tmp_path / "redis")
    for topic in TOPICS:
        broker.create_topic(topic.name, topic.partitions(4))
    env = {"SUBSIDYWATCH_KAFKA__BOOTSTRAP": broker.bootstrap, "SUBSIDYWATCH_REDIS__URL": redis.url}
    worker = Worker("worker", tmp_path, env)
    yield Stack(env, redis, worker)
    worker.daemon.stop()
    redis.stop()
    broker.stop()


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a verb as a user does and give what it printed."""
    script = Path(sys.executable).with_name("subsidywatch")
    done = subprocess.run(
        [script, *map(str, arguments)], env={**os.environ, **(env or {})}, capture_output=True, check=False
    )
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout.decode()


def live_csv(stack: Stack, records: int, by: str) -> bytes:
    """Wait until the worker has applied so many records, and give `table --csv` of everything."""
    wait_for(lambda: applied(stack.redis) >= records, 90, f"{records} records to be applied")
    return run("table", "--by", by, "--window", "all", "--csv", env=stack.env).encode()


def applied(redis: RedisServer) -> int:
    """Records that the store has taken, of all topics."""

    async def read() -> int:
        store = await RedisStore.connect(RedisSettings(url=redis.url), ZoneInfo("Asia/Shanghai"))
        try:
            return sum(step.next_offset for step in (await store.progress()).values())
        finally:
            await store.close()

    return asyncio.run(read())


def assert_printed(published: str, shown: str) -> None:
    """Find the row in what `table` printed: each of its figures, rounded as published, is the published one."""
    name, *figures = published.split()
    (row,) = [line.split() for line in shown.splitlines() if line.split()[:1] == [name]]
    wanted = [Decimal(figure.replace(",", "")) for figure in figures]
    printed = [
        Decimal(text.strip("%~").replace(",", "")) for text in row if text[:1].isdigit() and text[-1:] not in "hmd"
    ]

    places = [Decimal(1).scaleb(figure.as_tuple().exponent) for figure in wanted]  # type: ignore[arg-type]
    assert wanted == [value.quantize(place, ROUND_HALF_UP) for value, place in zip(printed, places, strict=False)], row


def cells(path: Path, *columns: str) -> Cells:
    """Give some columns of `totals_by_region.csv` per region, regions without any of them left out."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = {row["region"]: tuple(int(row[column]) for column in columns) for row in csv.DictReader(stream)}
    return {region: values for region, values in rows.items() if any(values)}


def expected_ipinyou() -> Cells:
    """Impressions, clicks and spend per adcode, from the log's own sums; ids outside the 31 provinces are unknown."""
    with (LOGS / "cn-provinces" / "provinces.csv").open(encoding="utf-8") as stream:
        codes = {row["ipinyou_region_id"]: row["adcode"] for row in csv.DictReader(stream)}
    out: Cells = {}
    with (LOGS / "ipinyou-adv2821" / "expected_by_region.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            region = "total" if row["ipinyou_region_id"] == "total" else codes.get(row["ipinyou_region_id"], "unknown")
            had = out.get(region, (0, 0, 0))
            row_cells = (int(row["imp_rows"]), int(row["clk_rows"]), 10 * int(row["sum_pay_price"]))
            out[region] = tuple(a + b for a, b in zip(had, row_cells, strict=True))
    return out


def expected_tmall() -> Cells:
    """Order counts and amounts in micros per adcode, from the log's own sums."""
    out: Cells = {}
    with (LOGS / "tmall-orders-202002" / "expected_by_region.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            province = find(row["region"])
            counts = ("orders_placed", "orders_paid", "orders_refunded", "orders_fully_refunded")
            amounts = ("gmv_placed", "gmv_paid", "gmv_net")
            out["total" if province is None else province.adcode] = (
                *(int(row[name]) for name in counts),
                *(int(Decimal(row[name]) * MICROS_PER_UNIT) for name in amounts),
            )
    return out


class Log(NamedTuple):
    """A real log: mapping, files, records it gives, the columns that are known, and where they are known from."""

    mapping: str
    files: tuple[str, ...]
    records: int
    columns: tuple[str, ...]


IPINYOU = Log(
    "ipinyou",
    ("ipinyou-adv2821/imp.csv", "ipinyou-adv2821/clk.csv"),
    7_202 + 279,
    ("impressions", "clicks", "spend_micros"),
)
TMALL = Log(
    "tmall-orders",
    ("tmall-orders-202002/orders.csv",),
    20_621 + 17_693 + 4_255,
    (
        "orders_placed",
        "orders_paid",
        "orders_refunded",
        "orders_fully_refunded",
        "gmv_placed_micros",
        "gmv_paid_micros",
        "gmv_net_micros",
    ),
)
DISTURBED = ("--shuffle", "0.05", "--duplicate", "0.02")
EXPECTED = {IPINYOU.mapping: expected_ipinyou, TMALL.mapping: expected_tmall}


@needs_logs
@pytest.mark.parametrize("disturb", [(), DISTURBED], ids=["as-recorded", "disturbed"])
@pytest.mark.parametrize("log", [IPINYOU, TMALL], ids=["ipinyou", "tmall"])
def test_backtest_of_a_real_log_is_exact(log: Log, disturb: tuple[str, ...], tmp_path: Path) -> None:
    """Totals per region equal the log's own sums: in file order; with 5 % held back and 2 % given twice too."""
    run("backtest", *(LOGS / name for name in log.files), "--mapping", log.mapping, "--out", tmp_path, *disturb)
    summary = json.loads((tmp_path / "summary.json").read_text())

    assert EXPECTED[log.mapping]() == cells(tmp_path / "totals_by_region.csv", *log.columns)
    assert b"" == (tmp_path / "rejected.ndjson").read_bytes()
    assert (log.records, summary["records"] - log.records) == (summary["accepted"], summary["duplicates"])
    assert bool(disturb) == (summary["duplicates"] > log.records // 100)


@needs_logs
@pytest.mark.parametrize("log", [IPINYOU, TMALL], ids=["ipinyou", "tmall"])
def test_live_table_of_a_disturbed_log_is_the_backtest_byte_for_byte(log: Log, stack: Stack, tmp_path: Path) -> None:
    """Replayed with 5 % held back and 2 % twice, `table --csv` gives the bytes of the undisturbed, exact backtest."""
    files = [LOGS / name for name in log.files]
    out = tmp_path / "out"
    run("backtest", *files, "--mapping", log.mapping, "--out", out)
    sent = run("replay", *files, "--mapping", log.mapping, *DISTURBED, env=stack.env)
    records = sum(int(line.split()[-1].replace(",", "")) for line in sent.splitlines())

    assert records > log.records
    for by in ("region", "campaign"):
        assert (out / f"totals_by_{by}.csv").read_bytes() == live_csv(stack, records, by)
    assert EXPECTED[log.mapping]() == cells(out / "totals_by_region.csv", *log.columns)


def test_published_table_through_files_and_kafka(stack: Stack, tmp_path: Path) -> None:
    """The seven rows and the total of `seed-table` are exact in a backtest, and the live table has the same bytes."""
    folder, out = tmp_path / "seed", tmp_path / "out"
    run("simulate", "--scenario", "seed-table", "--out", folder, "--gzip")
    run("backtest", folder, "--out", out, "--tick", "60")
    run("simulate", "--scenario", "seed-table", "--to", "kafka", "--speed", "max", env=stack.env)

    columns = ("spend_micros", "clicks", "direct_orders", "direct_gmv_micros", "total_gmv_micros")
    found = cells(out / "totals_by_region.csv", *columns)
    golden: dict[str, seed_table.Row] = dict(seed_table.GOLDEN.items()) | {"total": seed_table.TOTAL}
    expected = {
        region: (
            row.spend * MICROS_PER_UNIT,
            row.clicks,
            row.orders,
            row.gmv * MICROS_PER_UNIT,
            row.total_gmv * MICROS_PER_UNIT,
        )
        for region, row in golden.items()
    }
    assert expected == {region: found[region] for region in golden}
    records = sum(1 for _ in seed_table.events(1)) + len(seed_table.campaigns())
    for by in ("region", "campaign"):
        assert (out / f"totals_by_{by}.csv").read_bytes() == live_csv(stack, records, by)
    shown = run("table", "--window", "all", "--lang", "en", env={**stack.env, "COLUMNS": "160"})
    for line in PRINTED:
        assert_printed(line, shown)
