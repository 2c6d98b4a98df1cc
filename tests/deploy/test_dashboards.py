"""Dashboards are as generated, obey the rules that Grafana's own linter has, and use only metrics that we declare."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

import exposed
import generate

FOLDER = Path(__file__).resolve().parents[2] / "deploy"
BOARDS = sorted((FOLDER / "grafana/dashboards").glob("*.json"))
RULES = sorted((FOLDER / "prometheus").glob("*.yml"))
UNITS = {"short", "cps", "s", "currencyCNY", "none"}
BOUND = 'job=~"$job",instance=~"$instance"'
Json = dict[str, Any]

FOR_QUESTIONS = (
    "subsidywatch_worker_next_offset",
    "subsidywatch_fence_",
    "subsidywatch_region_",
    "subsidywatch_campaign_",
)
"""Kept for people's own questions; the sums and ratios of every region and campaign are more than any panel shows."""


@pytest.fixture(params=BOARDS, ids=lambda path: path.stem)
def board(request: pytest.FixtureRequest) -> Json:
    """One committed dashboard."""
    loaded: Json = json.loads(request.param.read_text(encoding="utf-8"))
    return loaded


def queries(board: Json) -> Iterator[tuple[str, str]]:
    """Panel title and expression of each query."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def plain(expression: str) -> str:
    """The expression as Prometheus sees it, with Grafana's variables filled in."""
    for variable, value in {"$__rate_interval": "1m", "$job": ".+", "$instance": ".+", "$window": "today"}.items():
        expression = expression.replace(variable, value)
    return expression


def declared() -> set[str]:
    """Every sample name that our processes may expose."""
    return {name for metric in [*exposed.worker(), *exposed.serve()] for name in metric.samples}


def recorded() -> dict[str, str]:
    """Recording rules: name -> expression."""
    groups = yaml.safe_load((FOLDER / "prometheus/recording.yml").read_text())["groups"]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


def ours(expression: str) -> set[str]:
    """Our metric and record names in an expression."""
    return set(re.findall(r"\b(?:\w+:)?subsidywatch_\w+(?::\w+)?", expression))


def test_committed_json_is_what_the_source_writes(tmp_path: Path) -> None:
    """`make contracts` changes nothing."""
    generate.main(tmp_path)

    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert {path.name: path.read_text(encoding="utf-8") for path in BOARDS} == written


def test_dashboard_cannot_drift_in_the_browser(board: Json) -> None:
    """Not editable, with an id that links can rely on."""
    assert (False, True) == (board["editable"], board["uid"].startswith("subsidywatch-"))


def test_variables_follow_the_convention(board: Json) -> None:
    """Data source, job and instance are templates with the usual labels; lists reload when the time range changes."""
    found = {item["name"]: item for item in board["templating"]["list"]}

    assert {"datasource", "job", "instance"} == set(found) - {"window"}
    assert "Data Source" == found["datasource"]["label"]
    assert [("job", True, ".+", 2), ("instance", True, ".+", 2)] == [
        (item["label"], item["multi"], item["allValue"], item["refresh"]) for item in (found["job"], found["instance"])
    ]


def test_every_panel_explains_itself(board: Json) -> None:
    """Title, description, a known unit, the templated data source and at least one query."""
    lacking = [
        panel.get("title")
        for panel in board["panels"]
        if not (panel["title"] and panel["description"] and panel["targets"])
        or panel["datasource"]["uid"] != "${datasource}"
        or panel["fieldConfig"]["defaults"]["unit"] not in UNITS
    ]

    assert [] == lacking


def test_panels_fill_rows_of_the_grid(board: Json) -> None:
    """No panel overlaps another or leaves the 24 columns."""
    taken = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + line)
        for panel in board["panels"]
        for column in range(panel["gridPos"]["w"])
        for line in range(panel["gridPos"]["h"])
    ]

    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < 24


def test_every_query_is_valid_and_bound(board: Json) -> None:
    """PromQL parses, and both template variables are matched by every selector of ours."""
    for _, expression in queries(board):
        promql_parser.parse(plain(expression))

    unbound = [
        title for title, query in queries(board) if len(re.findall(r"subsidywatch_\w+", query)) != query.count(BOUND)
    ]
    assert [] == unbound


def test_counters_are_read_as_rates(board: Json) -> None:
    """A counter stands only inside rate or increase, and over `$__rate_interval`."""
    wrong = [
        (title, query)
        for title, query in queries(board)
        if len(re.findall(r"_(?:total|count|bucket)\{", query))
        != len(re.findall(r"(?:rate|increase)\(subsidywatch_\w+\{[^}]*\}\[\$__rate_interval\]\)", query))
    ]

    assert [] == wrong


def test_dashboards_use_only_declared_metrics(board: Json) -> None:
    """A misspelt or dropped metric would be an empty panel."""
    used = {name for _, expression in queries(board) for name in ours(expression)}

    assert set() == used - declared()


def test_rules_use_only_declared_metrics() -> None:
    """Recording and alerting rules stand on metrics we declare or on records we make."""
    groups = yaml.safe_load((FOLDER / "prometheus/alerts.yml").read_text())["groups"]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]] + list(recorded().values())

    used = {name for expression in expressions for name in ours(expression)}

    assert set() == used - declared() - set(recorded())


def test_no_recording_rule_is_useless() -> None:
    """A record is read by an alert."""
    text = (FOLDER / "prometheus/alerts.yml").read_text()

    assert [] == [name for name in recorded() if name not in text]


def test_every_metric_is_shown_or_alerted_on() -> None:
    """A metric nobody looks at is a cost, but for those that are named here."""
    text = "".join(path.read_text(encoding="utf-8") for path in [*BOARDS, *RULES])
    known = {*exposed.worker(), *exposed.serve()}

    unseen = {metric.name for metric in known if not any(name in text for name in metric.samples)}

    assert {"subsidywatch_rules_info"} == {name for name in unseen if not name.startswith(FOR_QUESTIONS)}


def test_every_metric_says_what_it_is() -> None:
    """Help texts are sentences."""
    assert [] == [metric.name for metric in [*exposed.worker(), *exposed.serve()] if not metric.text.endswith(".")]
