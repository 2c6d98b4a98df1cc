"""Business gauges: top campaigns, closed label sets, undefined ratios."""

from models.totals import Totals
from models.units import EpochMs
from models.windows import Scope
from streams.gauges import GAUGE_WINDOWS, GaugeData, TopCampaigns, business_families
from streams.readlog import Feed
from streams.readmeta import Meta
from streams.readmodel import Table, build
from streams.readstatus import Decided
from streams.web.snapshots import Base


def samples(regions: dict[str, Totals], campaigns: dict[str, Totals], top: int = 50) -> dict[str, dict[str, float]]:
    """Give name and first label of every gauge over the window `all`."""
    meta = Meta(
        now=EpochMs(5),
        head=None,
        watermark=None,
        last_write=None,
        records=0,
        tallies={
            "rejected:clicks:not_json": 3,
            "late_by:orders:5m": 2,
            "late:attribution": 4,
            "forgotten:lines": 5,
            "delay:4h": 6,
            "late_by:orders:3m": 9,
        },
        mode="dry_run",
        killed=True,
        category="phone",
        config_hash="c0",
    )
    base = Base(meta=meta, decided=Decided(position=None, statuses={}), feed=Feed(), names={}, rate=None)

    def tables(cells: dict[str, Totals], by: Scope) -> dict[str, Table]:
        return {window: build(cells, by, window, None, None, {}) for window in GAUGE_WINDOWS}

    data = GaugeData(
        base=base, progress={}, regions=tables(regions, Scope.REGION), campaigns=tables(campaigns, Scope.CAMPAIGN)
    )
    found: dict[str, dict[str, float]] = {}
    for family in business_families(data, TopCampaigns(top)):
        for sample in family.samples:
            if sample.labels.get("window", "all") == "all":
                key = next(iter(sample.labels.values()), "")
                found.setdefault(sample.name, {})[key] = sample.value
    return found


def test_sums_are_exact_and_ratios_absent_while_undefined() -> None:
    """Without clicks there is no CPC series, not a zero."""
    found = samples({"440000": Totals(spend_micros=25_571_000_001)}, {})

    assert {"440000": 25_571_000_001} == found["subsidywatch_region_spend_micros"]
    assert {"440000": 0} == found["subsidywatch_region_roi_direct_ratio"]
    assert "subsidywatch_region_cpc_currency" not in found


def test_the_capped_roi_stands_beside_the_exact_one() -> None:
    """One huge order moves the one and not the other."""
    totals = Totals(spend_micros=10, total_gmv_micros=900, total_capped_micros=120, capped_orders=1)

    found = samples({"440000": totals}, {})

    assert {"440000": 90} == found["subsidywatch_region_roi_total_ratio"]
    assert {"440000": 12} == found["subsidywatch_region_roi_total_capped_ratio"]
    assert {"440000": 1} == found["subsidywatch_region_capped_orders"]


def test_campaigns_beyond_the_limit_are_one_series() -> None:
    """A million campaign ids leave the number of series as it is, and the sum too."""
    campaigns = {f"c{i}": Totals(spend_micros=1_000 - i) for i in range(500)}

    found = samples({}, campaigns, top=3)["subsidywatch_campaign_spend_micros"]

    assert {"c0", "c1", "c2", "other"} == set(found)
    assert sum(1_000 - i for i in range(500)) == sum(found.values())


def test_a_campaign_keeps_its_series_near_the_limit() -> None:
    """Series do not flicker when two campaigns change places."""
    top = TopCampaigns(5)
    top.choose(["a", "b", "c", "d", "e", "f"])

    assert {"a", "b", "c", "d", "e"} == top.choose(["a", "b", "c", "d", "f", "e"])
    assert "f" in top.choose(["a", "b", "f", "x", "y", "z", "e"])


def test_codes_that_are_no_province_stand_together() -> None:
    """The region label is a closed set whatever is stored."""
    found = samples({"999999": Totals(clicks=1), "unknown": Totals(clicks=2)}, {})

    assert {"unknown": 3} == found["subsidywatch_region_clicks"]


def test_refused_records_and_the_switch_are_shown() -> None:
    """What was never decided has no time, but the switch is always known."""
    found = samples({}, {})

    assert {"clicks": 3} == found["subsidywatch_rejected_records"]
    assert {"orders": 2} == found["subsidywatch_late_by_records"]  # a class of another version is not shown
    assert {"attribution": 4} == found["subsidywatch_late_attributions"]
    assert {"lines": 5} == found["subsidywatch_forgotten_visits"]
    assert {"4h": 6} == found["subsidywatch_credited_orders"]
    assert {"": 1} == found["subsidywatch_kill_switch_on"]
    assert "subsidywatch_event_head_timestamp_seconds" not in found
