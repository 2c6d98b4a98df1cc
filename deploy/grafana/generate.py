"""Writes the Grafana dashboards (`make contracts`); the JSON is committed, and a test finds it as generated.

A panel is one row of a table below. Every query is bound to the variables `job` and `instance`, every rate uses
`$__rate_interval`, so the same dashboard fits any scrape interval and any number of workers.
"""

import json
import sys
from pathlib import Path
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import DataSourceRef, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, VariableRefresh, VariableSort

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
ME: Final = 'job=~"$job",instance=~"$instance"'
WORKER: Final = "subsidywatch_worker"
BUILDERS: Final = {
    "lines": timeseries.Panel,
    "number": stat.Panel,
    "bars": bargauge.Panel,
    "table": table.Panel,
}


class Chart(NamedTuple):
    """One panel: `queries` are (expression, legend); `unit` is Grafana's name of it; `width` in 24ths."""

    title: str
    description: str
    kind: str
    unit: str
    width: int
    queries: tuple[tuple[str, str], ...]


WORKER_CHARTS: Final = (
    Chart(
        "Workers ready",
        "Workers from which data flow now. Fewer than there are processes: see /readyz of the missing one.",
        "number",
        "short",
        4,
        ((f"sum({WORKER}_ready{{{ME}}})", "ready"),),
    ),
    Chart(
        "Partitions assigned",
        "Partitions read by all workers together; should equal the partitions of all input topics.",
        "number",
        "short",
        4,
        ((f"sum({WORKER}_assigned_partitions{{{ME}}})", "assigned"),),
    ),
    Chart(
        "Records behind",
        "End of the log minus first offset not applied to the store, all partitions together.",
        "number",
        "short",
        4,
        ((f"sum({WORKER}_lag_records{{{ME}}})", "behind"),),
    ),
    Chart(
        "Records per second",
        "Records read and settled, by topic; dead letters included.",
        "lines",
        "cps",
        12,
        ((f"sum by (topic) (rate({WORKER}_records_total{{{ME}}}[$__rate_interval]))", "{{topic}}"),),
    ),
    Chart(
        "Lag by topic",
        "Records not applied yet. A line that keeps rising means more comes in than is read.",
        "lines",
        "short",
        12,
        ((f"sum by (topic) ({WORKER}_lag_records{{{ME}}})", "{{topic}}"),),
    ),
    Chart(
        "Time to settle a slice",
        "Median and 99th percentile of one slice: decode, sum up, one atomic write; retries included.",
        "lines",
        "s",
        12,
        tuple(
            (
                f"histogram_quantile({q}, sum by (le) "
                f"(rate({WORKER}_slice_duration_seconds_bucket{{{ME}}}[$__rate_interval])))",
                name,
            )
            for q, name in ((0.5, "median"), (0.99, "99 %"))
        ),
    ),
    Chart(
        "Slices by outcome",
        "applied: counted. fenced: another worker owns the partition. gap: read again. dropped: partition was revoked.",
        "lines",
        "cps",
        12,
        ((f"sum by (outcome) (rate({WORKER}_slices_total{{{ME}}}[$__rate_interval]))", "{{outcome}}"),),
    ),
    Chart(
        "Calls repeated",
        "Retries because Kafka or Redis was away. Anything above zero for long is an outage of that service.",
        "lines",
        "cps",
        12,
        ((f"sum by (service) (rate({WORKER}_retries_total{{{ME}}}[$__rate_interval]))", "{{service}}"),),
    ),
    Chart(
        "Refused and lost",
        "Slices refused by the fence, and offsets the log dropped before they were read. Lost must stay at zero.",
        "lines",
        "cps",
        12,
        (
            (f"sum(rate({WORKER}_fenced_total{{{ME}}}[$__rate_interval]))", "refused by the fence"),
            (f"sum(rate({WORKER}_lost_records_total{{{ME}}}[$__rate_interval]))", "lost"),
        ),
    ),
    Chart(
        "Decide line",
        "Runs per second of the decide line, runs put off because a service was away, and decisions made.",
        "lines",
        "cps",
        12,
        (
            (f"sum(rate({WORKER}_decide_duration_seconds_count{{{ME}}}[$__rate_interval]))", "runs"),
            (f"sum(rate({WORKER}_decide_failures_total{{{ME}}}[$__rate_interval]))", "put off"),
            (f"sum(rate({WORKER}_decisions_total{{{ME}}}[$__rate_interval]))", "decisions"),
        ),
    ),
    Chart(
        "Rebalances and commits",
        "Times partitions were claimed, and offset commits by outcome; refused ones belong to rebalances.",
        "lines",
        "cps",
        12,
        (
            (f"sum(rate({WORKER}_assignments_total{{{ME}}}[$__rate_interval]))", "claimed"),
            (f"sum by (outcome) (rate({WORKER}_commits_total{{{ME}}}[$__rate_interval]))", "commit {{outcome}}"),
        ),
    ),
)


def variables(seed_metric: str) -> list[Builder]:
    """Data source, job and instance; `seed_metric` is one that every wanted process exposes."""
    source = dashboard.DatasourceVariable("datasource").label("Data Source").type("prometheus")
    job = _labels("job", f"label_values({seed_metric}, job)")
    instance = _labels("instance", f'label_values({seed_metric}{{job=~"$job"}}, instance)')
    return [source, job, instance]


def panel(number: int, chart: Chart) -> Builder[Panel]:
    """One row of a table as a panel."""
    built = BUILDERS[chart.kind]().id(number).title(chart.title).description(chart.description).unit(chart.unit)
    built = built.datasource(SOURCE).span(chart.width).height(8 if chart.kind != "number" else 5)
    if chart.kind == "lines":
        legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
        built = built.legend(legend.placement(LegendPlacement.BOTTOM)).min(0)
    for letter, (expression, words) in zip("ABCDEFGH", chart.queries, strict=False):
        query = prometheus.Dataquery().expr(expression).legend_format(words).ref_id(letter)
        query = query.datasource(SOURCE)
        built = built.with_target(query.range() if chart.kind == "lines" else query.instant())
    return built


def board(uid: str, title: str, description: str, seed_metric: str, charts: tuple[Chart, ...]) -> Dashboard:
    """A dashboard out of a table of charts."""
    built = dashboard.Dashboard(title).uid(uid).description(description).tags(["subsidywatch"]).readonly()
    built = built.time("now-1h", "now").refresh("10s").timezone("browser")
    for variable in variables(seed_metric):
        built = built.with_variable(variable)
    for number, chart in enumerate(charts, start=1):
        built = built.with_panel(panel(number, chart))
    return built.build()


def dashboards() -> dict[str, Dashboard]:
    """File name -> dashboard, all of them."""
    return {
        "worker.json": board(
            "subsidywatch-worker",
            "subsidywatch: flow",
            "Whether events flow from Kafka into the totals, and how fast. Times are wall clock.",
            f"{WORKER}_ready",
            WORKER_CHARTS,
        ),
    }


def main(folder: Path) -> None:
    """Write every dashboard below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, built in dashboards().items():
        text = json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def _labels(name: str, query: str) -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(name).query(query).datasource(SOURCE)
    variable = variable.multi(True).include_all(True).all_value(".+")
    return variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("dashboards"))
