"""What was said stays inside by default, in whatever words a library calls it; the facts about it leave."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, Status, StatusCode

from genai_otel import semconv
from genai_otel.guard.content import is_content
from tests.harness.guarding import CANARY, KEY, ended, exported, guarded, has

CONTENT = [
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents", "gen_ai.memory.records", "gen_ai.prompt", "gen_ai.completion",
    "gen_ai.prompt.0.content", "gen_ai.completion.0.tool_calls.0.arguments", "gen_ai.prompt.variable.name",
    "gen_ai.content.prompt", "gen_ai.choice", "gen_ai.user.message", "gen_ai.framework.error.message", "llm.prompts",
    "llm.input_messages.0.message.content", "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "llm.invocation_parameters", "llm.tools.0.tool.json_schema", "llm.openai.messages",
    "llm.prompt_template.variables", "input.value", "output.value", "embedding.embeddings.0.embedding.text",
    "retrieval.documents.0.document.content", "reranker.query", "traceloop.entity.input", "traceloop.entity.output",
    "langfuse.observation.input", "gcp.vertex.agent.llm_request", "tool_arguments", "tool_response",
    "all_messages_events", "request_data", "llm.function_call", "input.images", "output.documents",
    "ai.prompt.messages", "ai.response.text", "ai.response.toolCalls", "ai.response.object", "ai.toolCall.args",
    "ai.toolCall.result", "mlflow.spanInputs", "mlflow.chat.messages", "gen_ai.tool.args",
    "gen_ai.request.structured_output_schema", "error.message", "error.stack_trace", "exception.message",
    "crewai.task.description", "crewai.task.name", "crewai.agent.backstory", "crewai.memory.metadata",
    "crewai.reasoning.plan", "agent.goal", "tool.task_name",
    "gen_ai.response.0.image.base64", "gen_ai.response.0.image.url", "gen_ai.response.0.video.public_url",
]  # fmt: skip
FACTS = [
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system", "gen_ai.request.model", "gen_ai.response.id",
    "gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens",
    "gen_ai.usage.text.input_tokens", "gen_ai.token.type", "gen_ai.output.type", "gen_ai.prompt.name",
    "gen_ai.prompt.version", "gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.agent.description",
    "gen_ai.conversation.id", "gen_ai.request.stop_sequences", "gen_ai.data_source.id",
    "gen_ai.input.messages_ref", "llm.model_name", "llm.token_count.prompt", "llm.usage.total_tokens",
    "llm.request.type", "traceloop.entity.name", "input.mime_type", "retrieval.documents.0.document.id",
    "genai_otel.outcome", "http.request.method", "url.full", "db.query.text", "message.id", "exception.message",
    "output.format", "content.length", "ai.model.id", "ai.toolCall.name", "ai.usage.promptTokens",
    "anthropic.message.stop_reason", "crewai.agent.role", "crewai.event_name", "crewai.crew.process",
]  # fmt: skip


@pytest.mark.parametrize("name", CONTENT)
def test_content_stays_inside_by_default(name: str) -> None:
    spans = ended(lambda span: span.set_attributes({semconv.OPERATION_NAME: "chat", name: CANARY}))
    assert CANARY.encode() not in exported(guarded(spans))
    assert guarded(spans, content_on_spans=True)[0] is spans[0]


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_no_content(name: str) -> None:
    assert not is_content(name)


def test_numbers_under_a_name_of_content_are_facts() -> None:
    spans = ended(has(gen_ai__prompt__0__parallel_tool_calls=True, gen_ai__output__n=3))
    assert guarded(spans)[0] is spans[0]


@pytest.mark.parametrize("event", ["gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt"])
def test_events_of_messages_go_as_a_whole(event: str) -> None:
    def write(span: Span) -> None:
        span.add_event(event, {"content": CANARY})
        span.add_event("gen_ai.client.inference.operation.details", {"gen_ai.input.messages": CANARY, "n": 1})
        span.add_event("retry", {"attempt": 1})

    spans = ended(write)
    (span,) = guarded(spans)
    assert CANARY.encode() not in exported([span])
    assert [event.name for event in span.events] == ["gen_ai.client.inference.operation.details", "retry"]
    assert span.dropped_events == 0, "a policy is no loss"
    assert guarded(spans, content_on_spans=True)[0] is spans[0]


def failed(error: Exception, **attributes: Any) -> list[ReadableSpan]:
    """The span of a call that raised, recorded as the SDK records it."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with (
        pytest.raises(type(error)),
        provider.get_tracer("test").start_as_current_span("outer"),
        provider.get_tracer("test").start_as_current_span("inner", attributes=attributes),
    ):
        raise error
    return list(memory.get_finished_spans())


