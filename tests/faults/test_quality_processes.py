"""Feedback in another process than the call's, in forked children, on unsampled traces, with own providers."""

from __future__ import annotations

import os
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

ASKS = """
import sys, openai, genai_otel
genai_otel.setup()
with openai.OpenAI(base_url=sys.argv[1], api_key="k") as client:
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}])
print(genai_otel.response_ref())
"""
JUDGES = """
import sys, genai_otel
from opentelemetry import trace
genai_otel.setup()
with trace.get_tracer("app").start_as_current_span("POST /feedback"):
    print(genai_otel.record_feedback(sys.argv[1], False, "a comment", name=sys.argv[2]))
"""


def results(sink: HttpSink) -> list[Any]:
    return [each for each in sink.logs() if each.event == "gen_ai.evaluation.result"]


def asked(sink: HttpSink, server: ModelServer, **env: str) -> str:
    return run(ASKS, env={**sink.environment(), **env}, arguments=[server.base_url]).ok().out.strip()


@pytest.mark.seed_rows("003-17", "003-32")
def test_a_reference_leads_from_another_process_to_the_span(
    sink: HttpSink, model_server: ModelServer
) -> None:
    ref = asked(sink, model_server)
    assert run(JUDGES, env=sink.environment(), arguments=[ref, "thumbs"]).ok().out == "True\n"
    (call,) = [each for each in sink.spans() if each.name == "chat gpt-4o-mini"]
    (request,) = [each for each in sink.spans() if each.name == "POST /feedback"]
    (event,) = results(sink)
    assert (event.trace_id, event.span_id) == (call.trace_id, call.span_id)
    assert request.links == 1
    assert event.attributes["gen_ai.response.id"] == call.attributes["gen_ai.response.id"]
    assert b"a comment" not in sink.everything()
    (point,) = sink.latest("genai_otel.evaluation.results")
    assert (point.value, point.attributes["gen_ai.request.model"]) == (1, "gpt-4o-mini")


@pytest.mark.seed_rows("003-32")
def test_only_references_signed_with_a_key_of_this_process_count(
    sink: HttpSink, model_server: ModelServer
) -> None:
    key = "GENAI_OTEL_FEEDBACK_KEY"
    signed, unsigned = asked(sink, model_server, **{key: "old"}), asked(sink, model_server)
    for ref, keys, told in (
        (signed, "old", "True"),
        (signed, "new,old", "True"),
        (signed, "new", "False"),
        (unsigned, "old", "False"),
        (signed, "", "False"),
        (unsigned, "", "True"),
    ):
        done = run(JUDGES, env={**sink.environment(), key: keys}, arguments=[ref, "thumbs"]).ok()
        assert done.out == f"{told}\n", (keys, ref is signed)
        assert done.err.count("a result was refused") == (told == "False")
        assert "old" not in done.err
    assert len(results(sink)) == 3


@pytest.mark.seed_rows("003-32")
def test_a_rating_that_two_processes_get_is_one_by_its_id(sink: HttpSink, model_server: ModelServer) -> None:
    ref = asked(sink, model_server)
    again = JUDGES.replace("name=sys.argv[2]", "name=sys.argv[2], idempotency_key=sys.argv[3]")
    for key in ("click-1", "click-1", "click-2"):
        run(again, env=sink.environment(), arguments=[ref, "thumbs", key]).ok()
    told = [each.attributes["genai_otel.evaluation.id"] for each in results(sink)]
    assert (told[0] == told[1], told[1] == told[2], {len(each) for each in told}) == (True, False, {32})
    assert "click" not in repr(told)


def test_results_show_on_the_terminal_where_nothing_else_is(
    model_server: ModelServer, sink: HttpSink
) -> None:
    said = 'genai_otel.record_evaluation(None, "tone", 0.5, "pass", evaluator="llm")'
    alone = run(ASKS + said, arguments=[model_server.base_url]).ok().err
    (line,) = [each for each in alone.splitlines() if "genai_otel.evaluation tone" in each]
    assert line.endswith("0.5 pass by llm")
    env = {**sink.environment(), "GENAI_OTEL_CONSOLE": "on"}
    assert (
        "genai_otel.evaluation" not in run(ASKS + said, env=env, arguments=[model_server.base_url]).ok().err
    )
    assert len(results(sink)) == 1


def test_feedback_on_a_trace_that_is_not_sampled_counts(sink: HttpSink, model_server: ModelServer) -> None:
    ref = asked(sink, model_server, OTEL_TRACES_SAMPLER="always_off")
    run(JUDGES, env=sink.environment(), arguments=[ref, "thumbs"]).ok()
    assert [each.name for each in sink.spans()] == ["POST /feedback"]
    (event,) = results(sink)
    assert int(event.trace_id, 16) and int(event.span_id, 16)
    (point,) = sink.latest("genai_otel.evaluation.results")
    assert point.value == 1


