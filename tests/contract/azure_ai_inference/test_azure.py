"""The client's own classes, its defaults, addresses of many kinds, and errors that it keeps to itself."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from azure.ai.inference import ChatCompletionsClient, models
from azure.core.credentials import AzureKeyCredential

from genai_otel.clients.azure_ai_inference import SPEC
from genai_otel.testing import ModelServer
from genai_otel.testing.wire import Reply
from tests.contract.bodies import COUNTS, FAILED, chunks, ending, usage
from tests.contract.caller import Caller, settled, some_error
from tests.contract.payload import CANARY
from tests.contract.payloads.azure_ai_inference import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: Any = {"model": "m", "messages": MESSAGES}


async def read(caller: Caller, **more: Any) -> tuple[list[Any], Exception | None]:
    return await caller.read(await settled(caller.client.complete(**ASKED, stream=True, **more)))


# --- errors in a stream -----------------------------------------------------------------------------


@pytest.mark.parametrize("done", [[], ["[DONE]"]], ids=["broken off", "with an end"])
async def test_an_error_that_the_client_keeps_to_itself(
    balanced: Recorded, caller: Caller, model_server: ModelServer, done: list[Any]
) -> None:
    model_server.reply(events=[*chunks(), FAILED, *done])
    seen, error = await read(caller)
    assert (len(seen), error) == (2, None)
    assert outcome(balanced.span()) == ("failed", "ERROR", "overloaded")


async def test_an_error_in_the_block_of_a_chunk(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    both = "".join(f"data: {json.dumps(event)}\n\n" for event in (*chunks(), FAILED))
    model_server.reply(Reply(both, content_type="text/event-stream"))
    seen, error = await read(caller)
    assert (len(seen), error) == (2, None)
    assert outcome(balanced.span()) == ("failed", "ERROR", "overloaded")


async def test_what_the_network_parts(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    """Blocks end where they end: within an error, within a word of an answer, within the name of a field."""
    text = "x" * 30_000
    long = {"choices": [{"index": 0, "delta": {"content": text}}]}
    wordy = {"error": {**FAILED["error"], "message": text}}
    answers: list[list[dict[str, Any]]] = [[*chunks(long), ending(usage=COUNTS)], [*chunks(long), wordy]]
    for events in answers:
        said = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        model_server.reply(Reply(said, content_type="text/event-stream"))
        await read(caller)
    ended, failed = balanced.calls()
    assert outcome(ended) == ("completed", "UNSET", None)
    assert ended.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert usage(ended)["input_tokens"] > 0
    assert outcome(failed) == ("failed", "ERROR", "overloaded")


async def test_an_answer_about_errors_is_none(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    said = {"choices": [{"index": 0, "delta": {"content": '{"error": {"type": "x"}}\ndata: {"error": 1}'}}]}
    without: dict[str, Any] = {"choices": [], "error": None, "prompt_filter_results": []}
    model_server.reply(events=[*chunks(without, said, ending(error=None)), "[DONE]"])
    seen, error = await read(caller)
    assert (len(seen), error) == (4, None)
    span = balanced.span()
    assert outcome(span) == ("completed", "UNSET", None)
    assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)


@pytest.mark.parametrize("header", ["x-ms-request-id", "apim-request-id"])
async def test_the_gateways_id_of_a_request(
    balanced: Recorded, caller: Caller, model_server: ModelServer, header: str
) -> None:
    body = {"error": {"message": CANARY, "code": "no"}}
    model_server.reply(Reply(body, 400, headers={header: "r1", "x-request-id": ""}))
    with some_error():
        await settled(caller.client.complete(**ASKED))
    told = balanced.span().attributes
    assert (told["genai_otel.response.request_id"], told["http.response.status_code"]) == ("r1", 400)


# --- what is asked ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        ("text", "text"),
        ("json_object", "json"),
        (models.JsonSchemaFormat(name="n", schema={"type": "object"}), "json"),
        (None, None),
    ],
    ids=["text", "object", "schema", "none"],
)
async def test_the_format_of_an_answer(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Any
) -> None:
    given, kind = case
    await settled(caller.client.complete(**ASKED, response_format=given))
    keeps = caller.payload.make(model_server.base_url, caller.asynchronous, response_format=given)
    await settled(keeps.complete(**ASKED))
    await settled(keeps.close())
    assert [span.attributes.get("gen_ai.output.type") for span in balanced.calls()] == [kind, kind]


def test_a_call_is_what_it_says_and_what_its_client_says(
    balanced: Recorded, model_server: ModelServer
) -> None:
    kept: dict[str, Any] = {
        "temperature": 0.5,
        "max_tokens": 9,
        "model": "m-kept",
        "model_extras": {"seed": 7},
    }
    with ChatCompletionsClient(model_server.base_url, AzureKeyCredential("sk"), **kept) as client:
        client.complete(messages=MESSAGES, temperature=1.0)
    told = balanced.span().attributes
    assert balanced.span().name == "chat m-kept"
    wanted = {"temperature": 1.0, "max_tokens": 9, "seed": 7}
    assert {name: told[f"gen_ai.request.{name}"] for name in wanted} == wanted


async def test_the_clients_own_classes(
    said: list[dict[str, Any]], balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    function = models.FunctionDefinition(name="f", description="d", parameters={"type": "object"})
    called = models.ChatCompletionsToolCall(id="a", function=models.FunctionCall(name="f", arguments="{}"))
    picture = models.ImageContentItem(image_url=models.ImageUrl(url="https://pictures.example/1"))
    asked: list[Any] = [
        models.SystemMessage("be brief"),
        models.UserMessage([models.TextContentItem(text="hi"), picture]),
        models.AssistantMessage(tool_calls=[called]),
        models.ToolMessage("sunny", tool_call_id="a"),
    ]
    tools = [models.ChatCompletionsToolDefinition(function=function)]
    model_server.reply(
        events=[*chunks(ending(usage={**COUNTS, "prompt_tokens_details": {"cached_tokens": 60}}))]
    )
    await caller.read(
        await settled(caller.client.complete(model="m", messages=asked, tools=tools, stream=True))
    )
    assert usage(balanced.span()) == {
        "input_tokens": 100,
        "output_tokens": 50,
        "cache_read.input_tokens": 60,
    }
    assert [(each["role"], each["parts"]) for each in said[0]["gen_ai.input.messages"]] == [
        ("system", [{"type": "text", "content": "be brief"}]),
        (
            "user",
            [
                {"type": "text", "content": "hi"},
                {"type": "uri", "modality": "image", "uri": "https://pictures.example/1"},
            ],
        ),
        ("assistant", [{"type": "tool_call", "id": "a", "name": "f", "arguments": {}}]),
        ("tool", [{"type": "tool_call_response", "id": "a", "response": "sunny"}]),
    ]
    (definition,) = said[0]["gen_ai.tool.definitions"]
    assert definition == {
        "type": "function",
        "name": "f",
        "description": "d",
        "parameters": {"type": "object"},
    }


# --- who is asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "provider", "model"),
    [
        ("https://a.openai.azure.com/openai/deployments/gpt-4o", "azure.ai.openai", "gpt-4o"),
        ("https://a.services.ai.azure.com/models", "azure.ai.inference", None),
        ("https://models.github.ai/inference", "azure.ai.inference", None),
        ("https://models.inference.ai.azure.com", "azure.ai.inference", None),
        ("https://phi.eastus.models.ai.azure.com", "azure.ai.inference", None),
    ],
)
def test_kinds_of_addresses(address: str, provider: str, model: str | None) -> None:
    with ChatCompletionsClient(address, AzureKeyCredential("sk")) as client:
        peer = SPEC.peer(client)
    assert (peer.provider, peer.port, peer.model) == (provider, 443, model)
    assert peer.address == address.split("/")[2]


def test_a_client_that_asked_which_model_it_serves() -> None:
    with ChatCompletionsClient("https://phi.eastus.models.ai.azure.com", AzureKeyCredential("sk")) as client:
        served: Any = client
        served._model_info = SimpleNamespace(model_name="phi-4")
        assert SPEC.peer(client).model == "phi-4"
