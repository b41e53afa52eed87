"""What is peculiar to Ollama: options in an object, arguments by position, tools, functions of the module, hosts."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from genai_otel.clients.ollama import SPEC
from genai_otel.testing import ModelServer
from tests.contract.recorded import Recorded, facts, outcome
from tests.contract.warm import Warm
from tests.harness.calls import HELLO, WEATHER
from tests.harness.sink import HttpSink

if TYPE_CHECKING:
    import ollama
else:
    ollama = pytest.importorskip("ollama")

WANTED = {
    "gen_ai.request.temperature": 1.0,
    "gen_ai.request.top_p": 0.5,
    "gen_ai.request.top_k": 40,
    "gen_ai.request.seed": 7,
    "gen_ai.request.max_tokens": 50,
    "gen_ai.request.frequency_penalty": 0.5,
    "gen_ai.request.presence_penalty": 0.0,
    "gen_ai.request.stop_sequences": ("a", "b"),
    "gen_ai.output.type": "json",
}


@pytest.mark.parametrize("kind", [dict, ollama.Options])
def test_facts_of_a_request(balanced: Recorded, client: Any, kind: Any) -> None:
    options = kind(
        temperature=1,
        top_p=0.5,
        top_k=40,
        seed=7,
        num_predict=50,
        frequency_penalty=0.5,
        presence_penalty=0,
        stop=["a", "b"],
        num_ctx=4096,
    )
    client.chat("m", HELLO, options=options, format="json")
    told = facts(balanced)
    assert {name: told[name] for name in WANTED} == WANTED
    assert told["gen_ai.request.model"] == "m"


def test_no_limit_is_no_number(balanced: Recorded, client: Any) -> None:
    client.chat("m", HELLO, options={"num_predict": -1})
    assert "gen_ai.request.max_tokens" not in facts(balanced)


def test_arguments_by_position(balanced: Recorded, client: Any) -> None:
    client.generate("m", "hi")
    client.embed("m", ["hi", "you"])
    client.embeddings("m", "hi")
    assert [span.name for span in balanced.calls()] == ["text_completion m", "embeddings m", "embeddings m"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_a_tool_is_the_reason(balanced: Recorded, client: Any, stream: bool) -> None:
    answer = client.chat(model="m", messages=HELLO, tools=[WEATHER], stream=stream)
    if stream:
        list(answer)
    assert facts(balanced)["gen_ai.response.finish_reasons"] == ("tool_call",)


def test_effort_of_thinking(balanced: Recorded, client: Any) -> None:
    if "think" not in inspect.signature(client.chat).parameters:
        pytest.skip("this version of ollama knows no thinking")
    for think in (True, "high"):
        client.chat(model="m", messages=HELLO, think=think)
    assert [span.attributes.get("gen_ai.request.reasoning.level") for span in balanced.calls()] == [
        None,
        "high",
    ]


def test_a_stream_that_is_refused_fails_when_it_is_read(balanced: Recorded, client: Any) -> None:
    stream = client.chat(model="m+error-404", messages=HELLO, stream=True)
    with pytest.raises(ollama.ResponseError):
        next(stream)
    assert outcome(balanced.span()) == ("failed", "ERROR", "ResponseError")
    assert facts(balanced)["http.response.status_code"] == 404


def test_an_error_in_a_stream_has_no_status(balanced: Recorded, client: Any) -> None:
    with pytest.raises(ollama.ResponseError):
        list(client.chat(model="m+midstream-error", messages=HELLO, stream=True))
    assert "http.response.status_code" not in facts(balanced)


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        (None, "127.0.0.1", 11434),
        ("models.internal", "models.internal", 11434),
        ("https://ollama.com", "ollama.com", 443),
        ("http://[::1]:8000/path", "::1", 8000),
    ],
)
def test_server_is_that_of_the_host(
    host: str | None, address: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert SPEC.peer(ollama.Client(host=host, verify=False))[:3] == ("ollama", address, port)


# --- functions of the module ----------------------------------------------------------------------

SCRIPT = """
import os
os.environ["OLLAMA_HOST"] = os.environ["MODELS"].removesuffix("/v1")
{steps}
messages = [{{"role": "user", "content": "hi"}}]
ollama.chat("m", messages)
list(ollama.chat(model="m", messages=messages, stream=True))
ollama.generate("m", "hi")
ollama.embed("m", "hi")
ollama.embeddings("m", "hi")
ollama.Client().chat("m", messages)
"""
STEPS = {
    "set up first": "import genai_otel; genai_otel.setup(); import ollama",
    "set up last": "import ollama; import genai_otel; genai_otel.setup()",
}


@pytest.mark.process
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_functions_of_the_module_are_traced_once(warm: Warm, model_server: ModelServer, steps: str) -> None:
    with HttpSink() as sink:
        env = {"MODELS": model_server.base_url, **sink.environment()}
        warm.run(SCRIPT.format(steps=steps), env)
        spans = [span for span in sink.spans() if span.scope == "genai_otel"]
    assert [span.name.partition(" ")[0] for span in spans] == [
        "chat",
        "chat",
        "text_completion",
        "embeddings",
        "embeddings",
        "chat",
    ]
    assert {span.attributes["server.port"] for span in spans} == {model_server.port}
    assert len(model_server.requests) == 6
