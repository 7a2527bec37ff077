"""Metrics: what is documented, alerted on and drawn is there."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tobiishi import logs, metrics
from tobiishi.plan import JourneyRef

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "examples" / "monitoring"
NAME = re.compile(r"\btobiishi_\w+")
SUFFIXES = ("_bucket", "_count", "_sum")


def told() -> dict[str, set[str]]:
    """Each metric that is told, as Prometheus calls it, and its labels."""
    found = {f"tobiishi_{name}": set[str]() for name in metrics.GAUGES} | {"tobiishi_away": set()}
    for collector in metrics.REGISTRY._collector_to_names:
        name, labels = collector._name, set(collector._labelnames)  # type: ignore[attr-defined]
        is_counter = collector._type == "counter"  # type: ignore[attr-defined]
        found[f"{name}_total" if is_counter else name] = labels
    return found


def asked_for(expressions: list[str]) -> set[str]:
    names = {name for each in expressions for name in NAME.findall(each)}
    for suffix in SUFFIXES:
        names = {name.removesuffix(suffix) for name in names}
    return names


def rules() -> list[dict[str, Any]]:
    loaded = YAML(typ="safe").load(MONITORING / "alerts.yml")
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def test_the_documentation_has_each_metric_with_its_labels() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(tobiishi_\w+)` \|([^|]*)\|", text, re.M))
    assert set(rows) == set(told())
    for name, labels in told().items():
        if labels:
            assert set(rows[name].strip().split(", ")) == labels, name


def test_alerts_rest_on_metrics_that_there_are_and_say_what_to_do() -> None:
    assert asked_for([rule["expr"] for rule in rules()]) <= set(told())
    for rule in rules():
        assert {"summary", "do"} <= set(rule["annotations"]), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "warn")
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_the_dashboard_draws_metrics_that_there_are() -> None:
    board = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert asked_for(expressions) <= set(told())
    assert asked_for(expressions) >= set(told()) - {"tobiishi_quota"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_what_was_counted_can_be_read() -> None:
    metrics.deliveries.labels("counted-here", "sent").inc()
    families = text_string_to_metric_families(metrics.counted().decode())
    samples = [
        sample
        for family in families
        for sample in family.samples
        if sample.labels.get("channel") == "counted-here"
    ]
    assert ("tobiishi_deliveries_total", 1.0) in [(each.name, each.value) for each in samples]


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_line_says_which_journey_it_is_about(format: logs.Format) -> None:
    journey = JourneyRef(
        journey_id=1,
        channel="default",
        scenario="welcome",
        version=1,
        friend="U1",
        entry=2,
        started_at=datetime(2026, 11, 26, tzinfo=UTC),
    )
    record = logging.getLogger("x").makeRecord(
        "x",
        logging.INFO,
        "f",
        1,
        "sent %s",
        ("クーポン",),
        None,
        extra=logs.about(journey, delivery=7),
    )
    line = logs.formatter(format).format(record)
    assert "sent クーポン" in line
    if format == "json":
        said = json.loads(line)
        about = {key: said[key] for key in ("level", "logger", "channel", "journey", "entry")}
        assert about == {
            "level": "INFO",
            "logger": "x",
            "channel": "default",
            "journey": "journey/default/welcome/U1",
            "entry": 2,
        }
        assert said["delivery"] == "7"
        assert datetime.fromisoformat(said["at"])
