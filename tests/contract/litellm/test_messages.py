"""litellm's messages, which have Anthropic's form whoever answers."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from tests.contract.litellm.test_content import ANSWERED, ANTHROPIC, OPENAI, PROMPTED, Said, at
from tests.contract.litellm.test_nested import counted
from tests.contract.payload import CANARY
from tests.contract.payloads.litellm import PAYLOAD
from tests.contract.recorded import Recorded, outcome

litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker

pytestmark = [pytest.mark.filterwarnings(warning) for warning in PAYLOAD.warnings]


def needs(*packages: str) -> pytest.MarkDecorator:
    """Some of litellm's functions want packages that it does not bring along."""
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"litellm wants {missing}, which it does not bring along")


def asked(content: str) -> Any:
    return {"messages": [{"role": "user", "content": content}], "max_tokens": 64}


@pytest.mark.parametrize(("model", "provider"), [(ANTHROPIC, "anthropic"), (OPENAI, "openai")])
async def test_a_message(balanced: Recorded, here: dict[str, Any], model: str, provider: str) -> None:
    there = {key: value for key, value in at(here, model).items() if "retries" not in key}
    await litellm.anthropic.messages.acreate(**asked(CANARY), **there)
    facts = balanced.calls()[-1].attributes
    assert (facts["gen_ai.provider.name"], facts["gen_ai.operation.name"]) == (provider, "chat")
    assert facts["gen_ai.request.max_tokens"] == 64
    assert facts["gen_ai.response.finish_reasons"] == ("stop",)
    assert counted(balanced) == (1, 12, 7)
    with pytest.raises(Exception, match=r"429|limit|Rate"):
        await litellm.anthropic.messages.acreate(**asked(CANARY), **{**there, "model": f"{model}+error-429"})
    assert balanced.calls()[-1].attributes["http.response.status_code"] == 429


async def test_what_was_said(said: list[dict[str, Any]], here: dict[str, Any]) -> None:
    there = {key: value for key, value in at(here, ANTHROPIC).items() if "retries" not in key}
    await litellm.anthropic.messages.acreate(**asked("hi"), **there)
    assert said == [{"gen_ai.input.messages": PROMPTED, "gen_ai.output.messages": ANSWERED}]


@needs("backoff", "orjson", "redis")
@pytest.mark.parametrize("model", [ANTHROPIC, OPENAI])
async def test_what_was_said_in_a_stream(said: Said, here: dict[str, Any], model: str) -> None:
    stream = await litellm.anthropic.messages.acreate(**asked("hi"), **there(here, model), stream=True)
    assert [piece async for piece in stream]
    assert said[-1] == {"gen_ai.input.messages": PROMPTED, "gen_ai.output.messages": ANSWERED}


@needs("backoff", "orjson", "redis")
async def test_what_was_said_in_contents(said: Said, here: dict[str, Any]) -> None:
    google = litellm.google_genai
    given = {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "config": {"systemInstruction": {"parts": [{"text": "briefly"}]}},
        **there(here, GOOGLE),
    }
    google.generate_content(**given)
    list(google.generate_content_stream(**given))
    assert [piece async for piece in await google.agenerate_content_stream(**given)]
    for each in said:
        assert each["gen_ai.input.messages"] == PROMPTED
        assert each["gen_ai.output.messages"] == ANSWERED
        assert each["gen_ai.system_instructions"] == [{"type": "text", "content": "briefly"}]


# --- streams in a vendor's own form ------------------------------------------------------------------

GOOGLE = "gemini/gemini-2.0-flash"
CONTENTS: Any = [{"role": "user", "parts": [{"text": CANARY}]}]


def there(here: dict[str, Any], model: str) -> dict[str, Any]:
    return {key: value for key, value in at(here, model).items() if "retries" not in key}


def told(telemetry: Recorded) -> tuple[Any, ...]:
    """What each call is said to have been."""
    span = telemetry.calls()[-1]
    names = ("gen_ai.provider.name", "gen_ai.operation.name", "gen_ai.request.stream")
    return outcome(span)[0], *map(span.attributes.get, (*names, "gen_ai.response.finish_reasons"))


@needs("backoff", "orjson", "redis")
async def test_a_stream_of_anthropics(balanced: Recorded, here: dict[str, Any]) -> None:
    stream = await litellm.anthropic.messages.acreate(**asked(CANARY), **there(here, ANTHROPIC), stream=True)
    assert b"message_stop" in b"".join([piece async for piece in stream])
    assert told(balanced) == ("completed", "anthropic", "chat", True, ("stop",))
    assert counted(balanced) == (1, 12, 7)


async def test_a_stream_in_anthropics_form(balanced: Recorded, here: dict[str, Any]) -> None:
    stream = await litellm.anthropic.messages.acreate(**asked(CANARY), **there(here, OPENAI), stream=True)
    assert b"message_stop" in b"".join([piece async for piece in stream])
    assert told(balanced) == ("completed", "openai", "chat", True, ("stop",))
    assert counted(balanced) == (1, 12, 7)


async def test_messages_by_a_router(balanced: Recorded, here: dict[str, Any]) -> None:
    deployment = {"model_name": "mine", "litellm_params": there(here, OPENAI)}
    router = litellm.Router(model_list=[deployment], num_retries=0)
    assert await router.aanthropic_messages(model="mine", **asked(CANARY))
    stream = await router.aanthropic_messages(model="mine", **asked(CANARY), stream=True)
    assert [piece async for piece in stream]
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed"] * 2
    assert counted(balanced) == (2, 24, 14)


@needs("orjson")
async def test_contents(balanced: Recorded, here: dict[str, Any]) -> None:
    given = {
        "contents": CONTENTS,
        "config": {"maxOutputTokens": 9, "temperature": 0.5},
        **there(here, GOOGLE),
    }
    google = litellm.google_genai
    assert google.generate_content(**given)
    assert await google.agenerate_content(**given)
    for span in balanced.calls():
        assert span.attributes["gen_ai.request.max_tokens"] == 9
        assert span.attributes["gen_ai.response.model"] == "gemini-2.0-flash-2024-07-18"
    assert told(balanced) == ("completed", "gcp.gemini", "generate_content", None, ("stop",))
    assert counted(balanced) == (2, 24, 14)


@needs("backoff", "orjson", "redis")
async def test_streams_of_contents(balanced: Recorded, here: dict[str, Any]) -> None:
    google = litellm.google_genai
    given = {"contents": CONTENTS, **there(here, GOOGLE)}
    assert list(google.generate_content_stream(**given))
    assert [piece async for piece in await google.agenerate_content_stream(**given)]
    assert told(balanced) == ("completed", "gcp.gemini", "generate_content", True, ("stop",))
    assert counted(balanced) == (2, 24, 14)
    assert {span.attributes["genai_otel.stream.chunks"] for span in balanced.calls()} == {6}
