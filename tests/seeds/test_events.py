"""Analytics: what happened is a log record of its trace, or about a response of before, with nobody's name in it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry.trace import SpanContext

import genai_otel
from genai_otel.testing import Telemetry
from tests.harness.calls import chat
from tests.harness.process import run
from tests.harness.sink import HttpSink


def context_of(span: Any) -> SpanContext:
    return span.context


@pytest.mark.seed_rows("004-29", "004-31")
def test_what_was_made_is_an_event_with_typed_facts_and_no_user(client: Any, telemetry: Telemetry) -> None:
    with genai_otel.context(user="ada@example.com", session="s-1"), genai_otel.workflow("memes"):
        chat(client)
        genai_otel.event("meme.generated", template="drake", seconds=1.4, quality=0.9, layers=3)
    (record,) = [each.log_record for each in telemetry.logs()]
    said = dict(record.attributes or {})
    hashed = said.pop("user.hash")
    assert isinstance(hashed, str) and len(hashed) == 32
    assert said == {"session.id": "s-1", "template": "drake", "seconds": 1.4, "quality": 0.9, "layers": 3}
    assert "ada" not in repr(record)
    workflow = telemetry.calls()[-1]
    assert (record.trace_id, record.span_id) == (context_of(workflow).trace_id, context_of(workflow).span_id)
    assert record.timestamp or record.observed_timestamp


@pytest.mark.seed_rows("004-32")
def test_what_becomes_of_it_later_is_at_its_response(client: Any, telemetry: Telemetry) -> None:
    response = chat(client)
    ref = genai_otel.response_ref()
    chat(client, "gpt-4o")
    with genai_otel.context(user="grace"):
        genai_otel.event("meme.interaction", about=ref, kind="share", platform="web")
    (record,) = [each.log_record for each in telemetry.logs()]
    made = next(span for span in telemetry.calls() if span.name == "chat gpt-4o-mini")
    assert (record.trace_id, record.span_id) == (context_of(made).trace_id, context_of(made).span_id)
    said = dict(record.attributes or {})
    assert said.pop("user.hash")
    assert said == {
        "gen_ai.response.id": response.id,
        "gen_ai.request.model": "gpt-4o-mini",
        "kind": "share",
        "platform": "web",
    }


@pytest.mark.parametrize("bad", ["", "nonsense", "gr1.e30.AAAA", 7])
def test_an_event_about_nothing_is_refused(
    bad: Any, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        genai_otel.event("meme.interaction", about=bad)
    assert telemetry.logs() == []


@pytest.mark.process
@pytest.mark.seed_rows("004-32")
def test_another_process_tells_of_it(sink: HttpSink, client: Any, telemetry: Telemetry) -> None:
    chat(client)
    script = """
    import sys, genai_otel
    genai_otel.setup()
    genai_otel.event("meme.interaction", about=sys.argv[1], kind="like")
    """
    run(script, env=sink.environment(), arguments=[genai_otel.response_ref()]).ok()
    (log,) = [each for each in sink.logs() if each.event == "meme.interaction"]
    assert int(log.span_id, 16) == context_of(telemetry.span()).span_id


@pytest.mark.seed_rows("004-09", "004-10")
def test_look_ups_are_counted_and_timed_by_what_they_found(client: Any, telemetry: Telemetry) -> None:
    kept: dict[str, str] = {"seen": "answer"}

    @genai_otel.cache("answers")
    def look_up(question: str) -> str | None:
        return kept.get(question)

    for question in ("seen", "new", "seen"):
        if look_up(question) is None:
            chat(client)  # whose own cache is the vendor's
    metrics = telemetry.metrics()
    result = "genai_otel.cache.result"
    counted = {each.attributes[result]: each.value for each in metrics["genai_otel.cache.operations"]}
    timed = {each.attributes[result]: each.count for each in metrics["genai_otel.cache.duration"]}
    assert counted == timed == {"hit": 2, "miss": 1}
    assert all(0 < each.sum < 1 and each.bounds[0] == 0.0001 for each in metrics["genai_otel.cache.duration"])
    (call,) = [span for span in telemetry.calls() if span.name.startswith("chat")]
    assert (call.attributes or {})["gen_ai.usage.cache_read.input_tokens"] == 4
