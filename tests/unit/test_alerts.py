"""The alerting rules, against the metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from services.keyvault import readiness

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts"
RULES = [
    rule
    for file in sorted(ALERTS.glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_goes_by_metrics_that_are_exported(rule: dict[str, str]) -> None:
    """One that was renamed would be silent for ever."""
    assert readiness
    exported = {metric.name for metric in REGISTRY.collect()}
    asked = re.findall(r"mannequin_\w+", rule["expr"])
    assert asked
    assert {re.sub(r"_(count|bucket|sum|total)$", "", name) for name in asked} <= exported


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_means_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    """For whoever is woken by it."""
    assert {"summary", "description"} <= set(rule["annotations"])
    assert rule["labels"]["severity"] in ("warning", "critical")
