"""Requests that the program serves with a model of its own: what a model server's span and metrics say."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import propagate, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

import genai_otel
from genai_otel.manual.serving import Serving
from genai_otel.testing.in_memory import Telemetry

pytestmark = pytest.mark.usefixtures("either_span_class", "nothing_is_left")


def request_of(**given: Any) -> Serving:
    return genai_otel.serve("chat", model="tiny", provider="mine", **given)


def facts(telemetry: Telemetry) -> Mapping[str, Any]:
    return telemetry.span().attributes or {}


def outcome(telemetry: Telemetry) -> tuple[Any, Any]:
    (duration,) = telemetry.metrics()["gen_ai.server.request.duration"]
    return facts(telemetry)["genai_otel.outcome"], duration.attributes.get("error.type")


def identity(span: ReadableSpan) -> SpanContext:
    assert span.context is not None
    return span.context


def values(telemetry: Telemetry, name: str) -> dict[Any, float]:
    return {
        point.attributes.get("gen_ai.request.model"): point.value
        for point in telemetry.metrics().get(name, ())
    }


@pytest.mark.seed_rows("003-02", "003-03", "003-04", "003-05", "003-19", "003-23")
def test_a_request_is_measured_as_a_servers(telemetry: Telemetry) -> None:
    with request_of(queued=True, max_tokens=10) as served:
        time.sleep(0.02)
        served.started()
        served.started()  # which changes nothing
        time.sleep(0.02)
        served.token()
        time.sleep(0.03)
        served.tokens(2)
        served.response(input_tokens=5, finish_reasons=["stop"])
    span = telemetry.span()
    assert (span.name, span.kind, span.status.is_unset) == ("chat tiny", SpanKind.SERVER, True)
    found: dict[str, Any] = dict(span.attributes or {})
    waited, first = (
        found.pop("genai_otel.server.queue.time"),
        found.pop("gen_ai.response.time_to_first_chunk"),
    )
    assert 0.02 <= waited <= first - 0.02
    assert found.pop("genai_otel.stream.time_per_chunk") >= 0.03
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mine",
        "gen_ai.request.model": "tiny",
        "gen_ai.request.max_tokens": 10,
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.response.finish_reasons": ("stop",),
        "genai_otel.stream.chunks": 2,
        "genai_otel.outcome": "completed",
    }
    metrics = telemetry.metrics()
    labels = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mine",
        "gen_ai.request.model": "tiny",
    }
    sums: dict[str, float] = {}
    for name in (
        "gen_ai.server.request.duration",
        "gen_ai.server.time_to_first_token",
        "gen_ai.server.time_per_output_token",
        "genai_otel.server.queue.time",
    ):
        (point,) = metrics[name]
        assert (point.count, dict(point.attributes)) == (1, labels)
        sums[name] = point.sum
    seconds = ((span.end_time or 0) - (span.start_time or 0)) / 1e9
    assert sums == pytest.approx(
        {
            "gen_ai.server.request.duration": seconds,
            "gen_ai.server.time_to_first_token": first,
            "gen_ai.server.time_per_output_token": (seconds - first) / 2,
            "genai_otel.server.queue.time": waited,
        }
    )
    assert not [name for name in metrics if name.startswith("gen_ai.client") or "cost" in name]


@pytest.mark.seed_rows("003-06")
def test_requests_that_are_open_and_those_that_wait(telemetry: Telemetry) -> None:
    with request_of(queued=True) as first, request_of(queued=True), genai_otel.serve(model="other"):
        first.started()
        assert values(telemetry, "genai_otel.server.active_requests") == {"tiny": 2, "other": 1}
        assert values(telemetry, "genai_otel.server.queue.length") == {"tiny": 1}
        assert sum(values(telemetry, "genai_otel.client.active_operations").values()) == 0
    assert set(values(telemetry, "genai_otel.server.active_requests").values()) == {0}
    assert set(values(telemetry, "genai_otel.server.queue.length").values()) == {0}


def test_what_it_asks_of_other_models_counts_for_itself(telemetry: Telemetry) -> None:
    with request_of(), genai_otel.inference(provider="theirs", model="m") as call:
        call.response(input_tokens=3)
    served, asked = sorted(telemetry.calls(), key=lambda span: span.kind is SpanKind.CLIENT)
    assert asked.parent is not None
    assert asked.parent.span_id == identity(served).span_id
    assert (asked.attributes or {})["genai_otel.measured"] is True
    assert [point.sum for point in telemetry.metrics()["gen_ai.client.token.usage"]] == [3]


def test_what_a_client_asks_of_a_server_in_the_same_process_counts_once(telemetry: Telemetry) -> None:
    with genai_otel.inference(provider="mine", model="tiny") as call:
        with request_of() as served:
            served.response(input_tokens=3, output_tokens=2)
            with genai_otel.inference(provider="theirs", model="m") as inner:
                inner.response(input_tokens=4)
        call.response(input_tokens=3)
    assert [point.sum for point in telemetry.metrics()["gen_ai.client.token.usage"]] == [3]
    assert len(telemetry.metrics()["gen_ai.server.request.duration"]) == 1
    assert len(telemetry.calls()) == 3


def test_suppressed_it_is_none(telemetry: Telemetry) -> None:
    with suppress_instrumentation(), request_of(queued=True) as served:
        served.started()
        served.token()
        served.cancelled()
        assert list(served.stream([1, 2])) == [1, 2]
    assert telemetry.calls() == []


# --- whose trace ------------------------------------------------------------------------------------------------------

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "headers",
    [{"traceparent": PARENT}, {"Traceparent": PARENT}, [(b"traceparent", PARENT.encode())]],
    ids=["mapping", "capitals", "pairs of bytes"],
)
def test_it_is_in_the_trace_of_its_headers(telemetry: Telemetry, headers: Any) -> None:
    with trace.get_tracer("mine").start_as_current_span("elsewhere"), request_of(headers=headers):
        pass
    parent = telemetry.span().parent
    assert parent is not None
    assert (f"{parent.trace_id:032x}", f"{parent.span_id:016x}") == tuple(PARENT.split("-")[1:3])


def test_the_current_span_is_nearer_where_it_is_in_that_trace(telemetry: Telemetry) -> None:
    with trace.get_tracer("mine").start_as_current_span("HTTP", propagate.extract({"traceparent": PARENT})):
        here = trace.get_current_span().get_span_context()
        with request_of(headers={"traceparent": PARENT}):
            pass
        with request_of(headers={"traceparent": "nonsense"}):
            pass
    assert [span.parent and span.parent.span_id for span in telemetry.calls()] == [here.span_id] * 2


def test_a_request_that_is_counted_upstream_counts_its_own_requests_there(telemetry: Telemetry) -> None:
    headers = {"traceparent": PARENT, "tracestate": "genai_otel=owned"}
    with request_of(headers=headers), genai_otel.inference(provider="theirs", model="m") as call:
        call.response(input_tokens=3)
    assert "gen_ai.client.token.usage" not in telemetry.metrics()
    assert len(telemetry.metrics()["gen_ai.server.request.duration"]) == 1


# --- how it ends ------------------------------------------------------------------------------------------------------


@pytest.mark.seed_rows("003-01")
def test_an_error_is_one(telemetry: Telemetry) -> None:
    with pytest.raises(MemoryError), request_of() as served:
        served.token()
        raise MemoryError("CUDA")
    assert outcome(telemetry) == ("failed", "MemoryError")
    assert telemetry.span().status.status_code is StatusCode.ERROR
    assert "gen_ai.server.time_to_first_token" not in telemetry.metrics()


@pytest.mark.seed_rows("003-01", "003-14")
def test_a_consumer_that_goes_away_is_no_error_of_the_servers(telemetry: Telemetry) -> None:
    async def serve() -> None:
        async with request_of() as served:
            served.token()
            await asyncio.sleep(10)

    async def main() -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(serve(), 0.05)

    asyncio.run(main())
    assert outcome(telemetry) == ("cancelled", "cancelled")
    assert telemetry.span().status.is_unset
    assert facts(telemetry)["gen_ai.usage.output_tokens"] == 1
    assert "gen_ai.server.time_to_first_token" not in telemetry.metrics()


def test_the_program_notices_that_it_has_gone(telemetry: Telemetry) -> None:
    with request_of() as served:
        served.token()
        served.cancelled()
        served.token()
    assert outcome(telemetry) == ("cancelled", "cancelled")
    assert facts(telemetry)["gen_ai.usage.output_tokens"] == 1


@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_a_stream_that_is_handed_on_and_not_read_to_its_end(telemetry: Telemetry, how: str) -> None:
    def answer() -> Iterator[str]:
        with request_of() as served:
            return served.stream(["a", "b"], lambda _: served.token())

    chunks: Any = answer()
    assert next(chunks) == "a"
    if how == "closed":
        chunks.close()
    del chunks
    assert outcome(telemetry) == ("cancelled", "cancelled")
    assert facts(telemetry)["gen_ai.usage.output_tokens"] == 1


def test_a_stream_that_is_read_to_its_end(telemetry: Telemetry) -> None:
    async def answer() -> AsyncIterator[str]:
        async def pieces() -> AsyncIterator[str]:
            for piece in ("a", "b", "c"):
                yield piece

        with request_of() as served:
            return served.stream(pieces(), lambda _: served.token())

    async def main() -> list[str]:
        return [piece async for piece in await answer()]

    assert asyncio.run(main()) == ["a", "b", "c"]
    assert outcome(telemetry) == ("completed", None)
    found = facts(telemetry)
    assert (found["gen_ai.usage.output_tokens"], found["genai_otel.stream.chunks"]) == (3, 3)
    assert [point.count for point in telemetry.metrics()["gen_ai.server.time_per_output_token"]] == [1]


def test_what_a_handed_on_stream_does_is_inside_whoever_reads_it(telemetry: Telemetry) -> None:
    tracer = trace.get_tracer("mine")

    def engine() -> Iterator[str]:
        with tracer.start_as_current_span("decode"):
            for piece in "ab":
                with genai_otel.inference(provider="theirs", model="m"):
                    pass
                yield piece

    def answer() -> Iterator[str]:
        with request_of() as served:
            return served.stream(engine())

    chunks = answer()
    for _ in range(2):
        with tracer.start_as_current_span("reader"):
            next(chunks)
            assert getattr(trace.get_current_span(), "name", None) == "reader"
    assert list(chunks) == []
    by_name = {span.name: span for span in telemetry.spans()}
    served = next(span for span in telemetry.calls() if span.kind is SpanKind.SERVER)
    decode = by_name["decode"]
    assert decode.parent is not None
    assert decode.parent.span_id == identity(served).span_id
    asked = [span.parent and span.parent.span_id for span in telemetry.calls() if span is not served]
    assert asked == [identity(decode).span_id] * 2


def test_an_engine_that_is_stopped_in_good_order(telemetry: Telemetry) -> None:
    with request_of() as served:
        for _ in served.stream(iter("abc")):
            break  # a stop word
    assert outcome(telemetry) == ("closed", None)


def test_begun_by_the_router_and_ended_by_the_engines_thread(telemetry: Telemetry) -> None:
    served = request_of(queued=True).start()

    def engine() -> None:
        with served.inside():
            served.started()
            with trace.get_tracer("mine").start_as_current_span("prefill"):
                pass
        served.token()
        served.end()

    thread = threading.Thread(target=engine)
    thread.start()
    thread.join()
    assert outcome(telemetry) == ("completed", None)
    (prefill,) = [span for span in telemetry.spans() if span.name == "prefill"]
    assert prefill.parent is not None
    assert prefill.parent.span_id == identity(telemetry.span()).span_id


def test_forgotten(telemetry: Telemetry) -> None:
    request_of().start()
    assert outcome(telemetry) == ("abandoned", "abandoned")
