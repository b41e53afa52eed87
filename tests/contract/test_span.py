"""Our span class beside the SDK's: what a program does to a call's span while it is current comes out alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Span, SpanContext, Status, StatusCode, TraceFlags

from genai_otel.engine.call import open_calls
from genai_otel.engine.span import CallSpan
from genai_otel.runtime import current
from genai_otel.testing.in_memory import Telemetry

OTHER = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1))
DIFFERS = ("gen_ai.response.id", "gen_ai.response.time_to_first_chunk", "genai_otel.stream.time_per_chunk")


def many_events(span: Span) -> None:
    for number in range(200):
        span.add_event(f"e{number}", None, 5)


def many_links(span: Span) -> None:
    for number in range(1, 200):
        span.add_link(SpanContext(7, number, is_remote=True))


def raised(span: Span) -> None:
    try:
        raise LookupError("gone")
    except LookupError as error:
        span.record_exception(error, {"extra": 1})


def ok_then_error(span: Span) -> None:
    span.set_status(Status(StatusCode.OK))
    span.set_status(StatusCode.ERROR, "late")


TOUCHES: dict[str, Callable[[Span], None]] = {
    "nothing": lambda _: None,
    "set_attribute": lambda span: span.set_attribute("a", 1),
    "set_attributes": lambda span: span.set_attributes({"a": "x", "b": [1, 2], "c": True, "d": 1.5}),
    "a fact of the call": lambda span: span.set_attribute("gen_ai.request.model", "other"),
    "add_event": lambda span: span.add_event("e", {"k": [1, 2]}, 5),
    "many events": many_events,
    "add_link": lambda span: span.add_link(OTHER, {"k": "v"}),
    "many links": many_links,
    "record_exception": raised,
    "update_name": lambda span: span.update_name("mine"),
    "error": lambda span: span.set_status(StatusCode.ERROR, "mine"),
    "ok, then error": ok_then_error,
    "unset": lambda span: span.set_status(StatusCode.UNSET),
}


def touched(client: openai.OpenAI, telemetry: Telemetry, touch: Callable[[Span], None]) -> ReadableSpan:
    """What was exported of a call whose span got ``touch`` while it was open."""
    telemetry.clear()
    with client.chat.completions.create(model="m", messages=[], stream=True) as stream:
        next(stream)
        (call,) = open_calls()
        touch(call.span)
        for _ in stream:
            pass
    return telemetry.span()


def told(span: ReadableSpan) -> dict[str, Any]:
    """All of a span that does not differ from call to call."""
    facts: dict[str, Any] = json.loads(span.to_json())
    for name in ("context", "start_time", "end_time"):
        facts.pop(name)
    for name in DIFFERS:
        facts["attributes"].pop(name, None)
    for event in facts["events"]:
        if event["name"] == "exception":
            event.pop("timestamp")
    facts["dropped"] = (span.dropped_attributes, span.dropped_events, span.dropped_links)
    facts["scope"] = str(span.instrumentation_scope)
    return facts


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_a_touched_span_comes_out_as_the_sdks_own(
    touch: Callable[[Span], None],
    client: openai.OpenAI,
    telemetry: Telemetry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = touched(client, telemetry, touch)
    handle = current()
    assert handle is not None
    monkeypatch.setattr(handle.pipeline, "watched", True)  # as with a processor of the program's
    theirs = touched(client, telemetry, touch)
    assert told(ours) == told(theirs)


def test_the_live_span_reads_like_the_sdks(client: openai.OpenAI, telemetry: Telemetry) -> None:
    read: dict[str, Any] = {}

    def look(span: Span) -> None:
        assert isinstance(span, CallSpan)
        assert span.is_recording()
        span.set_attribute("mine", 1)
        span.add_event("seen", {"a": 1})
        span.add_link(OTHER)
        for name in ("name", "kind", "context", "parent", "start_time", "end_time", "resource", "attributes"):
            read[name] = getattr(span, name)
        assert [event.name for event in span.events] == ["seen"]
        assert [link.context for link in span.links] == [OTHER]

    span = touched(client, telemetry, look)
    assert read.pop("end_time") is None
    attributes = read.pop("attributes")
    assert attributes["mine"] == 1
    assert attributes.items() <= dict(span.attributes or {}).items()
    assert read == {name: getattr(span, name) for name in read}


def test_nobody_but_the_engine_ends_a_calls_span(client: openai.OpenAI, telemetry: Telemetry) -> None:
    span = touched(client, telemetry, lambda span: span.end())
    assert span.attributes is not None
    assert span.attributes["genai_otel.outcome"] == "completed"
    assert span.attributes["genai_otel.stream.chunks"] > 1  # type: ignore[operator]


def test_an_ended_span_takes_nothing_more(client: openai.OpenAI, telemetry: Telemetry) -> None:
    kept: list[Span] = []
    before = told(touched(client, telemetry, kept.append))
    for touch in TOUCHES.values():
        touch(kept[0])
    kept[0].set_attribute("late", 1)
    assert told(telemetry.span()) == before
    assert not kept[0].is_recording()
