"""What becomes of a prediction that is made, waited for, looked at, streamed; versions, deployments, failures."""

from __future__ import annotations

import json
from typing import Any

import pytest
import replicate
from replicate.exceptions import ModelError
from replicate.identifier import ModelVersionIdentifier

from genai_otel.clients import _replicate_messages as messages
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.payload import CANARY
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")


def facts(span: Any) -> dict[str, Any]:
    wanted = ("gen_ai.operation.name", "gen_ai.response.status", "gen_ai.usage.output_tokens")
    return {name.rpartition(".")[2]: span.attributes.get(name) for name in wanted}


def method(caller: Caller, owner: Any, name: str) -> Any:
    return getattr(owner, f"async_{name}" if caller.asynchronous else name)


async def made(caller: Caller, say: str, **more: Any) -> Any:
    """A prediction that nobody has waited for, with an id of its own."""
    caller.client.poll_interval = 0
    create = method(caller, caller.client.predictions, "create")
    asked = {"prompt": f"{say} {caller.asynchronous} {CANARY}"}
    return await settled(create(version="meta/llama-3", input=asked, **more))


async def test_usage_is_counted_where_the_prediction_is_first_seen_to_have_ended(
    balanced: Recorded, caller: Caller
) -> None:
    prediction = await made(caller, "look")
    await settled(method(caller, prediction, "reload")())
    await settled(method(caller, caller.client.predictions, "get")(prediction.id))
    create, first, second = balanced.calls()
    assert facts(create) == {"name": "generate_content", "status": "queued", "output_tokens": None}
    assert facts(first) == {"name": "fetch_response", "status": "completed", "output_tokens": 7}
    assert facts(second) == {"name": "fetch_response", "status": "completed", "output_tokens": None}


async def test_waiting_is_one_call_whatever_it_asks(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    prediction = await made(caller, "wait")
    body = json.dumps({**json.loads(prediction.json()), "status": "processing"})
    model_server.reply(json.loads(body))
    await settled(method(caller, prediction, "wait")())
    await settled(method(caller, prediction, "wait")())  # which asks nothing
    create, wait = balanced.calls()
    assert len(model_server.requests) == 3
    assert facts(create)["status"] == "queued"
    assert facts(wait) == {"name": "fetch_response", "status": "completed", "output_tokens": 7}


async def test_running_without_the_vendors_waiting_is_one_call(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    caller.client.poll_interval = 0
    run = method(caller, caller.client, "run")
    say = {"prompt": f"run {caller.asynchronous} {CANARY}"}
    assert await settled(run("meta/llama-3", say, wait=False))
    assert [request.method for request in model_server.requests] == ["POST", "GET"]
    assert facts(balanced.span()) == {"name": "generate_content", "status": "completed", "output_tokens": 7}


async def test_a_version_is_part_of_the_models_name(balanced: Recorded, caller: Caller) -> None:
    await settled(method(caller, caller.client, "run")("meta/llama-3:abc", {"prompt": CANARY}, wait=True))
    assert balanced.span().name == "generate_content meta/llama-3:abc"


async def test_a_prediction_is_streamed_later(balanced: Recorded, caller: Caller) -> None:
    prediction = await made(caller, "stream", stream=True)
    stream: Any = method(caller, prediction, "stream")()
    seen, error = await caller.read(stream)
    assert (len(seen), error) == (7, None)
    _, streamed = balanced.calls()
    assert facts(streamed) == {"name": "fetch_response", "status": "completed", "output_tokens": None}
    assert streamed.attributes["genai_otel.stream.chunks"] == 7


async def test_a_model_that_fails(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    body = {"id": "p1", "model": "meta/llama-3", "version": "v", "status": "failed", "error": CANARY}
    model_server.reply({**body, "metrics": {"predict_time": 0.5}}, status=201)
    with pytest.raises(ModelError):
        await settled(method(caller, caller.client, "run")("meta/llama-3", {"prompt": CANARY}, wait=True))
    span = balanced.span()
    assert outcome(span) == ("failed", "ERROR", "ModelError")
    assert span.attributes["gen_ai.response.status"] == "failed"
    assert span.attributes["genai_otel.response.compute_time"] == 0.5


async def test_tokens_by_the_words_of_models_of_other_vendors(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    body = {"id": "p2", "model": "openai/gpt", "version": "v", "status": "succeeded", "output": ["a"]}
    model_server.reply({**body, "metrics": {"token_input_count": 3, "token_output_count": 5}}, status=201)
    await settled(method(caller, caller.client, "run")("openai/gpt", {"prompt": CANARY}, wait=True))
    found = balanced.span().attributes
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (3, 5)


def test_the_functions_of_the_module_are_calls(balanced: Recorded, model_server: ModelServer) -> None:
    module: Any = replicate
    module.default_client._base_url = model_server.url
    module.default_client._api_token = "sk-test"
    try:
        assert module.run("meta/llama-3", input={"prompt": CANARY}, wait=True)
        assert list(module.stream("meta/llama-3", input={"prompt": CANARY}))
    finally:
        module.default_client._client.close()
        module.default_client.__init__()
    run, stream = balanced.calls()
    assert facts(run)["output_tokens"] == 7
    assert stream.attributes["genai_otel.stream.chunks"] == 7


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (ModelVersionIdentifier.parse("meta/llama-3"), "meta/llama-3"),
        (ModelVersionIdentifier.parse("meta/llama-3:abc"), "meta/llama-3:abc"),
        (("meta", "llama-3"), "meta/llama-3"),
    ],
)
async def test_a_model_that_is_an_object_has_a_name(
    balanced: Recorded, caller: Caller, model: Any, name: str
) -> None:
    if isinstance(model, ModelVersionIdentifier):
        run = method(caller, caller.client, "run")
    else:
        run = method(caller, caller.client.models.predictions, "create")
    await settled(run(model, {"prompt": CANARY}, wait=True))
    assert balanced.span().name == f"generate_content {name}"


def test_what_was_said() -> None:
    asked = {"input": {"prompt": "hi", "system_prompt": "be brief", "image": "https://x/y.png"}}
    found = messages.RUN.request(asked)
    assert found["gen_ai.input.messages"] == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    assert found["gen_ai.system_instructions"] == [{"type": "text", "content": "be brief"}]
    parts = messages.RUN.response(["a", " b", "https://x/y.png", "data:audio/wav;base64,AAAA", {"n": 1}])
    assert parts["gen_ai.output.messages"][0]["parts"] == [
        {"type": "text", "content": "a b"},
        {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
        {"type": "blob", "modality": "audio", "content": "data:audio/wav;base64,AAAA"},
    ]
    unread = iter(["a"])
    assert messages.RUN.response(unread) == {}
    assert next(unread) == "a"
