"""The rules that come with genai-otel, by promtool: what each one says on its fault, and on a day without one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from genai_otel.quality import definitions
from tests.alerts import world
from tests.alerts.tools import call, needs_tools

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = world.rules()
ALERTS = [rule for rule in RULES if "alert" in rule]
TESTS = sorted(world.TESTS.glob("*.test.yml"))
BY_HAND = [path for path in TESTS if path not in dict(world.files())]


def parts(kind: str) -> list[dict[str, Any]]:
    """Every single test of a kind in the files that were written by hand."""
    groups = [
        group for path in BY_HAND for group in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    ]
    return [test for group in groups for test in group.get(kind, ())]


@needs_tools
def test_promtool_finds_nothing_wrong() -> None:
    call("promtool", "check", "rules", *world.RULES.glob("*.yml"))


@needs_tools
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_rules_say_what_they_should(path: Path) -> None:
    call("promtool", "test", "rules", path)


def test_every_alert_fires_in_a_test() -> None:
    fires = {
        (test["alertname"], alert["exp_labels"]["severity"])
        for test in parts("alert_rule_test")
        for alert in test["exp_alerts"]
    }
    assert fires == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}


def test_every_recorded_series_has_a_test_of_its_value() -> None:
    looked_at = {
        name for test in parts("promql_expr_test") for name in re.findall(r"genai:[\w:]+", test["expr"])
    }
    windows = {f"genai:slo_missed:ratio{window}" for window in ("2h", "6h", "1d", "3d", "30d")}
    windows |= {f"genai:slo_calls:increase{window}" for window in ("6h", "1d", "3d")}  # alerts stand on them
    limits = {"genai:slo_cost_per_call_usd:limit"}
    assert {rule["record"] for rule in RULES if "record" in rule} - looked_at == windows | limits


def test_generated_files_are_current() -> None:
    for path, made in world.files():
        assert path.read_text(encoding="utf-8") == made, "run: make docs"


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"
    names = {rule["alert"] for rule in ALERTS}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == names


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in ALERTS}))
def test_a_runbook_says_what_there_is_to_say(name: str) -> None:
    book = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert book.startswith(f"# {name}\n")
    assert re.findall(r"^## (.*)$", book, re.MULTILINE) == ["First look", "Usual causes", "What to do"]
    assert "```promql" in book


@needs_tools
def test_the_queries_of_runbooks_are_queries(tmp_path: Path) -> None:
    queries = [
        query
        for path in sorted(RUNBOOKS.glob("*.md"))
        for query in re.findall(r"```promql\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    file = tmp_path / "queries.yml"
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}), encoding="utf-8")
    call("promtool", "check", "rules", file)


def test_failures_are_the_labels_that_evaluations_take_for_failures() -> None:
    rule = next(rule for rule in RULES if rule.get("record") == "genai:evaluation_failures:ratio1h")
    said = re.search(r'gen_ai_evaluation_score_label=~"\(\?i\)([^"]*)"', rule["expr"])
    assert said is not None
    assert said[1].split("|") == sorted(definitions.FAILURES)


def test_services_are_told_apart_and_instances_are_not() -> None:
    for rule in RULES:
        assert "service_instance_id" not in rule["expr"]
        if "otelcol" not in rule["expr"]:
            assert not re.search(r"\binstance\b", rule["expr"].replace('up{job="otelcol"}', "")), rule
