"""What Grafana is provisioned with: the sources, the ways between them, and no secret."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
import yaml

from tests.dashboards.reading import FOLDER, ROOT

PROVISIONED = FOLDER / "provisioning"
SOURCES: dict[str, dict[str, Any]] = {
    source["type"]: source
    for source in yaml.safe_load(
        (PROVISIONED / "datasources" / "genai-otel.yaml").read_text(encoding="utf-8")
    )["datasources"]
}


def uid(kind: str) -> str:
    return SOURCES[kind]["uid"]


def test_there_is_one_source_of_each_kind_and_metrics_are_the_default() -> None:
    assert SOURCES.keys() == {"prometheus", "jaeger", "loki", "alertmanager"}
    assert [kind for kind, source in SOURCES.items() if source.get("isDefault")] == ["prometheus"]


def test_a_metric_leads_to_its_trace() -> None:
    [way] = SOURCES["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert (way["name"], way["datasourceUid"]) == ("trace_id", uid("jaeger"))


def test_a_trace_leads_to_its_logs_and_its_metrics() -> None:
    data = SOURCES["jaeger"]["jsonData"]
    assert data["tracesToLogsV2"]["datasourceUid"] == uid("loki")
    assert data["tracesToMetrics"]["datasourceUid"] == uid("prometheus")
    assert data["tracesToLogsV2"]["query"] == '{$${__tags}} | trace_id="$${__trace.traceId}"'


def test_a_line_of_a_log_leads_to_its_trace() -> None:
    [field] = SOURCES["loki"]["jsonData"]["derivedFields"]
    assert (field["matcherType"], field["matcherRegex"]) == ("label", "trace_id")
    assert (field["url"], field["datasourceUid"]) == ("$${__value.raw}", uid("jaeger"))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the parser needs Python 3.11")
def test_what_a_trace_asks_of_metrics_is_promql_over_both_profiles() -> None:
    import promql_parser as promql

    for query in SOURCES["jaeger"]["jsonData"]["tracesToMetrics"]["queries"]:
        asked = query["query"].replace("$$__tags", 'service_name="x"').replace("$$__rate_interval", "1m")
        assert promql.parse(asked)
        assert re.search(r"gen_ai_client_operation_\w+.+\bor\b.+gen_ai_client_inference_\w+", asked)


def test_nothing_secret_and_no_address_is_in_the_files() -> None:
    for file in PROVISIONED.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(?i)password|secret|token|://", text), file


def test_the_dashboards_are_read_from_where_the_container_has_them() -> None:
    [provider] = yaml.safe_load((PROVISIONED / "dashboards" / "genai-otel.yaml").read_text(encoding="utf-8"))[
        "providers"
    ]
    grafana = yaml.safe_load((ROOT / "collector-config" / "compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]["grafana"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    asked = {str(source["url"])[2:-1] for source in SOURCES.values()}
    assert asked <= grafana["environment"].keys()
