"""Alerts: each has an entry in the runbook, asks for metrics that exist, and is tested to fire and to be silent."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.telemetry import names
from tests.paths import ROOT

FOLDER = ROOT / "docker" / "prometheus"
RULES = FOLDER / "rules" / "attribution.yml"
UNIT_TESTS = FOLDER / "tests" / "attribution_test.yml"
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule
]
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
OTHERS = {"up"}  # metrics of Prometheus itself
SUFFIX = re.compile(r"_(bucket|count|sum)$")


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    assert found, "promtool is not installed: run `make system`"
    return found


@each_alert
def test_the_runbook_says_what_to_do(alert: dict[str, Any]) -> None:
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    sections = re.split(r"^## ", (ROOT / page).read_text(), flags=re.MULTILINE)
    (section,) = (one for one in sections if one.splitlines()[0] == alert["alert"])
    assert anchor == alert["alert"].lower()
    for part in ("**Means.**", "**Look.**", "**Do.**"):
        assert part in section
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"]["summary"]


def test_the_runbook_has_no_other_entries() -> None:
    headings = re.findall(r"^## (\S+)$", (ROOT / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)
    assert headings == [alert["alert"] for alert in ALERTS]


@each_alert
def test_rules_ask_for_metrics_and_labels_that_exist(alert: dict[str, Any]) -> None:
    expression = alert["expr"]
    metrics = set(re.findall(r"\b(attribution_\w+|up)\b", expression))
    assert metrics
    for metric in metrics - OTHERS:
        definition = names.ALL.get(metric) or names.ALL[SUFFIX.sub("", metric)]
        for selector in re.findall(rf"\b{metric}\{{([^}}]*)\}}", expression):
            labels = set(re.findall(r"(\w+)\s*[=!]~?", selector))
            assert labels <= {*definition.labels, "le"}, alert["alert"]


@each_alert
def test_each_alert_is_tested_to_fire_and_to_be_silent(alert: dict[str, Any]) -> None:
    tests = [
        bool(one["exp_alerts"])
        for case in yaml.safe_load(UNIT_TESTS.read_text())["tests"]
        for one in case["alert_rule_test"]
        if one["alertname"] == alert["alert"]
    ]
    assert True in tests
    assert False in tests


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "rules", "--lint-fatal", str(RULES)],
        ["check", "config", str(FOLDER / "prometheus.yml")],
        ["test", "rules", str(UNIT_TESTS)],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool_accepts_them(promtool: str, arguments: list[str]) -> None:
    ran = subprocess.run([promtool, *arguments], check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_rule_that_is_wrong_is_noticed(promtool: str, tmp_path: Path) -> None:
    """The unit tests against a rule whose threshold has moved, and one that counts both gateways."""
    for name, wrong in {
        "threshold": lambda text: text.replace("> 300", "> 700"),
        "gateways": lambda text: text.replace("max by (model, worker) (increase", "sum by (model, worker) (increase"),
    }.items():
        folder = tmp_path / name
        shutil.copytree(FOLDER, folder)
        rules = folder / "rules" / RULES.name
        rules.write_text(wrong(rules.read_text()))
        assert rules.read_text() != RULES.read_text()
        command = [promtool, "test", "rules", str(folder / "tests" / UNIT_TESTS.name)]
        ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert ran.returncode != 0, name
        assert "FAILED" in ran.stdout + ran.stderr
