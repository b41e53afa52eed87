"""Calls that the program reports itself: raw HTTP against a real server, as nobody's client makes them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import openai
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

import genai_otel
from genai_otel import fence
from genai_otel.engine import call as calls
from genai_otel.manual.inferring import Inference
from genai_otel.testing import ModelServer
from genai_otel.testing.in_memory import Telemetry
from tests.harness.process import run

SAID = [{"role": "user", "content": "hi"}]


pytestmark = pytest.mark.usefixtures("either_span_class", "nothing_is_left")


@pytest.fixture
def url(model_server: ModelServer) -> str:
    return f"{model_server.base_url}/chat/completions"


def call_of(url: str, model: str = "gpt-4o-mini", **request: Any) -> Inference:
    return genai_otel.inference("chat", provider="mine", model=model, url=url, **request)


def body(model: str = "gpt-4o-mini", *, stream: bool = False) -> dict[str, Any]:
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return {"model": model, "messages": SAID, "stream": stream, **options}


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("data: {"):
            yield json.loads(line[6:])


def reading(call: Inference) -> Any:
    """What a program does with each event of OpenAI's."""

    def read(event: Mapping[str, Any]) -> None:
        call.response(model=event.get("model"), id=event.get("id"))
        if usage := event.get("usage"):
            call.response(input_tokens=usage["prompt_tokens"], output_tokens=usage["completion_tokens"])

    return read


def facts(telemetry: Telemetry) -> Mapping[str, Any]:
    return telemetry.span().attributes or {}


def identity(span: ReadableSpan | None) -> SpanContext:
    context = None if span is None else span.context
    assert context is not None
    return context


def outcome(telemetry: Telemetry) -> tuple[Any, Any]:
    found = facts(telemetry)
    return found["genai_otel.outcome"], found.get("error.type")


# --- whole answers ----------------------------------------------------------------------------------------------------


def test_a_raw_call_is_recorded_as_a_clients(telemetry: Telemetry, url: str) -> None:
    with call_of(url, max_tokens=100, temperature=0.5, stop_sequences="END", stream=False) as call:
        answer = httpx.post(url, json=body()).json()
        usage = answer["usage"]
        call.response(
            model=answer["model"],
            id=answer["id"],
            finish_reasons=["stop"],
            input_tokens=usage["prompt_tokens"],
            output_tokens=usage["completion_tokens"],
            cached_tokens=0,
        )
    span = telemetry.span()
    assert (span.name, span.kind, span.status.is_unset) == ("chat gpt-4o-mini", trace.SpanKind.CLIENT, True)
    port = httpx.URL(url).port
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mine",
        "gen_ai.request.model": "gpt-4o-mini",
        "server.address": "127.0.0.1",
        "server.port": port,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": answer["model"],
        "gen_ai.response.id": answer["id"],
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "genai_otel.outcome": "completed",
        "genai_otel.measured": True,
    }
    metrics = telemetry.metrics()
    assert [point.count for point in metrics["gen_ai.client.operation.duration"]] == [1]
    assert sorted(point.sum for point in metrics["gen_ai.client.token.usage"]) == [7, 12]
    assert "gen_ai.client.operation.time_to_first_chunk" not in metrics


def test_what_was_not_reported_is_absent(telemetry: Telemetry, url: str) -> None:
    with call_of(url) as call:
        call.response(model=None, input_tokens=None)
    assert not [name for name in facts(telemetry) if name.startswith(("gen_ai.usage", "gen_ai.response"))]
    assert "gen_ai.client.token.usage" not in telemetry.metrics()


def test_the_http_request_is_inside_and_carries_its_headers_to_hosts_of_ours(
    telemetry: Telemetry, model_server: ModelServer, url: str
) -> None:
    with call_of(url):
        httpx.post(url, json=body())
    (request,) = model_server.requests
    inner = [span for span in telemetry.spans() if span.name.startswith("POST")]
    owner = telemetry.span()
    for span in inner:  # where the instrumentation of httpx is installed
        assert span.parent is not None
        assert span.parent.span_id == identity(owner).span_id
        assert f"{identity(owner).trace_id:032x}" in dict(request.headers)["traceparent"]


def test_a_clients_call_inside_is_part_of_it(telemetry: Telemetry, url: str, client: openai.OpenAI) -> None:
    with call_of(url) as call:
        client.chat.completions.create(model="gpt-4o-mini", messages=SAID)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        with genai_otel.inference(provider="other", model="m") as inner:
            inner.response(input_tokens=1)
        call.response(input_tokens=5)
    assert facts(telemetry)["gen_ai.usage.input_tokens"] == 5
    assert [point.sum for point in telemetry.metrics()["gen_ai.client.token.usage"]] == [5]


