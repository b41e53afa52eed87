"""Calls that go through several libraries at once: each is one call, with its tokens once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import openai
import pydantic
import pytest

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY
from tests.contract.payloads.litellm import PAYLOAD
from tests.contract.recorded import Recorded

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]

MESSAGES: Any = [{"role": "user", "content": CANARY}]
USAGE = {"include_usage": True}


def counted(telemetry: Recorded) -> tuple[int, float, float]:
    """Operations, input tokens and output tokens of all series together."""
    metrics = telemetry.metrics()
    tokens = metrics.get("gen_ai.client.token.usage", [])
    kinds = ("input", "output")
    sums = [
        sum(point.sum for point in tokens if point.attributes["gen_ai.token.type"] == kind) for kind in kinds
    ]
    return sum(point.count for point in metrics["gen_ai.client.operation.duration"]), sums[0], sums[1]


def owners(telemetry: Recorded) -> list[str]:
    """What is measured, by the library that made it."""
    calls = [span for span in telemetry.calls() if span.attributes.get("genai_otel.measured")]
    return [span.instrumentation_scope.name for span in calls]


def http(telemetry: Recorded) -> int:
    """Requests that were made."""
    return sum(span.kind.name == "CLIENT" and span.name == "POST" for span in telemetry.spans())


# --- litellm over the OpenAI client -----------------------------------------------------------------


def test_litellm_over_openai(balanced: Recorded, here: dict[str, Any]) -> None:
    litellm.completion("openai/gpt-4o-mini", MESSAGES, **here)
    assert len(balanced.calls()) == 1
    assert (counted(balanced), http(balanced)) == ((1, 12, 7), 1)


async def test_litellm_over_openai_async(balanced: Recorded, here: dict[str, Any]) -> None:
    """`acompletion` runs `completion` in a thread, which gives the coroutine of the OpenAI client."""
    await litellm.acompletion("openai/gpt-4o-mini", MESSAGES, **here)
    assert len(balanced.calls()) == 1
    assert (counted(balanced), http(balanced)) == ((1, 12, 7), 1)


async def test_litellm_over_openai_in_a_stream(balanced: Recorded, here: dict[str, Any]) -> None:
    asked: Any = {"stream": True, "stream_options": USAGE, **here}
    assert list(litellm.completion("openai/gpt-4o-mini", MESSAGES, **asked))
    assert [chunk async for chunk in await litellm.acompletion("openai/gpt-4o-mini", MESSAGES, **asked)]
    assert len(balanced.calls()) == 2
    assert counted(balanced) == (2, 24, 14)


async def test_litellm_over_openai_in_its_other_operations(balanced: Recorded, here: dict[str, Any]) -> None:
    litellm.embedding("openai/text-embedding-3-small", ["hi"], **here)
    await litellm.aembedding("openai/text-embedding-3-small", ["hi"], **here)
    litellm.responses("hi", "openai/gpt-4o-mini", **here)
    await litellm.aresponses("hi", "openai/gpt-4o-mini", **here)
    litellm.text_completion("hi", "openai/gpt-4o-mini", **here)
    await litellm.atext_completion(prompt="hi", model="openai/gpt-4o-mini", **here)
    assert len(balanced.calls()) == 6
    assert counted(balanced) == (6, 6 * 12, 4 * 7)


async def test_an_asynchronous_function_that_was_imported_before(
    balanced: Recorded, here: dict[str, Any]
) -> None:
    """It calls the one that is not asynchronous by the module, and asks it for a coroutine."""
    before = {
        name: getattr(litellm, name).__wrapped__ for name in ("acompletion", "aembedding", "aresponses")
    }
    asked: Any = {"model": "openai/gpt-4o-mini", **here}
    await before["acompletion"](messages=MESSAGES, **asked)
    stream = await before["acompletion"](messages=MESSAGES, stream=True, stream_options=USAGE, **asked)
    assert [chunk async for chunk in stream]
    await before["aembedding"](input=["hi"], **asked)
    await before["aresponses"](input="hi", **asked)
    assert [span.attributes["genai_otel.outcome"] for span in balanced.calls()] == ["completed"] * 4
    assert counted(balanced) == (4, 48, 21)
    with pytest.raises(litellm.BadRequestError):
        await before["acompletion"](messages=MESSAGES, **{**asked, "model": "openai/m+error-400"})
    assert balanced.calls()[-1].attributes["http.response.status_code"] == 400


async def test_both_at_once(balanced: Recorded, here: dict[str, Any], model_server: ModelServer) -> None:
    """The client by itself, beside the one below litellm, in the tasks of one loop."""
    async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="k") as client:
        await asyncio.gather(
            *(litellm.acompletion("openai/gpt-4o-mini", MESSAGES, **here) for _ in range(3)),
            *(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES) for _ in range(3)),
        )
    assert counted(balanced) == (6, 72, 42)


def test_router(balanced: Recorded, here: dict[str, Any]) -> None:
    """A router that tries again, and falls back, makes several calls; each counts once."""
    deployment = {"model_name": "mine", "litellm_params": {"model": "openai/gpt-4o-mini", **here}}
    broken = {"model_name": "broken", "litellm_params": {"model": "openai/m+error-500", **here}}
    router = litellm.Router(
        model_list=[deployment, broken], fallbacks=[{"broken": ["mine"]}], num_retries=0, retry_after=0
    )
    assert router.completion("mine", MESSAGES).choices
    assert asyncio.run(router.acompletion("mine", MESSAGES)).choices
    assert counted(balanced) == (2, 24, 14)
    assert router.completion("broken", MESSAGES).choices
    outcomes = [span.attributes["genai_otel.outcome"] for span in balanced.calls()]
    assert outcomes == ["completed", "completed", "failed", "completed"]
    assert counted(balanced) == (4, 36, 21)
    assert {span.attributes["gen_ai.request.model"] for span in balanced.calls()} == {
        "gpt-4o-mini",
        "m+error-500",
    }


async def test_a_router_in_a_stream(balanced: Recorded, here: dict[str, Any]) -> None:
    deployment = {"model_name": "mine", "litellm_params": {"model": "openai/gpt-4o-mini", **here}}
    router = litellm.Router(model_list=[deployment], num_retries=0)
    stream: Any = await router.acompletion("mine", MESSAGES, stream=True, stream_options=USAGE)
    assert [chunk async for chunk in stream]
    assert list(router.completion("mine", MESSAGES, stream=True, stream_options=USAGE))
    assert [span.attributes["genai_otel.outcome"] for span in balanced.calls()] == ["completed"] * 2
    assert counted(balanced) == (2, 24, 14)


@pytest.fixture
def own_tracing() -> Iterator[None]:
    """litellm's own spans."""
    before = litellm.callbacks
    litellm.callbacks = ["otel"]
    yield
    litellm.callbacks = before
    for name in ("success", "failure"):
        for kind in ("", "_async_"):
            callbacks = getattr(litellm, f"{kind}{name}_callback", [])
            callbacks.clear()


