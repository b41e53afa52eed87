"""What the recorded spans do not show: other spans untouched and cheap, model servers, values that are none."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode

from genai_otel.processing.dialects import operation, recognised, translated
from genai_otel.processing.measure import client
from genai_otel.processing.owner import Owners
from genai_otel.processing.processor import Pipeline
from genai_otel.processing.sampler import MeasuringSampler
from tests.golden.replay import Replayed, replayed
from tests.harness.guarding import attributes_of, ended, has

SERVED: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "vllm",
    "gen_ai.request.model": "m",
    "gen_ai.usage.prompt_tokens": 30,
    "gen_ai.usage.completion_tokens": 5,
    "gen_ai.response.time_to_first_chunk": 0.0005,
}


def seen(kind: str = "CLIENT", **attributes: Any) -> Replayed:
    one: dict[str, Any] = {
        "began": 1,
        "ended": 2,
        "name": "x",
        "kind": kind,
        "scope": "theirs",
        "status": "UNSET",
    }
    return replayed([{**one, "events": (), "start": attributes, "end": attributes}])


class Added(SpanProcessor):
    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class Kept:
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def emit(self, span: ReadableSpan) -> None:
        self.spans.append(span)

    def shutdown(self) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return timeout_millis > 0


@pytest.mark.parametrize(
    "attributes",
    [{"http.request.method": "GET"}, {"session.id": "s"}, {}, {"gen_ai.operation.name": "execute_tool"}],
)
def test_a_span_that_needs_no_change_is_the_very_same_object(attributes: dict[str, Any]) -> None:
    (span,), kept = ended(lambda span: span.set_attributes(attributes)), Kept()
    Pipeline(client(), None, [kept]).on_end(span)
    assert [id(one) for one in kept.spans] == [id(span)]
    assert not recognised(None)


def test_nothing_is_changed_of_a_span_that_needs_nothing() -> None:
    spans = ended(has(gen_ai__operation__name="execute_tool", gen_ai__tool__name="t"))
    said = translated(spans[0])
    assert said.changed == {}
    assert said.replaced == frozenset()


def test_a_server_measures_its_own_names_and_no_tokens() -> None:
    (measured,) = [seen("SERVER", **SERVED).measured]
    names = sorted(name for name, _ in measured)
    assert names == [
        "gen_ai.server.request.duration",
        "gen_ai.server.time_per_output_token",
        "gen_ai.server.time_to_first_token",
    ]
    assert all(("gen_ai.provider.name", "vllm") in labels for _, labels in measured)


def test_vllm_of_an_older_version_measures_the_same_names() -> None:
    older: dict[str, Any] = {
        "gen_ai.response.model": "m",
        "gen_ai.request.id": "cmpl-1-0",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.usage.num_sequences": 1,
        "gen_ai.usage.prompt_tokens": 30,
        "gen_ai.usage.completion_tokens": 5,
        "gen_ai.latency.time_in_queue": 0.0001,
        "gen_ai.latency.time_to_first_token": 0.0005,
        "gen_ai.latency.e2e": 0.001,
        "gen_ai.latency.time_in_scheduler": 0.0001,
        "gen_ai.latency.time_in_model_forward": 1.0,
    }
    measured = seen("SERVER", **older).measured
    assert {name for name, _ in measured} == {name for name, _ in seen("SERVER", **SERVED).measured}
    assert {labels for _, labels in measured} == {
        frozenset({
            ("gen_ai.provider.name", "vllm"),
            ("gen_ai.operation.name", "text_completion"),
            ("gen_ai.response.model", "m"),
        })
    }  # fmt: skip


def test_a_server_of_tools_measures_nothing() -> None:
    assert seen("SERVER", **{"gen_ai.operation.name": "execute_tool"}).measured == {}


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("chat gpt-4o", True),  # as the conventions name it
        ("chat", True),
        ("openai.response", True),
        ("OpenAI-generation", True),
        ("llm_request", True),
        ("GET /chat", False),
        ("chatter", False),
        ("", False),
    ],
)
def test_a_dropped_span_that_starts_with_a_name_alone_is_recorded_by_it(name: str, recorded: bool) -> None:
    span = TracerProvider(sampler=MeasuringSampler(ALWAYS_OFF)).get_tracer("theirs").start_span(name)
    assert span.is_recording() is recorded
    assert not span.get_span_context().trace_flags.sampled


def test_a_span_recorded_by_its_name_for_nothing_goes_to_nobody() -> None:
    pipeline: Any = Pipeline(client(), None)  # the SDK's annotation names its own classes
    added = Added()
    pipeline.add(added)
    provider = TracerProvider(sampler=MeasuringSampler(ALWAYS_OFF), active_span_processor=pipeline)
    provider.get_tracer("of the program").start_span("chat").end()
    assert added.ended == []


@pytest.mark.parametrize(
    ("attributes", "meant"),
    [
        ({"openinference.span.kind": "LLM"}, "chat"),
        ({"openinference.span.kind": "CHAIN"}, None),
        ({"langfuse.observation.type": "tool"}, "execute_tool"),
        ({"traceloop.span.kind": "agent"}, "invoke_agent"),
        ({"gen_ai.operation.name": "acompletion"}, "chat"),
        ({"gen_ai.operation.name": "a_word_of_theirs", "openinference.span.kind": "LLM"}, "a_word_of_theirs"),
        ({"llm.model_name": "m"}, None),
        ({"gen_ai.latency.e2e": 1.0, "gen_ai.request.id": "chatcmpl-1"}, "chat"),
        ({"gen_ai.latency.e2e": 1.0, "gen_ai.request.id": "0"}, "text_completion"),
        ({"gen_ai.latency.e2e": 1.0}, "text_completion"),
    ],
)
def test_operations(attributes: dict[str, Any], meant: str | None) -> None:
    assert operation(attributes) == meant


@pytest.mark.parametrize(
    "attributes",
    [
        {"llm.invocation_parameters": "{" * 5000, "llm.token_count.prompt": "many"},
        {"llm.invocation_parameters": '{"max_tokens": "Infinity"', "llm.finish_reason": ""},
        {"llm.invocation_parameters": '["a"]', "llm.token_count.prompt": -1},
        {
            "llm.invocation_parameters": '{"max_tokens": 1' + " " * 100_000 + "}",
            "llm.token_count.prompt": 1.5,
        },
    ],
)
def test_what_cannot_be_read_is_nothing(attributes: dict[str, Any]) -> None:
    measured = seen(**{"openinference.span.kind": "LLM", **attributes})
    assert attributes_of(measured.owning).keys() == {
        "openinference.span.kind", "gen_ai.operation.name", "genai_otel.measured", *attributes,
    } - {"llm.invocation_parameters"}  # fmt: skip


def test_older_messages_by_index() -> None:
    span = seen(**{
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.completion.1.finish_reason": "length",
    }).owning  # fmt: skip
    assert attributes_of(span)["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert attributes_of(span)["gen_ai.provider.name"] == "openai"


def test_what_anthropic_counts_beside_its_totals_is_used_all_the_same() -> None:
    said: dict[str, Any] = {
        "anthropic.request.id": "req_1",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
        "anthropic.usage.compaction.input_tokens": 100,
        "anthropic.usage.compaction.output_tokens": 30,
        "anthropic.message.stop_reason": "refusal",
    }
    told = attributes_of(seen(**said).owning)
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (112, 37)
    assert told["gen_ai.response.finish_reasons"] == ("content_filter",)


@pytest.mark.parametrize(
    ("said", "prefix", "total"),
    [
        (6, "gen_ai.usage.{}_tokens", "gen_ai.usage.total_tokens"),
        (12, "gen_ai.usage.{}_tokens", "gen_ai.usage.total_tokens"),
        (6, "llm.token_count.{}", "llm.token_count.total"),
        (12, "llm.token_count.{}", "llm.token_count.total"),
    ],
)
def test_a_total_tells_whether_cached_tokens_are_in_the_input(said: int, prefix: str, total: str) -> None:
    attributes: dict[str, Any] = {
        "openinference.span.kind": "LLM",
        "gen_ai.system": "anthropic",
        prefix.format("prompt"): said,
        prefix.format("completion"): 7,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cache_write_input_tokens": 2,
        total: 19,
    }
    assert attributes_of(seen(**attributes).owning)["gen_ai.usage.input_tokens"] == 12


@pytest.mark.parametrize(
    ("route", "meant"),
    [
        ("/v1/messages/count_tokens", "count_tokens"),
        ("/v1/messages/batches/{message_batch_id}/results", "fetch_batch"),
        ("/v1/messages/batches", None),  # handing one in and listing them have the same address
    ],
)
def test_what_anthropic_names_by_its_address_alone(route: str, meant: str | None) -> None:
    told = {"anthropic.request.id": "req_1", "http.route": route, "anthropic.message.batch.id": "msgbatch_1"}
    assert operation(told) == meant


def test_an_error_without_a_name_is_an_error() -> None:
    def fail(span: Any) -> None:
        span.set_attributes({"langfuse.observation.type": "generation"})
        span.set_status(Status(StatusCode.ERROR, "what was said"))

    assert translated(ended(fail)[0]).changed["error.type"] == "_OTHER"


def _ends(*ends: int, scope: str = "theirs", nameless: bool = False, told: Any = None) -> list[bool]:
    """Which of spans of one library, each from 0 to one of ``ends``, stand for calls of ours that ended at 5 and 6."""
    owners = Owners()
    owners.count(({}, 5, SpanContext(1, 1, is_remote=False), None, None))
    said = {"gen_ai.response.id": "id", "gen_ai.usage.input_tokens": 12}
    owners.count((said, 6, SpanContext(2, 2, is_remote=False), None, None))
    spans = [
        ReadableSpan("x", start_time=1, end_time=end, instrumentation_scope=InstrumentationScope(scope))
        for end in ends
    ]
    return [owners.is_counted(span, told or {}, nameless=nameless) for span in spans]


def test_a_call_accounts_for_one_span_of_a_library_that_tells_no_id() -> None:
    assert _ends(4, 7, 8) == [False, True, False]
    assert _ends(4, 7, 8, 9, nameless=True) == [False, True, True, False]


def test_a_span_without_an_id_is_the_call_that_used_as_much() -> None:
    used = {"gen_ai.usage.input_tokens": 12}
    assert _ends(4, 7, 8, 9, told=used) == [False, True, True, False]
    assert _ends(7, 8, told={**used, "gen_ai.response.id": "another"}) == [False, False]


def test_copies_keep_the_count_of_what_was_dropped() -> None:
    few = SpanLimits(max_span_attributes=2)
    (original,) = ended(has(a=1, gen_ai__operation__name="chat", gen_ai__system="xai"), span_limits=few)
    kept = Kept()
    Pipeline(client(), None, [kept]).on_end(original)
    assert attributes_of(kept.spans[0])["gen_ai.provider.name"] == "x_ai"
    assert kept.spans[0].dropped_attributes == original.dropped_attributes == 1


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("weather.tool", {"traceloop.span.kind": "tool", "traceloop.entity.name": "weather"}),
        ("execute_tool weather", {"gen_ai.operation.name": "execute_tool"}),
        ("tool", {"openinference.span.kind": "TOOL", "tool.name": "weather"}),
        ("ai.toolCall", {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "weather"}),
    ],
)
def test_a_tool_has_its_name_in_any_dialect(name: str, attributes: dict[str, Any]) -> None:
    one = {"began": 1, "ended": 2, "name": name, "kind": "INTERNAL", "scope": "theirs", "status": "UNSET"}
    steps = replayed([{**one, "events": (), "start": attributes, "end": attributes}]).steps
    assert {frozenset(labels) for _, labels in steps} == {frozenset({("gen_ai.tool.name", "weather")})}