def test_suppressed_it_does_nothing_and_gives_what_it_got(telemetry: Telemetry, url: str) -> None:
    seen: list[int] = []
    with suppress_instrumentation(), call_of(url) as call:
        call.response(input_tokens=1)
        call.chunk()
        call.failed("x")
        assert list(call.stream([1, 2], seen.append)) == [1, 2]
        assert list(call.stream([1, 2])) == [1, 2]
    assert seen == [1, 2]
    assert telemetry.calls() == []


def test_an_exception_passes_on_as_it_is(telemetry: Telemetry, url: str) -> None:
    with pytest.raises(httpx.HTTPStatusError) as raised, call_of(url, "error-429"):
        answer = httpx.post(url, json=body("error-429"))
        answer.raise_for_status()
    assert raised.value.__traceback__ is not None
    assert outcome(telemetry) == ("failed", "HTTPStatusError")
    assert facts(telemetry)["http.response.status_code"] == 429
    assert telemetry.span().status.status_code is trace.StatusCode.ERROR


def test_an_error_that_is_only_answered(telemetry: Telemetry, url: str) -> None:
    with call_of(url, "error-429") as call:
        answer = httpx.post(url, json=body("error-429"))
        call.response(status=answer.status_code)
        call.failed("rate_limit_exceeded")
    assert outcome(telemetry) == ("failed", "rate_limit_exceeded")
    assert facts(telemetry)["http.response.status_code"] == 429


def test_leaving_by_a_signal_or_a_cancellation(telemetry: Telemetry, url: str) -> None:
    with pytest.raises(KeyboardInterrupt), call_of(url):
        raise KeyboardInterrupt
    assert outcome(telemetry) == ("cancelled", None)


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_of_raw_sse(telemetry: Telemetry, url: str) -> None:
    model = "gpt-4o-mini+chunks-5+slow-first-50ms"
    with call_of(url, model) as call, httpx.stream("POST", url, json=body(model, stream=True)) as answer:
        said = list(call.stream(events(answer.iter_lines()), reading(call)))
        call.response(finish_reasons=["stop"])  # after the stream, before the block's end
    found = facts(telemetry)
    assert found["genai_otel.stream.chunks"] == len(said) > 5
    assert found["gen_ai.response.time_to_first_chunk"] >= 0.05
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.usage.output_tokens"] == 7
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    assert outcome(telemetry) == ("completed", None)
    metrics = telemetry.metrics()
    assert [point.count for point in metrics["gen_ai.client.operation.time_to_first_chunk"]] == [1]
    assert [point.count for point in metrics["gen_ai.client.operation.time_per_output_chunk"]] == [1]


async def asked(url: str, model: str, *, most: int | None = None) -> Inference:
    call = call_of(url, model)
    async with (
        httpx.AsyncClient() as http,
        call,
        http.stream("POST", url, json=body(model, stream=True)) as answer,
    ):
        number = 0
        async for _ in call.stream(answer.aiter_lines()):
            number += 1
            if number == most:
                break
    return call


def test_an_async_stream_of_raw_sse(telemetry: Telemetry, url: str) -> None:
    asyncio.run(asked(url, "gpt-4o-mini+chunks-5"))
    assert outcome(telemetry) == ("completed", None)
    assert facts(telemetry)["genai_otel.stream.chunks"] > 5


def test_streams_that_the_program_leaves(telemetry: Telemetry, url: str) -> None:
    asyncio.run(asked(url, "gpt-4o-mini+chunks-5", most=2))
    assert outcome(telemetry) == ("closed", None)
    assert facts(telemetry)["genai_otel.stream.chunks"] == 2


def test_a_stream_that_is_cut(telemetry: Telemetry, url: str) -> None:
    with pytest.raises(httpx.TransportError) as raised:
        asyncio.run(asked(url, "cut-after-2"))
    assert outcome(telemetry) == ("cut", type(raised.value).__qualname__)


def test_a_task_that_is_cancelled_while_it_waits_for_a_chunk(telemetry: Telemetry, url: str) -> None:
    async def main() -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asked(url, "hang-after-2"), 0.3)

    asyncio.run(main())
    assert outcome(telemetry) == ("cancelled", None)
    assert facts(telemetry)["genai_otel.stream.chunks"] > 0


