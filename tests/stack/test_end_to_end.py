"""One call of a program with genai-otel: its trace in Jaeger, its series in Prometheus, its log line in Loki."""

from __future__ import annotations

import json

from tests.harness.process import run
from tests.harness.stack import Stack

_PROGRAM = """
import json, logging
from openai import OpenAI
from opentelemetry import trace
import genai_otel
from genai_otel.testing import ModelServer

handle = genai_otel.setup(service_name="end-to-end")
with ModelServer() as model, trace.get_tracer("program").start_as_current_span("a request") as span:
    client = OpenAI(base_url=model.base_url, api_key="none", max_retries=0)
    model.reply("Good morning.")
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Good day!"}])
    logging.getLogger("program").warning("a line of the program")
    print(json.dumps(format(span.get_span_context().trace_id, "032x")))
handle.shutdown()
"""


def test_a_call_is_found_in_every_back_end(stack: Stack) -> None:
    done = run(_PROGRAM, env={"OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http}, timeout=60).ok()
    trace_id = json.loads(done.out)

    spans = stack.jaeger.trace(trace_id, spans=2)
    series = stack.prometheus.wait(
        'gen_ai_client_operation_duration_seconds_count{service_name="end-to-end"}'
    )
    lines = stack.loki.wait(f'{{service_name="end-to-end"}} | trace_id="{trace_id}"')

    assert {span["operationName"] for span in spans} >= {"a request", "chat gpt-4o"}
    assert [one["value"][1] for one in series] == ["1"]
    assert [value[1] for stream in lines for value in stream["values"]] == ["a line of the program"]
