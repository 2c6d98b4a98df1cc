"""The business gauges of `serve`: what `table` shows, as Prometheus scrapes it.

```
subsidywatch_region_spend_micros{region="440000",window="today"}   sums are integers, so PromQL can add and divide
subsidywatch_region_roi_direct_ratio{...}                          a ratio of one region; absent while undefined
subsidywatch_campaign_spend_micros{campaign="other",...}           the campaigns beyond the largest ones, together
```

Windows are of event time and end with the newest event, so these are gauges
and not counters: `rate()` over them means nothing. Labels come from closed
sets; campaigns are bounded by `serve.top_campaigns`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from models.errors import ServiceUnavailable
from models.kpis import KPIS, Kpi
from models.regions import by_adcode
from models.totals import COUNTERS, Totals
from models.units import UNKNOWN_REGION
from models.windows import Scope
from streams.ports import Progress, TopicPartition
from streams.readmodel import Table
from streams.settings import Settings
from streams.web.snapshots import Base, Snapshots
from streams.web.state_gauges import state_families

NAMESPACE: Final = "subsidywatch"
GAUGE_WINDOWS: Final = ("1h", "24h", "today", "all")
OTHER: Final = "other"
KEEP_FACTOR: Final = 1.2
"""A campaign keeps its own series until it ranks this much below the limit, so that series do not flicker."""

CAMPAIGN_COUNTERS: Final = ("spend_micros", "clicks", "direct_orders", "direct_gmv_micros", "total_gmv_micros")
"""Fewer than of regions: full detail of every campaign is in the read API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeData:
    """What one scrape shows."""

    base: Base
    progress: Mapping[TopicPartition, Progress]
    regions: Mapping[str, Table]
    campaigns: Mapping[str, Table]


class TopCampaigns:
    """Chooses which campaigns have series of their own, with hysteresis."""

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` campaigns."""
        self._limit = limit
        self._kept: set[str] = set()

    def choose(self, ranked: list[str]) -> set[str]:
        """Give the campaigns to name.

        Args:
            ranked: all campaigns, largest first.
        """
        near = ranked[: int(self._limit * KEEP_FACTOR)]
        kept = [campaign for campaign in near if campaign in self._kept][: self._limit]
        for campaign in ranked[: self._limit]:
            if len(kept) >= self._limit:
                break
            if campaign not in kept:
                kept.append(campaign)
        self._kept = set(kept)
        return self._kept


class ServeMetrics:
    """Everything `serve` exposes at /metrics, read anew for each scrape through the shared snapshots."""

    def __init__(self, settings: Settings, snapshots: Snapshots) -> None:
        """Prepare a registry of its own; nothing is read yet."""
        self._snapshots = snapshots
        self._top = TopCampaigns(settings.serve.top_campaigns)
        self._business = _Business()
        self._registry = CollectorRegistry()
        self._registry.register(self._business)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    async def render(self, streams: int) -> bytes:
        """Read the store and give the exposition; with the store away, only what this process knows of itself.

        Args:
            streams: live pages open now.
        """
        try:
            data: GaugeData | None = await self._read()
        except ServiceUnavailable:
            data = None
        families = [
            _gauge("serve_store_up", "1 while the store can be read.", 0 if data is None else 1),
            _gauge("serve_streams", "Live pages open now.", streams),
        ]
        self._business.families = families + ([] if data is None else list(business_families(data, self._top)))
        return generate_latest(self._registry)

    async def _read(self) -> GaugeData:
        base = await self._snapshots.base()
        return GaugeData(
            base=base,
            progress=await self._snapshots.progress(),
            regions={window: await self._snapshots.table(Scope.REGION, window) for window in GAUGE_WINDOWS},
            campaigns={window: await self._snapshots.table(Scope.CAMPAIGN, window) for window in GAUGE_WINDOWS},
        )


class _Business(Collector):
    """Hands out what the last scrape read; filled and collected without a pause in between."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        yield from self.families


def business_families(data: GaugeData, top: TopCampaigns) -> Iterator[Metric]:
    """Give every business gauge for one scrape."""
    regions = {window: _by_region(table) for window, table in data.regions.items()}
    yield from _counter_families("region", COUNTERS, regions)
    yield from _kpi_families("region", regions)
    yield from _counter_families("campaign", CAMPAIGN_COUNTERS, _by_campaign(data.campaigns, top))
    yield from state_families(data.base, data.progress)


def _by_region(table: Table) -> dict[str, Totals]:
    """Give sums by region; codes that are no province stand together as unknown, so labels stay a closed set."""
    cells: dict[str, Totals] = {}
    for row in table.rows:
        region = row.member if by_adcode(row.member) else UNKNOWN_REGION
        cells[region] = cells.get(region, Totals()) + row.totals
    return cells


def _by_campaign(tables: Mapping[str, Table], top: TopCampaigns) -> dict[str, dict[str, Totals]]:
    """Name the campaigns that spent most over the longest window; the rest is `other`."""
    named = top.choose([row.member for row in tables["all"].rows])
    windows: dict[str, dict[str, Totals]] = {}
    for window, table in tables.items():
        cells = {row.member: row.totals for row in table.rows if row.member in named}
        rest = [row.totals for row in table.rows if row.member not in named]
        if rest:
            cells[OTHER] = cells.get(OTHER, Totals()) + Totals.sum(rest)
        windows[window] = cells
    return windows


def _counter_families(
    scope: str, counters: tuple[str, ...], windows: Mapping[str, Mapping[str, Totals]]
) -> Iterator[Metric]:
    for counter in counters:
        unit = " in micros of the account currency" if counter.endswith("_micros") else ""
        family = GaugeMetricFamily(
            f"{NAMESPACE}_{scope}_{counter}",
            f"Sum of {counter} over a window of event time{unit}.",
            labels=(scope, "window"),
        )
        for window, cells in windows.items():
            for member, totals in cells.items():
                family.add_metric((member, window), getattr(totals, counter))
        yield family


def _kpi_families(scope: str, windows: Mapping[str, Mapping[str, Totals]]) -> Iterator[Metric]:
    for kpi in KPIS:
        family = GaugeMetricFamily(
            f"{NAMESPACE}_{scope}_{kpi_metric(kpi)}",
            f"{kpi.help} Over a window of event time; absent while undefined.",
            labels=(scope, "window"),
        )
        for window, cells in windows.items():
            for member, totals in cells.items():
                if (value := kpi.compute(totals)) is not None:
                    family.add_metric((member, window), float(value))
        yield family


def kpi_metric(kpi: Kpi) -> str:
    """Name a KPI's gauge by its unit: `cpc_currency`, `roi_direct_ratio`."""
    return f"{kpi.name}_{'ratio' if kpi.unit == 'ratio' else 'currency'}"


def _gauge(name: str, text: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"{NAMESPACE}_{name}", text)
    family.add_metric((), value)
    return family
