"""Dashboards are as generated, obey the rules that Grafana's own linter has, and use only metrics that we declare."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.telemetry import Telemetry

FOLDER = Path(__file__).resolve().parents[2] / "deploy"
BOARDS = sorted((FOLDER / "grafana/dashboards").glob("*.json"))
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created", "")
UNITS = {"short", "cps", "s", "percentunit", "currencyCNY", "dateTimeFromNow", "bool", "none"}
Json = dict[str, Any]


@pytest.fixture(params=BOARDS, ids=lambda path: path.stem)
def board(request: pytest.FixtureRequest) -> Json:
    """One committed dashboard."""
    loaded: Json = json.loads(request.param.read_text(encoding="utf-8"))
    return loaded


def variables(board: Json) -> Iterator[Json]:
    """Template variables."""
    yield from board["templating"]["list"]


def queries(board: Json) -> Iterator[tuple[str, str]]:
    """Panel title and expression of each query."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def plain(expression: str) -> str:
    """The expression as Prometheus sees it, with Grafana's variables filled in."""
    return expression.replace("$__rate_interval", "1m").replace("$job", ".+").replace("$instance", ".+")


def declared() -> set[str]:
    """Every sample name that our processes may expose."""
    registry = CollectorRegistry()
    Telemetry(registry)
    families = {metric.name for metric in registry.collect()}
    return {family + suffix for family in families for suffix in SUFFIXES}


def recorded() -> dict[str, str]:
    """Recording rules: name -> expression."""
    groups = yaml.safe_load((FOLDER / "prometheus/recording.yml").read_text())["groups"]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


def ours(expression: str) -> set[str]:
    """Our metric and record names in an expression."""
    return set(re.findall(r"\b(?:\w+:)?subsidywatch_\w+(?::\w+)?", expression))


def test_committed_json_is_what_the_source_writes(tmp_path: Path) -> None:
    """`make contracts` changes nothing."""
    spec = importlib.util.spec_from_file_location("generate_dashboards", FOLDER / "grafana/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    module.main(tmp_path)

    assert {path.name: path.read_text() for path in BOARDS} == {
        path.name: path.read_text() for path in tmp_path.iterdir()
    }


def test_dashboard_cannot_drift_in_the_browser(board: Json) -> None:
    """Not editable, with an id that links can rely on."""
    assert (False, True) == (board["editable"], board["uid"].startswith("subsidywatch-"))


def test_variables_follow_the_convention(board: Json) -> None:
    """Data source, job and instance are templates with the usual labels; lists reload when the time range changes."""
    found = {item["name"]: item for item in variables(board)}

    assert ["datasource", "job", "instance"] == list(found)
    assert "Data Source" == found["datasource"]["label"]
    assert [("job", True, ".+", 2), ("instance", True, ".+", 2)] == [
        (item["label"], item["multi"], item["allValue"], item["refresh"]) for item in list(found.values())[1:]
    ]


def test_every_panel_explains_itself(board: Json) -> None:
    """Title, description, a unit, the templated data source and at least one query."""
    lacking = [
        panel.get("title")
        for panel in board["panels"]
        if not (panel["title"] and panel["description"] and panel["targets"])
        or panel["datasource"]["uid"] != "${datasource}"
        or panel["fieldConfig"]["defaults"]["unit"] not in UNITS
    ]

    assert [] == lacking


def test_every_query_is_valid_and_bound(board: Json) -> None:
    """PromQL parses, and both template variables are matched by every selector of ours."""
    unbound = [
        (title, expression)
        for title, expression in queries(board)
        if len(re.findall(r"subsidywatch_\w+", expression)) != expression.count('job=~"$job",instance=~"$instance"')
    ]
    for _, expression in queries(board):
        promql_parser.parse(plain(expression))

    assert [] == unbound


def test_counters_are_read_as_rates(board: Json) -> None:
    """A `_total` stands only inside rate, irate or increase, and over `$__rate_interval`."""
    wrong = [
        (title, expression)
        for title, expression in queries(board)
        if expression.count("_total{") + expression.count("_count{") + expression.count("_bucket{")
        != len(re.findall(r"(?:rate|increase)\(subsidywatch_\w+\{[^}]*\}\[\$__rate_interval\]\)", expression))
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
    """A record is read by an alert or by another record."""
    text = (FOLDER / "prometheus/alerts.yml").read_text()

    assert [] == [name for name in recorded() if name not in text]


def test_every_metric_is_shown_or_alerted_on() -> None:
    """A metric nobody looks at is a cost; those kept for ad-hoc questions are named here."""
    kept_for_questions = {"subsidywatch_worker_next_offset"}
    registry = CollectorRegistry()
    Telemetry(registry)
    text = "".join(path.read_text() for path in [*BOARDS, *(FOLDER / "prometheus").glob("*.yml")])

    assert kept_for_questions == {metric.name for metric in registry.collect() if metric.name not in text}


def test_exposition_is_parseable() -> None:
    """What the worker exposes at birth is valid, and every metric says what it is."""
    registry = CollectorRegistry()
    Telemetry(registry)

    families = list(text_string_to_metric_families(generate_latest(registry).decode()))

    assert [] == [family.name for family in families if not family.documentation.endswith(".")]