def test_a_stream_that_the_block_returns_ends_the_call_itself(telemetry: Telemetry) -> None:
    def ask() -> Iterator[int]:
        with call_of("http://127.0.0.1") as call:
            return call.stream([1, 2, 3])

    chunks = ask()
    assert calls.open_calls() != ()
    assert list(chunks) == [1, 2, 3]
    assert outcome(telemetry) == ("completed", None)
    assert facts(telemetry)["genai_otel.stream.chunks"] == 3


def test_clients_calls_in_a_stream_that_is_read_elsewhere_are_part_of_it(telemetry: Telemetry) -> None:
    async def engine() -> AsyncIterator[int]:
        for number in range(3):
            with genai_otel.inference(provider="other", model="m") as inner:
                inner.response(input_tokens=1)
            yield number

    async def main() -> list[int]:
        chunks = call_of("http://127.0.0.1").start().stream(engine())
        found = [await anext(chunks)]
        return found + [number async for number in chunks]

    assert asyncio.run(main()) == [0, 1, 2]
    assert outcome(telemetry) == ("completed", None)
    assert "gen_ai.client.token.usage" not in telemetry.metrics()


@pytest.mark.parametrize("how", ["closed", "abandoned"])
def test_a_stream_without_a_block(telemetry: Telemetry, how: str) -> None:
    chunks: Any = call_of("http://127.0.0.1").start().stream([1, 2, 3])
    assert next(chunks) == 1
    if how == "closed":
        chunks.close()
    del chunks
    assert outcome(telemetry) == (how, None)


def test_a_generator_of_the_programs_own_that_is_closed(telemetry: Telemetry, caplog: Any) -> None:
    def ask() -> Iterator[int]:
        with call_of("http://127.0.0.1") as call:
            yield from call.stream([1, 2, 3])

    def steps() -> None:
        chunks: Any = ask()
        assert next(chunks) == 1
        threading.Thread(target=chunks.close).start()  # in another context than it began in

    contextvars.copy_context().run(steps)
    assert outcome(telemetry) == ("closed", None)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_an_async_generator_whose_consumer_goes_away(telemetry: Telemetry, caplog: Any) -> None:
    async def ask() -> AsyncIterator[int]:
        async with call_of("http://127.0.0.1") as call:
            for chunk in (1, 2, 3):
                call.chunk()
                await asyncio.sleep(0)
                yield chunk

    async def main() -> None:
        async for _ in ask():
            break
        gc.collect()
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert outcome(telemetry) == ("closed", None)
    assert facts(telemetry)["genai_otel.stream.chunks"] == 1
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_an_error_of_the_vendors_in_the_middle_of_a_stream(telemetry: Telemetry, url: str) -> None:
    model = "midstream-error-2"
    with call_of(url, model) as call, httpx.stream("POST", url, json=body(model, stream=True)) as answer:
        for event in call.stream(events(answer.iter_lines())):
            if "error" in event:
                call.failed(event["error"]["code"])
    assert outcome(telemetry) == ("failed", "overloaded")


def test_a_reader_of_chunks_that_raises_leaves_the_stream_alone(
    telemetry: Telemetry, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "_said", set[str]())

    def read(_: int) -> None:
        raise ValueError("mine")

    with call_of("http://127.0.0.1") as call:
        assert list(call.stream([1, 2], read)) == [1, 2]
    assert outcome(telemetry) == ("completed", None)
    assert "the function that reads the chunks of a stream raised ValueError" in caplog.text


def test_the_second_try_of_a_stream_is_the_one_that_counts(telemetry: Telemetry) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise httpx.ReadError("gone")

    with call_of("http://127.0.0.1") as call:
        with pytest.raises(httpx.ReadError):
            list(call.stream(broken()))
        assert list(call.stream([1, 2, 3])) == [1, 2, 3]
    assert outcome(telemetry) == ("completed", None)
    assert facts(telemetry)["genai_otel.stream.chunks"] == 3


# --- begin and end in different places --------------------------------------------------------------------------------


