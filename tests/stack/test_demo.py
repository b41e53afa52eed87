"""What the README promises: `up`, then the demo, and its trace, its series and its log lines are there."""

from __future__ import annotations

from pathlib import Path

from genai_otel.cli import main
from tests.harness.process import run
from tests.harness.stack import Stack

DEMO = "import sys; from genai_otel.cli import main; sys.exit(main(['demo']))"
SERVICE = "genai-otel-demo"


def test_the_demo_is_found_in_jaeger_prometheus_and_loki(stack: Stack) -> None:
    run(DEMO, env={"OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http}, timeout=120).ok()

    line = stack.loki.wait(f'{{service_name="{SERVICE}"}} |= "too busy" | trace_id!=""')[0]
    failed = stack.jaeger.trace(line["stream"]["trace_id"], spans=2)
    agent = stack.jaeger.traces(SERVICE, operation="GET /agent")[0]["spans"]
    asked = f'{{service_name="{SERVICE}",gen_ai_operation_name="chat"}}'
    stack.prometheus.wait(f"gen_ai_client_operation_duration_seconds_count{asked}")
    tokens = stack.prometheus.wait(f"sum by (gen_ai_token_type) (gen_ai_client_token_usage_sum{asked})")

    assert {span["operationName"] for span in failed} >= {"GET /chat", "chat gpt-4o-mini"}
    assert {span["operationName"] for span in agent} >= {
        "invoke_agent shop assistant",
        "execute_tool opening_hours",
    }
    assert {one["metric"]["gen_ai_token_type"] for one in tokens} == {"input", "output"}
    assert all(float(one["value"][1]) > 0 for one in tokens)


def test_what_the_demo_did_is_drawn_from_the_back_ends(stack: Stack, tmp_path: Path) -> None:
    service = "demo-for-a-report"  # of its own: the page draws the slowest traces, and other tests run the demo, too
    run(
        DEMO, env={"OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http, "OTEL_SERVICE_NAME": service}, timeout=120
    ).ok()
    stack.jaeger.traces(service, operation="execute_tool opening_hours")
    page = tmp_path / "page.html"
    sources = [stack.jaeger.url, "--prometheus", stack.prometheus.url]

    assert main(["report", *sources, "--service", service, "-o", str(page)]) == 0
    assert "execute_tool opening_hours" in page.read_text()