@pytest.mark.usefixtures("own_tracing")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_litellm_that_traces_itself(telemetry: Recorded, here: dict[str, Any]) -> None:
    await litellm.acompletion("openai/gpt-4o-mini", MESSAGES, **here)
    await asyncio.sleep(1)  # its callbacks run afterwards, in the event loop
    theirs = [span for span in telemetry.spans() if span.instrumentation_scope.name.startswith("litellm")]
    assert theirs
    assert owners(telemetry) == ["genai_otel"]
    assert counted(telemetry) == (1, 12, 7)


# --- others over the OpenAI client ------------------------------------------------------------------


class City(pydantic.BaseModel):
    """What is asked for."""

    name: str


async def test_langchain(balanced: Recorded, model_server: ModelServer) -> None:
    kind = pytest.importorskip("langchain_openai").ChatOpenAI
    model = kind(base_url=model_server.base_url, api_key="k", model="gpt-4o-mini", max_retries=0)
    model.invoke(CANARY)
    await model.ainvoke(CANARY)
    assert counted(balanced) == (2, 24, 14)
    assert list(model.stream(CANARY, stream_usage=True))
    assert [chunk async for chunk in model.astream(CANARY, stream_usage=True)]
    model.batch([CANARY, CANARY])
    assert counted(balanced) == (6, 72, 42)
    assert owners(balanced) == ["genai_otel"] * 6