def test_begun_here_and_ended_in_another_thread(telemetry: Telemetry) -> None:
    call = call_of("http://127.0.0.1").start()
    assert not trace.get_current_span().get_span_context().is_valid

    def elsewhere() -> None:
        with call.inside():
            call.chunk()
            call.chunk()
            with trace.get_tracer("mine").start_as_current_span("inner"):
                pass
        call.response(output_tokens=2)
        call.end()
        call.end(ValueError("too late"))
        call.response(output_tokens=3)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert outcome(telemetry) == ("completed", None)
    (inner,) = [span for span in telemetry.spans() if span.name == "inner"]
    assert inner.parent is not None
    assert inner.parent.span_id == identity(telemetry.span()).span_id
    found = facts(telemetry)
    assert (found["genai_otel.stream.chunks"], found["gen_ai.usage.output_tokens"]) == (2, 2)


def test_begun_and_forgotten(telemetry: Telemetry) -> None:
    call_of("http://127.0.0.1").start()
    assert outcome(telemetry) == ("abandoned", None)


def test_ended_because_of_an_error(telemetry: Telemetry) -> None:
    call_of("http://127.0.0.1").start().end(TimeoutError("no answer"))
    assert outcome(telemetry) == ("failed", "TimeoutError")


def test_one_object_can_be_used_again(telemetry: Telemetry) -> None:
    call = call_of("http://127.0.0.1")
    for _ in range(2):
        with call:
            call.response(input_tokens=1)
    assert len(telemetry.calls()) == 2


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"input_tokens": -1}, "input_tokens of a call is -1; allowed is a whole number from 0"),
        ({"output_tokens": "12"}, "output_tokens of a call is of type str"),
        ({"output_tokens": 1.5}, "output_tokens of a call is 1.5"),
        ({"cached_tokens": True}, "cached_tokens of a call is of type bool"),
        ({"reasoning_tokens": 2**70}, "reasoning_tokens of a call is too large"),
        ({"model": 3}, "model of a call is 3; allowed is a text"),
        ({"finish_reasons": [1]}, "finish_reasons of a call is of type list; allowed is a list of texts"),
        ({"tokens": 3}, "no fact of a call is called 'tokens'"),
    ],
)
def test_bad_facts_are_named_once_counted_and_left_out(
    telemetry: Telemetry, caplog: Any, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(fence, "_said", set[str]())
    before = fence.drops().get(("spans", "bad_fact"), 0)
    with call_of("http://127.0.0.1") as call:
        call.response(**given)
        call.response(**given)
    assert [said in record.getMessage() for record in caplog.records] == [True]
    assert fence.drops()["spans", "bad_fact"] == before + 2
    assert not [name for name in facts(telemetry) if name.startswith(("gen_ai.usage", "gen_ai.response"))]


def test_a_call_that_cannot_be_named_is_one_all_the_same(telemetry: Telemetry) -> None:
    given: Any = {"operation": "dream", "provider": None, "model": 7, "url": "http://[", "max_tokens": "many"}
    with genai_otel.inference(**given):
        pass
    span = telemetry.span()
    assert span.name == "dream 7"
    assert (span.attributes or {})["gen_ai.provider.name"] == "_OTHER"
    assert "gen_ai.client.operation.duration" not in telemetry.metrics()


def test_numbers_of_other_libraries_count(telemetry: Telemetry) -> None:
    class Number:
        def __index__(self) -> int:
            return 3

    given: Any = {"output_tokens": Number()}
    with call_of("http://127.0.0.1") as call:
        call.response(**given)
    assert facts(telemetry)["gen_ai.usage.output_tokens"] == 3


# --- content ----------------------------------------------------------------------------------------------------------

CONTENT = """
import genai_otel
from genai_otel.testing import telemetry

recorded = telemetry()
with genai_otel.inference(provider="mine", model="m") as call:
    call.content(input="secret question", system="be kind", tools=[{"type": "function", "function": {"name": "f"}}])
    call.content(output=[{"role": "assistant", "parts": [{"type": "text", "content": "secret answer"}]}])
names = sorted(name for name in recorded.span().attributes if "messages" in name or "system" in name or "tool" in name)
print(names, "secret answer" in str(dict(recorded.span().attributes)), len(recorded.logs()))
"""


@pytest.mark.process
@pytest.mark.parametrize(
    ("mode", "names", "events"),
    [
        ("NO_CONTENT", [], 0),
        (
            "SPAN_AND_EVENT",
            [
                "gen_ai.input.messages",
                "gen_ai.output.messages",
                "gen_ai.system_instructions",
                "gen_ai.tool.definitions",
            ],
            1,
        ),
    ],
)
def test_content_is_kept_where_it_is_switched_on(mode: str, names: list[str], events: int) -> None:
    environment = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": mode}
    assert run(CONTENT, env=environment).ok().out == f"{names} {bool(names)} {events}\n"