@pytest.mark.seed_rows("001-40", "003-21", "004-26")
def test_the_text_of_a_genai_exception_is_content_its_class_is_not() -> None:
    spans = failed(ValueError(f"bad request: {CANARY}"), **{semconv.OPERATION_NAME: "chat"})
    inner = guarded(spans)[0]
    assert CANARY.encode() not in exported([inner])
    (event,) = inner.events
    assert dict(event.attributes or {}) == {"exception.type": "ValueError", "exception.escaped": "False"}
    assert inner.status.status_code is StatusCode.ERROR
    assert inner.status.description == "ValueError"
    assert guarded(spans, content_on_spans=True)[0] is spans[0]


def test_the_same_exception_on_the_spans_around_is_as_silent() -> None:
    openai: Any = pytest.importorskip("openai")
    spans = failed(openai.OpenAIError(f"your input {CANARY} is refused"))
    assert CANARY.encode() not in exported(guarded(spans))


def test_an_exception_that_passed_through_a_client_is_silent_by_its_stack_trace() -> None:
    import openai

    def write(span: Span) -> None:
        try:
            openai.OpenAI(api_key=KEY).chat.completions.parse(messages=[], model="m", response_format=object)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        except TypeError as error:
            span.record_exception(error, {"exception.message": CANARY})
            span.set_status(Status(StatusCode.ERROR, CANARY))

    (span,) = guarded(ended(write))
    assert span.events, "the client refuses the response format before it sends anything"
    assert CANARY.encode() not in exported([span])


def test_exceptions_of_other_spans_keep_their_text() -> None:
    spans = failed(ValueError("no such table"))
    kept = guarded(spans)
    assert all(mine is theirs for mine, theirs in zip(kept, spans, strict=True))


def test_arguments_without_a_namespace_stay_inside_on_a_span_of_a_genai_library_only() -> None:
    said = has(system_prompt=CANARY, tools=CANARY, prompt=CANARY)
    (span,) = guarded(ended(lambda span: (said(span), has(gen_ai__system="x", model="m")(span))[0]))
    assert dict(span.attributes or {}) == {"gen_ai.system": "x", "model": "m"}
    (other,) = guarded(ended(said))
    assert set(other.attributes or {}) == {"system_prompt", "tools", "prompt"}


def test_of_mlflows_arguments_only_known_facts_leave() -> None:
    has_all = has(
        mlflow__spanType='"CHAT_MODEL"', model='"m"', temperature="0.5", extra_body=CANARY, user=CANARY
    )
    (span,) = guarded(ended(has_all))
    assert set(span.attributes or {}) == {"mlflow.spanType", "model", "temperature"}


def test_names_that_are_members_of_an_enum_leave_as_text() -> None:
    class Name(str, Enum):
        MODEL = "gen_ai.request.model"
        SAID = "gen_ai.input.messages"

    spans = ended(has(a=1), has(b=1))
    named: Any = {Name.MODEL: "m", Name.SAID: CANARY}
    (span,) = guarded([_with(spans[0], named)])
    assert dict(span.attributes or {}) == {"gen_ai.request.model": "m"}
    assert all(type(name) is str for name in span.attributes or {})


def _with(span: ReadableSpan, attributes: Any) -> ReadableSpan:
    return ReadableSpan(span.name, span.context, attributes=attributes, resource=span.resource)


def test_of_crewais_agents_the_goal_stays_inside_under_whatever_name() -> None:
    spans = ended(has(crewai__event_name="x", gen_ai__agent__description=CANARY, crew_tasks=CANARY))
    (span,) = guarded(spans)
    assert dict(span.attributes or {}) == {"crewai.event_name": "x"}


@pytest.mark.parametrize(
    ("name", "leaves"),
    [
        (f"helper.{CANARY}.execute", "helper.[REDACTED]"),
        (f"{CANARY}.task", "[REDACTED]"),
        ("chat gpt-4o", "chat gpt-4o"),
        ("lookup", "lookup"),  # which a fact says, too
    ],
)
def test_a_name_leaves_without_what_was_said(name: str, leaves: str) -> None:
    said = {"task_description": CANARY, "input.value": "lookup", "output.value": "cha"}
    spans = ended(has(openinference__span__kind="AGENT", tool__name="lookup", **said), name=name)
    assert [span.name for span in guarded(spans)] == [leaves]
    assert [span.name for span in guarded(spans, content_on_spans=True)] == [name]
