"""The same calls under other settings, each in a process of its own, seen from the backend."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from genai_otel import metrics
from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink, Sink

pytestmark = pytest.mark.process

CALLS = """
import asyncio, json, os, sys
import genai_otel
from tests.contract.payloads.openai import PAYLOAD

handle = genai_otel.setup()
client = PAYLOAD.make(os.environ["MODELS"], False)
cases = {case.path: case for case in PAYLOAD.cases}

def calls(times=1):
    for _ in range(times):
        cases["chat.completions.create"].call(client, PAYLOAD.model)
        list(cases["chat.completions.create"].stream(client, PAYLOAD.model,
                                                   stream_options={"include_usage": True}))
        cases["embeddings.create"].call(client, PAYLOAD.model)
        try:
            cases["chat.completions.create"].call(client, PAYLOAD.model + "+error-500")
        except Exception as error:
            print(type(error).__name__)
"""


def run(warm: Warm, server: ModelServer, sink: Sink, script: str = "calls()", **env: str) -> Any:
    return warm.run(CALLS + script, {"MODELS": server.base_url, **sink.environment(), **env})


def total(points: Iterable[Any], **labels: str) -> float:
    """The sum over the series that have these labels: counts of histograms, values of counters."""
    wanted = {name.replace("__", "."): value for name, value in labels.items()}
    return sum(point.count or point.value for point in points if wanted.items() <= point.attributes.items())


@pytest.mark.seed_rows("000-28")
@pytest.mark.parametrize("ratio", ["0", "0.1"])
def test_metrics_are_exact_at_any_sampling_ratio(
    warm: Warm, model_server: ModelServer, sink: HttpSink, ratio: str
) -> None:
    env = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    run(
        warm,
        model_server,
        sink,
        "import random; random.seed(1); calls(15)  # trace ids come from there",
        **env,
    )
    durations = sink.latest("gen_ai.client.operation.duration")
    assert total(durations) == 60
    assert total(durations, error__type="InternalServerError") == 15
    assert sum(point.sum for point in sink.latest("gen_ai.client.token.usage")) == 15 * (19 + 19 + 12)
    spans = [span for span in sink.spans() if span.scope == "genai_otel"]
    assert len(spans) < 30
    assert (ratio == "0") == (not spans and not sink.spans())
    known = {span.trace_id for span in spans}
    assert {trace for point in durations for trace in point.exemplars} <= known


def test_exemplars_lead_to_exported_traces(warm: Warm, model_server: ModelServer, sink: HttpSink) -> None:
    run(warm, model_server, sink)
    spans = {span.trace_id: span for span in sink.spans() if span.scope == "genai_otel"}
    for metric in ("gen_ai.client.operation.duration", "gen_ai.client.token.usage"):
        for point in sink.latest(metric):
            assert point.exemplars
            for trace in point.exemplars:
                assert (
                    spans[trace].attributes["gen_ai.operation.name"]
                    == point.attributes["gen_ai.operation.name"]
                )


def test_delta_temporality(warm: Warm, model_server: ModelServer, sink: HttpSink) -> None:
    script = "calls(2)\ngenai_otel.flush()\ngenai_otel.flush()\ncalls(3)"
    run(
        warm,
        model_server,
        sink,
        script,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta",
    )
    points = sink.points("gen_ai.client.operation.duration")
    assert not any(point.cumulative for point in points)
    assert total(points) == 20
    by_series: dict[Any, list[Any]] = {}
    for point in points:
        by_series.setdefault(point.series, []).append(point)
    for first, second in by_series.values():
        assert first.start < first.time == second.start < second.time
        assert (second.count, first.count) in ((3, 2), (6, 4))


def names(instruments: Iterable[Any]) -> set[str]:
    return {instrument.name for instrument in instruments}


def test_profiles_are_the_same_calls_by_other_names(
    warm: Warm, model_server: ModelServer, sink: HttpSink
) -> None:
    seen: dict[str, dict[str, list[Any]]] = {}
    for profile in ("", "gen_ai_latest_experimental", "http,gen_ai_latest_experimental/dup"):
        run(warm, model_server, sink, OTEL_SEMCONV_STABILITY_OPT_IN=profile)
        seen[profile] = {
            name: sink.latest(name) for name in sink.metrics() if name.startswith(("gen_ai.", "genai_otel."))
        }
        sink.clear()
    stable, latest, union = seen.values()
    both = {"genai_otel.client.finish_reasons", "genai_otel.client.cost", "genai_otel.prices.age"}
    assert set(stable) - {"genai_otel.info", "genai_otel.client.active_operations"} - both == names(
        metrics.STABLE
    )
    assert set(latest) - {"genai_otel.info", "genai_otel.client.active_operations"} - both == names(
        metrics.LATEST
    )
    assert set(union) == set(stable) | set(latest)
    shared = "gen_ai.client.operation.duration"
    assert total(stable[shared]) == total(union[shared]) == 4
    assert total(latest[shared]) == 1  # the embedding, which is no inference
    assert total(latest["gen_ai.client.inference.duration"]) == 3
    assert total(union["gen_ai.client.inference.duration"]) == 3
    for seen_tokens in (latest, union):
        assert total(seen_tokens["gen_ai.client.inference.usage.input_tokens"]) == 24
        assert (
            total(seen_tokens["gen_ai.client.inference.usage.input_tokens"], gen_ai__token__modality="audio")
            == 10
        )
        assert total(seen_tokens["gen_ai.client.inference.usage.output_tokens"]) == 14
        assert total(seen_tokens["gen_ai.client.inference.usage.cache_read.input_tokens"]) == 8
        assert total(seen_tokens["gen_ai.client.inference.usage.reasoning.output_tokens"]) == 6


PROMETHEUS = """
import urllib.request
calls(2)
handle.flush()
port = next(words for words in handle.exporters if "Prometheus" in words).rpartition(":")[2]
text = urllib.request.urlopen(f"http://localhost:{port}/metrics").read().decode()
print(json.dumps(text))
print(json.dumps(urllib.request.urlopen(f"http://localhost:{port}/metrics").read().decode()))
"""


def test_prometheus_shows_what_otlp_sends(warm: Warm, model_server: ModelServer, sink: HttpSink) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    ran = run(
        warm,
        model_server,
        sink,
        PROMETHEUS,
        OTEL_METRICS_EXPORTER="otlp,prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT="0",
    )
    first, second = ran.said
    families = {family.name: family for family in text_string_to_metric_families(first)}
    assert set(families) == {family.name for family in text_string_to_metric_families(second)}
    for metric, unit in (("operation_duration", "_seconds"), ("token_usage", "")):
        samples = families[f"gen_ai_client_{metric}{unit}"].samples
        sent = sink.latest(f"gen_ai.client.{metric.replace('_', '.')}")
        for ending, field in (("_count", "count"), ("_sum", "sum")):
            shown = {
                frozenset((key, value) for key, value in sample.labels.items() if value): sample.value
                for sample in samples
                if sample.name.endswith(ending)
            }
            assert shown == {
                frozenset((key.replace(".", "_"), str(value)) for key, value in point.attributes.items()): (
                    getattr(point, field)
                )
                for point in sent
            }


CONTENT = """
import itertools
leaked = 0
for case in PAYLOAD.cases:
    case.call(client, PAYLOAD.model + "+echo")
    if case.streamed is not None:
        list(case.stream(client, PAYLOAD.model + "+echo"))
        stream = case.stream(client, PAYLOAD.model + "+echo")
        list(itertools.islice(stream, 3))
        del stream
    try:
        case.call(client, PAYLOAD.model + "+error-400+leak")
    except Exception as error:
        leaked += "canary" in str(error)
    try:
        with case.stream(client, PAYLOAD.model) if case.streamed is not None else client as stream:
            raise ValueError("canary-7f3a in the mine")
    except ValueError:
        client = PAYLOAD.make(os.environ["MODELS"], False)
