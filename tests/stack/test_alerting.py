"""Alerts through the real Prometheus and Alertmanager: a fault of an app until somebody is told, and who is not."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from genai_otel.report.incidents import history
from tests.alerts import world
from tests.harness.process import Process
from tests.harness.stack import Stack, copy_config, running
from tests.stack.configs import at_once, change
from tests.stack.webhook import Webhook

_SHOP = """
import time
import genai_otel
from fastapi.testclient import TestClient
from genai_otel.cli.demo_app import application
from genai_otel.testing import ModelServer

genai_otel.setup(service_name="genai-otel-demo", resource_attributes={"deployment.environment.name": "test"})
with ModelServer() as model, TestClient(application(model.base_url), raise_server_exceptions=False) as shop:
    print("open", flush=True)
    while True:
        model.reply(status=500)
        shop.get("/chat", params={"question": "Are you open?"})
        time.sleep(0.2)
"""


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture(scope="module")
def alerting(tmp_path_factory: pytest.TempPathFactory, webhook: Webhook) -> Iterator[Stack]:
    """The shipped configs with shorter times; the secrets lead to the webhook in place of Slack and PagerDuty."""
    folder = tmp_path_factory.mktemp("alerting")
    config = copy_config(folder)
    at_once(config)
    with change(config / "alertmanager" / "alertmanager.yml") as alertmanager:
        alertmanager["global"] = {"pagerduty_url": f"{webhook.url}/pagerduty"}
        for route in (alertmanager["route"], *alertmanager["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
    secrets = config / "alertmanager" / "secrets"
    secrets.mkdir()
    (secrets / "slack_url").write_text(f"{webhook.url}/slack\n")
    (secrets / "pagerduty_key").write_text("a key of PagerDuty's\n")
    with running(folder / "state", "otelcol", "prometheus", "alertmanager", config=config) as stack:
        yield stack


def test_a_fault_of_the_demo_app_reaches_the_pager(alerting: Stack, webhook: Webhook) -> None:
    often = {"OTEL_METRIC_EXPORT_INTERVAL": "1000", "OTEL_EXPORTER_OTLP_ENDPOINT": alerting.otlp_http}
    with Process.script(_SHOP, env=often) as shop:
        shop.wait_for("open")
        began = time.monotonic()
        page = webhook.waits_for("pagerduty", "GenAIErrorBudgetBurn")
        print(f"from the fault to the page: {time.monotonic() - began:.0f} s")
    assert page["routing_key"] == "a key of PagerDuty's"
    assert page["event_action"] == "trigger"
    assert page["payload"]["severity"] == "critical"
    assert page["payload"]["summary"] == "PAGE GenAIErrorBudgetBurn in genai-otel-demo (test)"
    said = page["payload"]["custom_details"]["alerts"]
    assert "genai-otel-demo misses success with 100% of its calls" in said
    assert "What to do: docs/runbooks/GenAIErrorBudgetBurn.md" in said
    assert webhook.told("slack", "GenAIErrorBudgetBurn") == []
    told = history(alerting.prometheus.url, time.time() - 600, time.time(), 'severity="page"')
    assert told.by_alert["GenAIErrorBudgetBurn", "page"].count == 1  # as the weekly report has it


def test_no_rule_fails_and_each_can_be_read(alerting: Stack) -> None:
    groups = alerting.prometheus.until(
        lambda: [
            group
            for group in alerting.prometheus.get("/api/v1/rules")["data"]["groups"]
            if all(rule["health"] != "unknown" for rule in group["rules"])
        ]
    )
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"]: rule["lastError"] for rule in rules if rule["health"] == "err"} == {}
    assert len({group["name"] for group in groups}) > len(list(world.RULES.glob("*.yml")))


def test_alerting_watches_itself(alerting: Stack) -> None:
    for name in (
        "prometheus_rule_evaluation_failures_total",
        "prometheus_notifications_errors_total",
        "alertmanager_notifications_failed_total",
    ):
        assert alerting.prometheus.wait(name)


def test_queries_of_runbooks_are_taken(alerting: Stack) -> None:
    for path in sorted((Path(__file__).parents[2] / "docs" / "runbooks").glob("*.md")):
        for query in re.findall(r"```promql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            alerting.prometheus.query(query)


@pytest.mark.parametrize(
    ("kept_back", "by"),
    [
        (
            {"alertname": "GenAIRetries", "severity": "ticket"},
            {"alertname": "PipelineNoCollector", "blinds": "metrics"},
        ),
        ({"alertname": "PipelineCollectorDown", "instance": "a"}, {"alertname": "PipelineNoCollector"}),
        (
            {"alertname": "A", "severity": "ticket", "service_name": "s", "slo": "x"},
            {"alertname": "A", "severity": "page", "service_name": "s", "slo": "x"},
        ),
    ],
)
def test_what_follows_from_another_alert_is_kept_back(
    alerting: Stack, kept_back: dict[str, str], by: dict[str, str]
) -> None:
    service = {"test": f"{kept_back['alertname']} by {by['alertname']}"}
    _post(alerting, kept_back | service, by | service)
    found = alerting.alertmanager.until(lambda: _inhibited(alerting, service))
    assert [alert["labels"]["alertname"] for alert in found] == [kept_back["alertname"]]
    _post(alerting, kept_back | service, by | service, over=True)


def test_what_only_looks_alike_is_told_all_the_same(alerting: Stack, webhook: Webhook) -> None:
    name = {"alertname": "PipelineExportFailing"}
    page = {"severity": "page", "exporter": "otlp_http/prometheus"}
    ticket = {"severity": "ticket", "exporter": "otlp_grpc/jaeger"}
    _post(alerting, name | page, name | ticket)
    said = webhook.waits_for("slack", "PipelineExportFailing")
    assert said["channel"] == "#genai-alerts"
    assert said["attachments"][0]["title"] == "TICKET PipelineExportFailing"


def test_alerts_of_one_name_and_service_are_one_notification(alerting: Stack, webhook: Webhook) -> None:
    same = {"alertname": "Grouped", "severity": "ticket", "service_name": "shop"}
    _post(alerting, same | {"model": "m1"}, same | {"model": "m2"}, same | {"service_name": "desk"})
    assert webhook.waits_for("slack", "TICKET Grouped in desk")
    text = webhook.waits_for("slack", "TICKET Grouped in shop")["attachments"][0]["text"]
    assert ("m1" in text, "m2" in text) == (True, True)
    assert len(webhook.told("slack", "TICKET Grouped in shop")) == 1


def _post(stack: Stack, *alerts: dict[str, str], over: bool = False) -> None:
    now = datetime.now(timezone.utc).isoformat()
    ended = {"endsAt": now} if over else {}
    said = [
        {"labels": labels, "annotations": {"summary": " ".join(labels.values())}, **ended}
        for labels in alerts
    ]
    request = urllib.request.Request(
        f"{stack.alertmanager.url}/api/v2/alerts",
        json.dumps(said).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def _inhibited(stack: Stack, labels: dict[str, str]) -> list[dict[str, Any]]:
    alerts = stack.alertmanager.get("/api/v2/alerts")
    return [one for one in alerts if labels.items() <= one["labels"].items() and one["status"]["inhibitedBy"]]
