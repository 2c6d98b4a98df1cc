"""Writes the Grafana dashboards (`make contracts`); the JSON is committed, and a test finds it as generated.

A panel is one row of the tables in `flow_charts` and `region_charts`. Every query is bound to the variables `job` and
`instance`, every rate uses `$__rate_interval`, so the same dashboard fits any scrape interval and any number of
processes.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import DataSourceRef, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DataTransformerConfig,
    Panel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from chart import Chart
from flow_charts import FLOW_CHARTS
from region_charts import REGION_CHARTS, WINDOWS

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
BUILDERS: Final[dict[str, Callable[[], Any]]] = {
    "lines": timeseries.Panel,
    "number": stat.Panel,
    "bars": bargauge.Panel,
    "table": table.Panel,
}


def variables(seed_metric: str) -> list[Builder[VariableModel]]:
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
        if chart.kind == "table":
            query = query.format(PromQueryFormat.TABLE)
        built = built.with_target(query.range() if chart.kind == "lines" else query.instant())
    done: Builder[Panel] = built.transformations(_joined(chart)) if chart.kind == "table" else built
    return done


def board(
    uid: str, title: str, description: str, seed_metric: str, charts: tuple[Chart, ...], windows: tuple[str, ...] = ()
) -> Dashboard:
    """A dashboard out of a table of charts; with `windows` it has a choice of them."""
    built = dashboard.Dashboard(title).uid(uid).description(description).tags(["subsidywatch"]).readonly()
    built = built.time("now-1h", "now").refresh("10s").timezone("browser")
    for variable in variables(seed_metric):
        built = built.with_variable(variable)
    if windows:
        built = built.with_variable(_choice("window", windows))
    for number, chart in enumerate(charts, start=1):
        built = built.with_panel(panel(number, chart))
    return built.build()


def dashboards() -> dict[str, Dashboard]:
    """File name -> dashboard, all of them."""
    return {
        "flow.json": board(
            "subsidywatch-flow",
            "subsidywatch: flow",
            "Whether events flow from Kafka into the totals, and how fast. Times are wall clock.",
            "subsidywatch_worker_ready",
            FLOW_CHARTS,
        ),
        "regions.json": board(
            "subsidywatch-regions",
            "subsidywatch: regions and decisions",
            "What was spent and what came back, over windows of event time that end with the newest event. "
            "Prometheus keeps what was true at each scrape: late events correct the present, not the past.",
            "subsidywatch_serve_store_up",
            REGION_CHARTS,
            WINDOWS,
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


def _choice(name: str, values: tuple[str, ...]) -> dashboard.CustomVariable:
    first = VariableOption(text=values[0], value=values[0], selected=True)
    return dashboard.CustomVariable(name).label(name).values(",".join(values)).current(first)


def _joined(chart: Chart) -> list[DataTransformerConfig]:
    """One row per label set, one column per query, the columns named by their legends."""
    names = {f"Value #{letter}": words for letter, (_, words) in zip("ABCDEFGH", chart.queries, strict=False)}
    hidden = {"Time": True}
    return [
        DataTransformerConfig(id_val="merge", options={}),
        DataTransformerConfig(id_val="organize", options={"renameByName": names, "excludeByName": hidden}),
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("dashboards"))