assert leaked > 5  # the exceptions do quote the request
"""


@pytest.mark.parametrize("said", ["", "NO_CONTENT"])
def test_what_is_said_stays_inside_by_default(
    warm: Warm, model_server: ModelServer, sink: HttpSink, said: str
) -> None:
    env = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": said} if said else {}
    run(warm, model_server, sink, CONTENT, OTEL_LOGS_EXPORTER="otlp", **env)
    assert len(sink.spans()) > 40
    assert CANARY.split()[0].encode() not in sink.everything()


@pytest.mark.parametrize(
    "switch",
    [("SPAN_ONLY", True, False), ("EVENT_ONLY", False, True), ("SPAN_AND_EVENT", True, True)],
)
def test_what_is_said_goes_where_it_was_switched_on(
    warm: Warm, model_server: ModelServer, sink: HttpSink, switch: tuple[str, bool, bool]
) -> None:
    said, on_spans, on_events = switch
    script = """
cases["chat.completions.create"].call(client, PAYLOAD.model + "+echo")
list(cases["chat.completions.create"].stream(client, PAYLOAD.model + "+echo"))
cases["responses.create"].call(client, PAYLOAD.model + "+echo")
list(cases["responses.create"].stream(client, PAYLOAD.model + "+echo"))
"""
    env = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": said, "OTEL_LOGS_EXPORTER": "otlp"}
    run(warm, model_server, sink, script, **env)
    spans = [span for span in sink.spans() if span.scope == "genai_otel"]
    assert len(spans) == 4
    for span in spans:
        for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
            assert (name in span.attributes) == on_spans
            if on_spans:
                (message, *_) = json.loads(span.attributes[name])
                assert message["role"] in ("user", "system", "assistant")
                assert CANARY in json.dumps(message)
    events = [log for log in sink.logs() if log.event == "gen_ai.client.inference.operation.details"]
    assert len(events) == (4 if on_events else 0)
    for event in events:
        assert CANARY in str(event.attributes["gen_ai.input.messages"])
        assert event.span_id in {span.span_id for span in spans}
    for body in sink.bodies("metrics"):
        assert CANARY.encode() not in body