async def test_instructor(balanced: Recorded, model_server: ModelServer) -> None:
    """Each time that it asks again because the answer did not fit is a call that was paid for."""
    instructor: Any = pytest.importorskip("instructor")
    with openai.OpenAI(base_url=model_server.base_url, api_key="k", max_retries=0) as inner:
        model_server.reply(tool_calls={"City": {"town": "Paris"}})
        model_server.reply(tool_calls={"City": {"name": 7}})
        model_server.reply(tool_calls={"City": {"name": "Paris"}})
        asked = {"model": "gpt-4o-mini", "messages": MESSAGES, "response_model": City}
        assert instructor.from_openai(inner).chat.completions.create(**asked, max_retries=3).name == "Paris"
    assert counted(balanced) == (3, 36, 21)
    async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="k", max_retries=0) as client:
        model_server.reply(tool_calls={"City": {"name": "Paris"}})
        assert (await instructor.from_openai(client).chat.completions.create(**asked)).name == "Paris"
    assert counted(balanced) == (4, 48, 28)


def test_instructor_over_litellm_over_openai(
    balanced: Recorded, here: dict[str, Any], model_server: ModelServer
) -> None:
    instructor: Any = pytest.importorskip("instructor")
    model_server.reply(tool_calls={"City": {"town": "Paris"}})
    model_server.reply(tool_calls={"City": {"name": "Paris"}})
    client = instructor.from_litellm(litellm.completion)
    asked = {"model": "openai/gpt-4o-mini", "messages": MESSAGES, "response_model": City, **here}
    assert client.chat.completions.create(**{**asked, "max_retries": 2}).name == "Paris"
    assert counted(balanced) == (2, 24, 14)


async def test_outlines(balanced: Recorded, model_server: ModelServer) -> None:
    outlines: Any = pytest.importorskip("outlines")
    text = '{"name": "Paris"}'
    with openai.OpenAI(base_url=model_server.base_url, api_key="k", max_retries=0) as inner:
        model = outlines.from_openai(inner, "gpt-4o-mini")
        model_server.reply(text)
        assert City.model_validate_json(model(CANARY, City)).name == "Paris"
        assert "".join(model.stream(CANARY))
    async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="k", max_retries=0) as client:
        model_server.reply(text)
        assert await outlines.from_openai(client, "gpt-4o-mini")(CANARY, City) == text
    assert len(balanced.calls()) == 3
    assert counted(balanced) == (3, 24, 14)  # the stream's usage was not asked for


def test_an_agent_that_sums_up_is_not_counted(balanced: Recorded, here: dict[str, Any]) -> None:
    tracer = import_module("opentelemetry.trace").get_tracer("agents")
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
    with tracer.start_as_current_span("invoke_agent a", attributes=agent) as span:
        for _ in range(2):
            litellm.completion("openai/gpt-4o-mini", MESSAGES, **here)
        span.set_attributes({"gen_ai.usage.input_tokens": 24, "gen_ai.usage.output_tokens": 14})
    assert counted(balanced) == (2, 24, 14)


def test_what_an_owner_was_not_told_is_told_by_the_inner_call(
    balanced: Recorded, here: dict[str, Any]
) -> None:
    tracer = import_module("opentelemetry.trace").get_tracer("framework")
    chat = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}
    with tracer.start_as_current_span("chat m", attributes=chat):
        litellm.completion("openai/gpt-4o-mini", MESSAGES, **here)
    inner, outer = balanced.calls()
    assert inner.attributes["genai_otel.owner"] is False
    assert outer.attributes["gen_ai.response.id"] == inner.attributes["gen_ai.response.id"]
    assert counted(balanced) == (1, 12, 7)
