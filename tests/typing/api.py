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
genai_otel.event("shared", about=genai_otel.response_ref(), name="a fact")
genai_otel.probe_models({"m": lambda: True}, every=60, seconds=5.0)
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
    assert_type(call, genai_otel.Inference)
    assert_type(call.stream(["chunk"]), Iterator[str])
    assert_type(call.stream(achunks(), len), AsyncIterator[bytes])
    call.response(model="m", input_tokens=3, finish_reasons=["stop"])
    call.request(temperature=0.1, stop_sequences="END")
    with genai_otel.serve("chat", model="tiny", headers={"traceparent": ""}, queued=True) as served:
        served.started()
        served.tokens(3)
        assert_type(served.stream(achunks(), lambda _: served.token()), AsyncIterator[bytes])
    call.content(input="hi", output=[{"role": "assistant", "content": "hello"}])


@genai_otel.tool
def plain(city: str, *, days: int = 3) -> list[str]:
    return [city] * days


@genai_otel.agent("planner", id="a-1", stage="first", iteration=2, attributes={"app.size": 3})
async def waits(question: str) -> int:
    return len(question)


@genai_otel.workflow(name="counting")
def counts(upto: int) -> Iterator[int]:
    yield from range(upto)


@genai_otel.task
async def streams(text: str) -> AsyncIterator[str]:
    yield text


@genai_otel.agent
class Agent:
    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, question: str) -> str:
        return question

    @genai_otel.tool(type="extension", call_id="c-1")
    @classmethod
    def look_up(cls, key: int) -> str | None:
        return str(key)

    @staticmethod
    @genai_otel.cache("answers")
    def cached(key: str) -> bytes | None:
        return key.encode()


assert_type(plain("Rome", days=2), list[str])
assert_type(counts(3), Iterator[int])
assert_type(streams("a"), AsyncIterator[str])
assert_type(Agent("x").run("y"), str)
assert_type(Agent.look_up(3), str | None)
assert_type(Agent("x").cached("k"), bytes | None)
plain(3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - the signature survives
genai_otel.tool("x", call="c")  # type: ignore[call-overload] # pyright: ignore[reportCallIssue] - and so do the words


async def steps() -> None:
    assert_type(await waits("why"), int)
    with genai_otel.retrieval("papers", top_k=3) as step, genai_otel.stage("one", iteration=2):
        step.set_attribute("app.size", 3)
    async with genai_otel.tool() as other, genai_otel.iteration(3):
        other.result(1)
    assert_type(genai_otel.trace_id(), str | None)
    genai_otel.event("done", size=3)
    with genai_otel.parsing("json"):
        genai_otel.parse_failure("xml", ValueError())