def test_comments_leave_where_content_may(sink: HttpSink, model_server: ModelServer) -> None:
    ref = asked(sink, model_server)
    on = {**sink.environment(), "GENAI_OTEL_EVALUATION_SPANS": "true"}
    content = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    name = "gen_ai.evaluation.explanation"
    for mode, on_event, on_span in (
        ("EVENT_ONLY", True, False),
        ("SPAN_ONLY", False, True),
        ("SPAN_AND_EVENT", True, True),
        ("NO_CONTENT", False, False),
    ):
        sink.clear()
        run(JUDGES, env={**on, content: mode}, arguments=[ref, "thumbs"]).ok()
        (event,) = results(sink)
        (span,) = [each for each in sink.spans() if each.name == "genai_otel.evaluation thumbs"]
        assert (event.attributes.get(name) == "a comment") is on_event
        assert (span.attributes.get(name) == "a comment") is on_span
        assert (span.trace_id, span.parent_id) == (event.trace_id, event.span_id)
        assert span.start == span.end
        assert not sink.points("gen_ai.client.operation.duration")  # it is no call


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_counts_its_own_results(sink: HttpSink, model_server: ModelServer) -> None:
    script = (
        ASKS
        + """
import os, time, warnings
warnings.filterwarnings("ignore", "This process.*is multi-threaded", DeprecationWarning)

@genai_otel.evaluate("behind")
def judge(pause):
    time.sleep(pause)
    return True

ref = genai_otel.response_ref()
judge(0.5)  # goes on in the parent
genai_otel.record_evaluation(ref, "forked", label="pass")
child = os.fork()
assert genai_otel.response_ref() == ref
for _ in range(1 if child else 2):
    genai_otel.record_evaluation(ref, "forked", label="pass")
judge(0)
genai_otel.flush()
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    )
    run(script, env=sink.environment(), arguments=[model_server.base_url]).ok()
    found: dict[str, list[float]] = {}
    for point in sink.latest("genai_otel.evaluation.results"):
        found.setdefault(point.attributes["gen_ai.evaluation.name"], []).append(point.value)
    assert {name: sorted(values) for name, values in found.items()} == {"forked": [2, 2], "behind": [1, 2]}


def test_judges_have_half_of_the_time_at_the_end(sink: HttpSink, model_server: ModelServer) -> None:
    script = (
        ASKS
        + """
import time
@genai_otel.evaluate("quick")
def quick():
    time.sleep(0.3)
    return True
@genai_otel.evaluate("endless")
def endless():
    time.sleep(60)
quick(), endless()
print("done")
"""
    )
    done = run(script, env=sink.environment(), arguments=[model_server.base_url]).ok()
    assert 2 <= done.seconds_after("done") < 4
    (point,) = sink.latest("genai_otel.evaluation.results")
    assert point.attributes["gen_ai.evaluation.name"] == "quick"
    lost = {point.attributes["reason"]: point.value for point in sink.latest("genai_otel.dropped")}
    assert lost == {"unfinished": 1}


OWN = """
import sys, openai, genai_otel
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

reader, records = InMemoryMetricReader(), InMemoryLogRecordExporter()
loggers = LoggerProvider()
loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
genai_otel.setup(
    tracer_provider=TracerProvider(sampler=ALWAYS_ON if sys.argv[2] == "on" else ALWAYS_OFF),
    meter_provider=MeterProvider([reader]), logger_provider=loggers,
)
genai_otel.define_evaluation("grades", buckets=(10, 20, 30))
with openai.OpenAI(base_url=sys.argv[1], api_key="k") as client:
    for _ in range(2):
        response = client.chat.completions.create(model="gpt-4o-mini", messages=[])
        ref = genai_otel.response_ref()
        assert ref == genai_otel.response_ref(response) != ""
        genai_otel.record_evaluation(ref, "grades", 12)
        genai_otel.record_evaluation(ref, "grounded", score=True)
metrics = {metric.name: metric.data.data_points for resource in reader.get_metrics_data().resource_metrics
           for scope in resource.scope_metrics for metric in scope.metrics}
assert sorted(point.value for point in metrics["genai_otel.evaluation.results"]) == [2, 2]
assert sorted(point.sum for point in metrics["genai_otel.evaluation.score"]) == [2, 24]
found = [record.log_record for record in records.get_finished_logs()]
assert [record.event_name for record in found] == ["gen_ai.evaluation.result"] * 4
assert all(record.attributes["gen_ai.response.id"] and record.span_id for record in found)
"""


@pytest.mark.parametrize("sampling", ["on", "off"])
def test_with_providers_of_the_program(sampling: str, model_server: ModelServer) -> None:
    assert run(OWN, arguments=[model_server.base_url, sampling]).ok().err == ""


WHOSE = """
with genai_otel.context(tenant="acme", session="s1"):
    with openai.OpenAI(base_url=sys.argv[1], api_key="k") as client:
        response = client.chat.completions.create(model="gpt-4o-mini", messages=[])
print(genai_otel.response_ref(response))
"""


@pytest.mark.seed_rows("001-12", "002-34")
def test_labels_that_the_user_allows_are_those_of_the_call(sink: HttpSink, model_server: ModelServer) -> None:
    env = {**sink.environment(), "GENAI_OTEL_METRIC_KEYS": "tenant"}
    ref = run(ASKS + WHOSE, env=env, arguments=[model_server.base_url]).ok().out.splitlines()[-1]
    sink.clear()
    run(JUDGES, env=env, arguments=[ref, "thumbs"]).ok()
    (event,) = results(sink)
    for attributes in (event.attributes, sink.latest("genai_otel.evaluation.results")[0].attributes):
        assert attributes["genai_otel.tenant"] == "acme"
        assert "session.id" not in attributes
