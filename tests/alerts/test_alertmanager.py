"""Who is told of which alert, and what he reads, by amtool; what keeps what back is tried in `tests/stack`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.alerts import world
from tests.alerts.tools import call, needs_tools

FOLDER = world.RULES.parents[1] / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"

pytestmark = needs_tools


def test_amtool_finds_nothing_wrong() -> None:
    assert "1 templates" in call("amtool", "check-config", CONFIG)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["severity=page", "alertname=GenAIErrorBudgetBurn", "service_name=shop"], "pager"),
        (["severity=page", "alertname=PipelineNoCollector"], "pager"),
        (["severity=ticket", "alertname=GenAIRetries", "service_name=shop"], "chat"),
        (["alertname=OfYourOwn"], "chat"),
    ],
)
def test_pages_go_to_the_pager_and_the_rest_to_the_chat(labels: list[str], receiver: str) -> None:
    routes = ["config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}"]
    assert call("amtool", *routes, *labels).strip() == receiver


def test_every_severity_of_the_rules_has_been_routed() -> None:
    assert {rule["labels"]["severity"] for rule in world.rules() if "alert" in rule} == {"page", "ticket"}


def rendered(template: str, data: Path) -> str:
    glob = f"--template.glob={FOLDER / 'templates' / '*.tmpl'}"
    text = f'--template.text={{{{ template "{template}" . }}}}'
    return call("amtool", "template", "render", glob, text, f"--template.data={data}")


def test_a_notification_says_what_where_and_what_to_do(tmp_path: Path) -> None:
    if "template" not in call("amtool", "--help"):
        pytest.skip("this amtool renders no templates")
    data = tmp_path / "data.json"
    said = {
        "status": "firing",
        "commonLabels": {
            "alertname": "GenAIRetries",
            "severity": "ticket",
            "service_name": "shop",
            "deployment_environment_name": "prod",
        },
        "commonAnnotations": {"runbook": "docs/runbooks/GenAIRetries.md"},
        "alerts": [
            {"status": "firing", "annotations": {"summary": "shop makes 2.0 requests"}},
            {"status": "resolved", "annotations": {"summary": "shop makes 3.0 requests"}},
        ],
    }
    data.write_text(json.dumps(said))
    assert rendered("genai.title", data).strip() == "TICKET GenAIRetries in shop (prod)"
    assert rendered("genai.text", data).splitlines() == [
        "shop makes 2.0 requests",
        "Over: shop makes 3.0 requests",
        "What to do: docs/runbooks/GenAIRetries.md",
    ]
    data.write_text(json.dumps(said | {"status": "resolved"}))
    assert rendered("genai.title", data).strip() == "RESOLVED GenAIRetries in shop (prod)"


def test_secrets_are_files_that_nobody_commits() -> None:
    text = CONFIG.read_text(encoding="utf-8")
    receivers = yaml.safe_load(text)["receivers"]
    files = {
        value
        for receiver in receivers
        for name, kinds in receiver.items()
        if name != "name"
        for value in (value for kind in kinds for key, value in kind.items() if key.endswith("_file"))
    }
    assert files == {"secrets/slack_url", "secrets/pagerduty_key"}
    assert not re.search(r"^\s*(api_url|routing_key|service_key|password|token):", text, re.MULTILINE)
    ignored = (FOLDER.parents[1] / ".gitignore").read_text(encoding="utf-8")
    assert "/collector-config/alertmanager/secrets/" in ignored
