"""Mapping files themselves: wrong ones say where, ready ones read their logs."""

import json
from pathlib import Path

import pytest

from cases.mapped import CLICKS, NOW, bodies, records
from models.errors import InputFileError
from streams.files.mapping_file import read_mapping, shipped
from streams.files.recorded import Recording


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'type = { column = "kind", values = { c = "click", i = "impression" } }',
            'type = "klick"',
            "not an event type",
        ),
        ("spend_micros", "spent_micros", "'spent_micros' is not a field"),
        ('constant = "k1"', 'constant = "k1", column = "id"', "exactly one of column"),
        ('zone = "Asia/Shanghai"', 'zone = "Asia/Xanadu"', "not a time zone"),
        (', zone = "Asia/Shanghai"', "", "name a zone"),
        ('unit = "0.01"', 'unit = "a cent"', "unit is a decimal number"),
        ('lookup = "places"', 'lookup = "spaces"', "uses the lookup 'spaces'"),
        ('encoding = "gb18030"', 'encoding = "klingon"', "not an encoding"),
        ("[file]", "[flie]", "wrong at flie"),
        ("[file]", "[file", "not TOML"),
        ('"%Y-%m-%d %H:%M:%S", zone = "Asia/Shanghai"', '"soon"', "epoch_s, epoch_ms, iso"),
    ],
)
def test_wrong_mapping_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each mistake is one sentence, before any row is read."""
    assert old in CLICKS

    with pytest.raises(InputFileError, match=message):
        records(tmp_path, CLICKS.replace(old, new), b"")


def test_missing_mapping_names_the_ready_ones(tmp_path: Path) -> None:
    """A name that is neither file nor ready mapping is answered with the list."""
    assert ["ipinyou", "tmall-orders"] == shipped()
    with pytest.raises(InputFileError, match="ready ones are ipinyou, tmall-orders"):
        read_mapping(Path("nothing"))
    with pytest.raises(InputFileError, match="cannot read the mapping"):
        read_mapping(tmp_path / "nothing.toml")


def test_ready_ipinyou_mapping(tmp_path: Path) -> None:
    """An impression costs its price / 100,000 yuan, a click nothing; regions outside the programme are unknown."""
    (tmp_path / "log.csv").write_text(
        "bid_id,ts,log_type,ipinyou_id,region_id,city_id,ad_exchange,creative_id,pay_price,advertiser_id\n"
        "b1,20131021192300738,1,u1,216,217,1,10722,201,2821\n"
        "b1,20131021192301738,2,u1,394,0,1,10722,201,2821\n",
        encoding="utf-8",
    )

    first, second = Recording([tmp_path / "log.csv"], Path("ipinyou"), NOW)
    shown, clicked = json.loads(first.value), json.loads(second.value)

    assert ("ads.impressions.v1", "440000", 2_010, 1_382_354_580_738) == (
        first.topic,
        shown["region"],
        shown["spend_micros"],
        shown["at"],
    )
    assert ("ads.clicks.v1", "unknown", 0) == (second.topic, clicked["region"], clicked["spend_micros"])


def test_ready_tmall_mapping(tmp_path: Path) -> None:
    """A row gives placed, and paid and refunded where they happened, with all amounts exact."""
    (tmp_path / "log.csv").write_text(
        "订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额\n"
        "1,178.8,0.0,上海,2020-02-21 00:00:00,,0.0\n"
        "2,21.0,1.5,内蒙古自治区,2020-02-20 23:59:54,2020-02-21 00:00:02,19.5\n",
        encoding="utf-8",
    )

    found = bodies(list(Recording([tmp_path / "log.csv"], Path("tmall-orders"), NOW)))

    assert [
        ("1-placed", "310000", 178_800_000, None, None),
        ("2-placed", "150000", 21_000_000, None, None),
        ("2-paid", "150000", 21_000_000, 21_000_000, None),
        ("2-refunded", "150000", 21_000_000, None, 19_500_000),
    ] == [
        (
            body["event_id"],
            body["region"],
            body["amount_micros"],
            body.get("paid_micros"),
            body.get("refund_micros"),
        )
        for body in found
    ]
