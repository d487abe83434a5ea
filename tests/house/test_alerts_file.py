"""The alert rules for Prometheus, our own, and the page that says what to do are of one mind."""

from __future__ import annotations

import re
from typing import Any

import yaml

from daozhang.service.watch.rules import alerts_of
from house.test_docs import ROOT, live_metrics
from pictures import ALL_WRONG

PROMETHEUS_ONLY = {"alerts_not_sent", "daozhang_down", "key_changed", "notifications_slow"}
"""What a service cannot say of itself, or only somebody with a memory can."""


def rules_of_the_file() -> list[dict[str, Any]]:
    document = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def headings() -> dict[str, str]:
    text = (ROOT / "docs/guides/operate.md").read_text("utf-8")
    sections = re.split(r"^## `([a-z_]+)`\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(sections[::2], sections[1::2], strict=True))


def test_every_metric_that_a_rule_names_exists() -> None:
    live = live_metrics()
    live |= {f"{name}{suffix}" for name in live for suffix in ("_bucket", "_sum", "_count")}
    named = {
        name for rule in rules_of_the_file() for name in re.findall(r"daozhang_\w+", rule["expr"])
    }
    assert len(named) > 10
    assert sorted(named - live) == []


def test_every_rule_says_how_urgent_it_is_and_where_to_read_on() -> None:
    for rule in rules_of_the_file():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["runbook"] == f"docs/guides/operate.md#{rule['alert']}"
        assert re.search(r"[一-鿿]", rule["annotations"]["summary"]), rule["alert"]


def test_the_service_and_prometheus_know_the_same_alerts() -> None:
    own = {alert.code for alert in alerts_of(ALL_WRONG)}
    assert own | PROMETHEUS_ONLY == {rule["alert"] for rule in rules_of_the_file()}


def test_the_night_operator_finds_every_alert_with_what_to_do_in_both_languages() -> None:
    told = headings()
    named = {rule["alert"] for rule in rules_of_the_file()}
    assert sorted(named - told.keys()) == []
    for name in named:
        assert re.match(r"\n(Page|Ticket)[. ]", told[name]), name
        assert re.search(r"[一-鿿]{4}", told[name]), name
