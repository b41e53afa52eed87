"""Log records in Loki: found by trace and back, with five labels, cut with a mark where they are too large."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from tests.harness.process import run
from tests.harness.stack import Stack, running
from tests.stack.sending import logging_to, tracing

_LABELS: Final = {
    "service.name": "labelled",
    "service.namespace": "shop",
    "deployment.environment.name": "staging",
    "k8s.cluster.name": "one",
    "k8s.namespace.name": "apps",
}
_NO_LABELS: Final = {
    "service.instance.id": "x1",
    "k8s.pod.name": "pod-7",
    "host.name": "h",
    "service.version": "1.2",
}

_APP: Final = """
import json, logging, sys
import genai_otel
from opentelemetry import trace

handle = genai_otel.setup(service_name="app-with-logs")
with trace.get_tracer("app").start_as_current_span("a request") as span:
    logging.getLogger("app").warning("stock of %s is low", "tea", extra={"shelf": 7})
    told = [format(span.get_span_context().trace_id, "032x"), format(span.get_span_context().span_id, "016x")]
logging.getLogger("app").warning("no request at all")
handle.shutdown()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Collector that lets content pass, and a Loki that deletes at once."""
    settings = {"OTELCOL_CONTENT": "keep", "LOKI_DELETE_AFTER": "0s"}
    with running(tmp_path_factory.mktemp("keeping"), "otelcol", "loki", environment=settings) as stack:
        yield stack


def _lines(streams: list[dict[str, Any]]) -> list[str]:
    return [value[1] for stream in streams for value in stream["values"]]


def test_from_a_trace_to_its_lines_and_back(stack: Stack) -> None:
    done = run(_APP, env={"OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http}, timeout=60).ok()
    trace_id, span_id = json.loads(done.out)

    (span,) = stack.jaeger.trace(trace_id)
    found = stack.loki.wait(f'{{service_name="app-with-logs"}} | trace_id="{span["traceID"]}"')
    assert _lines(found) == ["stock of tea is low"]

    (line,) = stack.loki.wait('{service_name="app-with-logs"} | shelf="7"')
    assert (line["stream"]["trace_id"], line["stream"]["span_id"]) == (trace_id, span_id)
    (span,) = stack.jaeger.trace(line["stream"]["trace_id"])
    assert (span["spanID"], span["operationName"]) == (span_id, "a request")

    (line,) = stack.loki.wait('{service_name="app-with-logs"} |= "no request"')
    assert "trace_id" not in line["stream"]


def test_five_labels_and_no_more(stack: Stack) -> None:
    with logging_to(stack.otlp_http, "labelled", {**_LABELS, **_NO_LABELS}) as provider:
        _emit(provider, body="one", attributes={"user.id": "u-1", "anything": "else"})
    stack.loki.wait('{service_name="labelled"} | k8s_pod_name="pod-7" | user_id="u-1"')
    series = stack.loki.get("/loki/api/v1/series", **{"match[]": '{service_name="labelled"}'})["data"]
    assert series == [{name.replace(".", "_"): value for name, value in _LABELS.items()}]


def test_what_was_said_stays_out_unless_it_is_kept(stack: Stack, keeping: Stack) -> None:
    event = {
        "event_name": "gen_ai.client.inference.operation.details",
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": [
                {"role": "user", "parts": [{"type": "text", "content": "canary-4711"}]}
            ],
        },
    }
    for each in (stack, keeping):
        with logging_to(each.otlp_http, "said") as provider:
            _emit(provider, **event)
    (dropped,) = stack.loki.wait('{service_name="said"} | gen_ai_operation_name="chat"')
    (kept,) = keeping.loki.wait('{service_name="said"} | gen_ai_operation_name="chat"')
    assert "canary-4711" not in str(dropped)
    assert "canary-4711" in kept["stream"]["gen_ai_input_messages"]


_TOO_LARGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "long": {"attributes": {"gen_ai.input.messages": "said " * 50_000}},
    "nested": {"attributes": {"gen_ai.input.messages": {f"field {n}": {"a": [n] * 9} for n in range(4_000)}}},
    "many": {"attributes": {f"attribute.{n}": "x" * 200 for n in range(120)}},
    "heavy": {"attributes": {f"attribute.{n}": "x" * 60_000 for n in range(90)}},
    "body": {"body": "line " * 400_000},
    "structure": {"body": {"messages": [{"content": "said " * 100_000}]}},
}


@pytest.mark.parametrize("kind", _TOO_LARGE)
def test_what_is_too_large_is_cut_with_a_mark_and_never_refused(keeping: Stack, kind: str) -> None:
    with logging_to(keeping.otlp_http, f"large-{kind}") as provider:
        _emit(provider, body="before")
        _emit(provider, **{"body": "the line", **_TOO_LARGE[kind]})
        _emit(provider, body="behind")
    streams = keeping.loki.wait(f'{{service_name="large-{kind}"}}', lines=3)
    marked = [
        stream["stream"] for stream in streams if stream["stream"].get("genai_otel_truncated") == "true"
    ]
    assert len(_lines(streams)) == 3
    assert len(marked) == 1


def test_a_record_that_fits_is_whole_and_has_no_mark(keeping: Stack) -> None:
    said = "said " * 5_000
    with logging_to(keeping.otlp_http, "fits") as provider:
        _emit(
            provider,
            body="line " * 10_000,
            attributes={"gen_ai.input.messages": said, "number": 3, "on": True},
        )
    ((stream),) = keeping.loki.wait('{service_name="fits"}')
    assert _lines([stream]) == ["line " * 10_000]
    assert stream["stream"]["gen_ai_input_messages"] == said
    assert (stream["stream"]["number"], stream["stream"]["on"]) == ("3", "true")
    assert "genai_otel_truncated" not in stream["stream"]


def test_nothing_was_refused(keeping: Stack) -> None:
    """After all the others: neither Loki nor the Collector has thrown anything away."""
    with urllib.request.urlopen(f"{keeping.loki.url}/metrics", timeout=10) as answer:
        told = answer.read().decode()
    assert "loki_discarded_samples_total{" not in told
    assert "Exporting failed. Dropping data" not in keeping.log("otelcol")


def test_captured_content_can_be_deleted(keeping: Stack) -> None:
    with logging_to(keeping.otlp_http, "deleted") as provider:
        _emit(provider, body="keep this")
        _emit(provider, body="forget this", attributes={"user.id": "u-9"})
    keeping.loki.wait('{service_name="deleted"}', lines=2)
    wanted = {"query": '{service_name="deleted"} | user_id="u-9"', "start": int(time.time()) - 3600}
    request = urllib.request.Request(
        f"{keeping.loki.url}/loki/api/v1/delete?{urlencode(wanted)}", method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204
    (asked,) = keeping.loki.get("/loki/api/v1/delete")  # its compactor does it within the hour
    assert (asked["query"], asked["status"]) == (wanted["query"], "received")


def _emit(provider: Any, **record: Any) -> None:
    provider.get_logger("app").emit(timestamp=time.time_ns(), **record)


def test_a_line_of_another_tracer_is_found_by_its_trace(stack: Stack) -> None:
    """The Collector needs no help of ours: any SDK's records say in which span they were made."""
    with tracing(stack.otlp_http, "foreign") as traces, logging_to(stack.otlp_http, "foreign") as logs:
        trace_id = _line_in_a_span(traces, logs)
    stack.jaeger.trace(trace_id)
    assert _lines(stack.loki.wait(f'{{service_name="foreign"}} | trace_id="{trace_id}"')) == ["inside"]


def _line_in_a_span(traces: TracerProvider, logs: Any) -> str:
    with traces.get_tracer("app").start_as_current_span("work"):
        _emit(logs, body="inside")
        return format(trace.get_current_span().get_span_context().trace_id, "032x")
