"""The same telemetry written by hand: what a straightforward developer does with the plain OpenTelemetry SDK.

One CLIENT span with eighteen attributes, set one by one, two histogram records and the cost in two parts per call, by
plain replaced methods.  No error classes, outcomes, budgets or dropped streams, and prices in a dictionary: it is the
yardstick, not a rival.
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

CONTENT = os.environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "").upper() == "SPAN_ONLY"

RATES = {
    "gpt-4o-mini-2024-07-18": (0.15e-6, 0.6e-6),
    "text-embedding-3-small": (0.02e-6, 0.0),
}
"""US dollars per token of input and of output."""


class Floor:
    """The tracer and the two instruments, and one wrapper per shape of call."""

    def __init__(self) -> None:
        meter = metrics.get_meter("floor")
        self.tracer = trace.get_tracer("floor")
        self.duration = meter.create_histogram("gen_ai.client.operation.duration", "s")
        self.tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")
        self.cost = meter.create_counter("genai_otel.client.cost", "USD")

    def patch(self) -> None:
        from openai.resources.chat.completions import AsyncCompletions, Completions
        from openai.resources.embeddings import Embeddings
        from openai.resources.responses import Responses

        for owner, operation in ((Completions, "chat"), (Responses, "chat"), (Embeddings, "embeddings")):
            setattr(owner, "create", self.wrap(owner.create, operation))  # noqa: B010 - types forbid the plain form
        setattr(AsyncCompletions, "create", self.wrap_async(AsyncCompletions.create, "chat"))  # noqa: B010 - same

    def wrap(self, original: Callable[..., Any], operation: str) -> Callable[..., Any]:
        @functools.wraps(original)
        def create(resource: Any, **arguments: Any) -> Any:
            record = Record(self, resource, operation, arguments)
            if arguments.get("stream"):
                span = record.span = self.tracer.start_span(record.name, kind=SpanKind.CLIENT)
                with trace.use_span(span, end_on_exit=False):
                    record.request()
                    return FollowedStream(original(resource, **arguments), record)
            with self.tracer.start_as_current_span(record.name, kind=SpanKind.CLIENT) as span:
                record.span = span
                record.request()
                result = original(resource, **arguments)
                record.result(result)
                return result

        return create

    def wrap_async(self, original: Callable[..., Any], operation: str) -> Callable[..., Any]:
        @functools.wraps(original)
        async def create(resource: Any, **arguments: Any) -> Any:
            record = Record(self, resource, operation, arguments)
            if arguments.get("stream"):
                span = record.span = self.tracer.start_span(record.name, kind=SpanKind.CLIENT)
                with trace.use_span(span, end_on_exit=False):
                    record.request()
                    return FollowedAsyncStream(await original(resource, **arguments), record)
            with self.tracer.start_as_current_span(record.name, kind=SpanKind.CLIENT) as span:
                record.span = span
                record.request()
                result = await original(resource, **arguments)
                record.result(result)
                return result

        return create


class Record:
    """What is written down about one call."""

    span: Span

    def __init__(self, floor: Floor, resource: Any, operation: str, arguments: Mapping[str, Any]) -> None:
        self.floor = floor
        self.operation = operation
        self.arguments = arguments
        self.url = resource._client.base_url
        self.started = time.perf_counter()
        self.name = f"{operation} {arguments.get('model')}"

    def request(self) -> None:
        span, arguments = self.span, self.arguments
        span.set_attribute("gen_ai.operation.name", self.operation)
        span.set_attribute("gen_ai.provider.name", "openai")
        span.set_attribute("gen_ai.request.model", arguments["model"])
        span.set_attribute("server.address", self.url.host)
        span.set_attribute("server.port", self.url.port or 443)
        if "temperature" in arguments:
            span.set_attribute("gen_ai.request.temperature", arguments["temperature"])
        if "max_tokens" in arguments:
            span.set_attribute("gen_ai.request.max_tokens", arguments["max_tokens"])
        span.set_attribute("gen_ai.request.choice.count", arguments.get("n") or 1)
        span.set_attribute("gen_ai.output.type", "text")
        span.set_attribute("gen_ai.request.stream", bool(arguments.get("stream")))
        if CONTENT and "messages" in arguments:
            parts = [
                {"role": m["role"], "parts": [{"type": "text", "content": m["content"]}]}
                for m in arguments["messages"]
            ]
            span.set_attribute("gen_ai.input.messages", json.dumps(parts))

    def result(self, result: Any) -> None:
        usage = result.usage
        if self.operation == "embeddings":
            self.response("", result.model, "stop", usage.prompt_tokens, 0)
        elif hasattr(result, "choices"):
            choice = result.choices[0]
            self.response(
                result.id, result.model, choice.finish_reason, usage.prompt_tokens, usage.completion_tokens
            )
            self.content(choice.message.content, choice.finish_reason)
        else:
            self.response(result.id, result.model, result.status, usage.input_tokens, usage.output_tokens)

    def response(self, identity: str, model: str, finish: str, tokens_in: int, tokens_out: int) -> None:
        span = self.span
        span.set_attribute("gen_ai.response.id", identity)
        span.set_attribute("gen_ai.response.model", model)
        span.set_attribute("gen_ai.response.finish_reasons", (finish,))
        span.set_attribute("gen_ai.usage.input_tokens", tokens_in)
        span.set_attribute("gen_ai.usage.output_tokens", tokens_out)
        labels = {
            "gen_ai.operation.name": self.operation,
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": self.arguments["model"],
            "gen_ai.response.model": model,
            "server.address": self.url.host,
            "server.port": self.url.port or 443,
        }
        self.floor.duration.record(time.perf_counter() - self.started, labels)
        self.floor.tokens.record(tokens_in, {**labels, "gen_ai.token.type": "input"})
        self.price(model, tokens_in, tokens_out, labels)

    def price(self, model: str, tokens_in: int, tokens_out: int, labels: Mapping[str, Any]) -> None:
        rates = RATES.get(model)
        if rates is None:
            return
        cost_in, cost_out = rates[0] * tokens_in, rates[1] * tokens_out
        self.span.set_attribute("genai_otel.cost.amount", cost_in + cost_out)
        self.span.set_attribute("genai_otel.cost.currency", "USD")
        self.span.set_attribute("genai_otel.cost.source", "local")
        self.floor.cost.add(cost_in, {**labels, "genai_otel.cost.component": "input"})
        if tokens_out:
            self.floor.cost.add(cost_out, {**labels, "genai_otel.cost.component": "output"})

    def content(self, text: str, finish: str) -> None:
        if CONTENT:
            message = {
                "role": "assistant",
                "parts": [{"type": "text", "content": text}],
                "finish_reason": finish,
            }
            self.span.set_attribute("gen_ai.output.messages", json.dumps([message]))

    def fail(self, error: Exception) -> None:
        self.span.set_attribute("error.type", type(error).__qualname__)
        self.span.set_status(Status(StatusCode.ERROR, str(error)))
        self.span.end()


class Followed:
    """What both kinds of stream gather from their chunks."""

    def __init__(self, stream: Any, record: Record) -> None:
        self.stream = stream
        self.record = record
        self.first: float | None = None
        self.text: list[str] = []
        self.identity = self.model = self.finish = ""
        self.tokens_in = self.tokens_out = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def chunk(self, chunk: Any) -> None:
        if self.first is None:
            self.first = time.perf_counter()
        self.identity, self.model = chunk.id, chunk.model
        if chunk.choices:
            choice = chunk.choices[0]
            if choice.finish_reason:
                self.finish = choice.finish_reason
            if choice.delta.content:
                self.text.append(choice.delta.content)
        if chunk.usage:
            self.tokens_in, self.tokens_out = chunk.usage.prompt_tokens, chunk.usage.completion_tokens

    def end(self) -> None:
        self.record.response(self.identity, self.model, self.finish, self.tokens_in, self.tokens_out)
        self.record.content("".join(self.text), self.finish)
        self.record.span.end()


class FollowedStream(Followed):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            chunk = next(self.stream)
        except StopIteration:
            self.end()
            raise
        except Exception as error:
            self.record.fail(error)
            raise
        self.chunk(chunk)
        return chunk


class FollowedAsyncStream(Followed):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            chunk = await self.stream.__anext__()
        except StopAsyncIteration:
            self.end()
            raise
        except Exception as error:
            self.record.fail(error)
            raise
        self.chunk(chunk)
        return chunk
