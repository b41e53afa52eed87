"""The public names as a user's type checker sees them: `make check` reads this file, nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from typing_extensions import assert_type

import genai_otel
from genai_otel import ClientSpec, Config, Endpoint, Handle, SettingError
from genai_otel.spec import Facts, Peer, both

handle = genai_otel.setup(service_name="app", metric_readers=[InMemoryMetricReader()])
assert_type(handle, Handle)
assert_type(handle.config, Config)
assert_type(handle.exporters, list[str])
assert_type(handle.problems, list[str])
assert_type(handle.flush(1.5), bool)
assert_type(handle.shutdown(), bool)
assert_type(genai_otel.flush(), bool)
assert_type(genai_otel.shutdown(2), bool)
assert_type(genai_otel.pipeline(ConsoleSpanExporter()), SpanExporter)
assert_type(genai_otel.sampler(ALWAYS_ON), Sampler)
assert_type(genai_otel.__version__, str)

error: type[ValueError] = SettingError


def request(arguments: Mapping[str, Any]) -> Facts:
    return {"gen_ai.request.seed": arguments.get("seed")}


spec = ClientSpec(
    name="mine",
    requires="mine >= 1",
    connection=lambda client: client,
    peer=lambda client: Peer("mine", "127.0.0.1", 80),
    endpoints=(
        Endpoint("mine.client:Client.ask", "chat", request=request),
        *both("mine.client", "Client.tell", operation="chat"),
    ),
)
genai_otel.instrument("mine.client", spec)


@genai_otel.evaluate("grounded", evaluator="llm")
def judged(answer: str, *, strictly: bool = False) -> float:
    return float(strictly and len(answer))


genai_otel.define_evaluation("grounded", ("pass", "fail"), (0.5, 1), higher_is_better=False)
assert_type(genai_otel.response_ref(), str)
assert_type(genai_otel.record_evaluation(None, "grounded", 0.5, error=None), bool)
assert_type(genai_otel.record_feedback("ref", 4, comment="fine"), bool)
assert_type(judged("an answer", strictly=True), Future[Any])
judged("an answer", strictly="very")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - as it must

with genai_otel.context(session="s", user="ada", tenant="acme", tags=["a"], **{"plant.id": "p7"}):
    pass


@genai_otel.context(tenant="acme")
def typed(number: int) -> str:
    return str(number)


assert_type(typed(3), str)


async def achunks() -> AsyncIterator[bytes]:
    yield b""


with genai_otel.inference("chat", provider="mine", model="m", url="http://127.0.0.1", max_tokens=3) as call:
    assert_type(call.stream(["chunk"]), Iterator[str])
    assert_type(call.stream(achunks(), len), AsyncIterator[bytes])
    call.response(model="m", input_tokens=3, finish_reasons=["stop"])
    call.request(temperature=0.1, stop_sequences="END")
    with genai_otel.serve("chat", model="tiny", headers={"traceparent": ""}, queued=True) as served:
        served.started()
        served.tokens(3)
        assert_type(served.stream(achunks(), lambda _: served.token()), AsyncIterator[bytes])
    call.content(input="hi", output=[{"role": "assistant", "content": "hello"}])
