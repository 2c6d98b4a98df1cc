"""Prometheus files: valid, each alert tested both ways, each with a page in the runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

Rules = list[dict[str, Any]]


@pytest.fixture(scope="module")
def folder(project_root: Path) -> Path:
    """Where the Prometheus files are."""
    return project_root / "deploy/prometheus"


@pytest.fixture(scope="module")
def alerts(folder: Path) -> Rules:
    """All alerts."""
    groups = yaml.safe_load((folder / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.integration
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "recording.yml", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ],
    ids=" ".join,
)
def test_promtool_is_content(arguments: list[str], folder: Path, promtool: Path) -> None:
    """Syntax, lint and the drawn cases of every alert."""
    done = subprocess.run([promtool, *arguments], cwd=folder, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_alert_has_a_firing_and_a_quiet_case(alerts: Rules, folder: Path) -> None:
    """An alert that was never seen firing may never fire; one never seen quiet may never stop."""
    cases: dict[str, set[str]] = {}
    for test in yaml.safe_load((folder / "alerts_test.yml").read_text())["tests"]:
        for case in test["alert_rule_test"]:
            cases.setdefault(case["alertname"], set()).add("firing" if case["exp_alerts"] else "quiet")

    expected = {rule["alert"]: {"firing", "quiet"} for rule in alerts} | {"Watchdog": {"firing"}}
    assert expected == cases


def test_every_alert_says_what_it_means_and_where_to_read_on(alerts: Rules) -> None:
    """Severity, summary, description and a runbook page are there."""
    needed = {"summary", "description", "runbook_url"}

    lacking = [
        rule["alert"] for rule in alerts if not needed <= set(rule["annotations"]) or "severity" not in rule["labels"]
    ]

    assert [] == lacking


def test_runbook_has_exactly_the_alerts(alerts: Rules, project_root: Path) -> None:
    """Every link leads to a heading, and no heading outlives its alert."""
    headings = re.findall(r"^## (\w+)$", (project_root / "deploy/runbook.md").read_text(), re.MULTILINE)

    assert [rule["alert"] for rule in alerts] == headings
    assert [f"deploy/runbook.md#{name.lower()}" for name in headings] == [
        rule["annotations"]["runbook_url"] for rule in alerts
    ]
