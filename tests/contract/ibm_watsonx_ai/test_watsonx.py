"""What instances of the client say themselves, several answers of one call, and what is said there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from genai_otel.clients.ibm_watsonx_ai import SPEC
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.payload import CANARY
from tests.contract.payloads.ibm_watsonx_ai import MESSAGES, Client, Embeddings, ModelInference
from tests.contract.recorded import Recorded, outcome

TextChatParameters: Any = import_module("ibm_watsonx_ai.foundation_models.schema").TextChatParameters

pytestmark = pytest.mark.usefixtures("balanced")

SYNC = pytest.mark.parametrize("asynchronous", [False], ids=["sync"])


def instance(caller: Caller, **options: Any) -> Any:
    chosen: dict[str, Any] = {"model_id": "granite-4", **options}
    return ModelInference(validate=False, api_client=caller.client._client, **chosen)


@SYNC
async def test_parameters_of_the_instance(balanced: Recorded, caller: Caller) -> None:
    instance(caller, params=TextChatParameters(temperature=0.5, max_tokens=99)).chat(MESSAGES)
    instance(caller, params={"temperature": 0.5, "max_tokens": 99}).chat(MESSAGES, {"seed": 7})
    held, given = (span.attributes for span in balanced.calls())
    assert (held["gen_ai.request.temperature"], held["gen_ai.request.max_tokens"]) == (0.5, 99)
    assert "gen_ai.request.temperature" not in given  # they replace the instance's
    assert given["gen_ai.request.seed"] == 7


@SYNC
async def test_parameters_of_a_generation(balanced: Recorded, caller: Caller) -> None:
    params = {"max_new_tokens": 9, "top_k": 5, "random_seed": 7, "stop_sequences": ["one"]}
    assert instance(caller).generate_text(CANARY, params) == "Hello from the local model server."
    facts = balanced.span().attributes
    assert facts["gen_ai.operation.name"] == "text_completion"
    assert (facts["gen_ai.request.max_tokens"], facts["gen_ai.request.top_k"]) == (9, 5)
    assert (facts["gen_ai.request.seed"], facts["gen_ai.request.stop_sequences"]) == (7, ("one",))
    assert facts["gen_ai.usage.output_tokens"] == 7


@SYNC
async def test_a_deployment_is_named_in_place_of_a_model(balanced: Recorded, caller: Caller) -> None:
    instance(caller, model_id=None, deployment_id="mine").chat(MESSAGES)
    assert balanced.span().name == "chat mine"


@SYNC
async def test_several_prompts_are_one_call(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    instance(caller).generate([CANARY, CANARY, CANARY])
    assert len(model_server.requests) == 3
    facts = balanced.span().attributes
    assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (36, 21)
    assert facts["gen_ai.response.finish_reasons"] == ("stop",) * 3


@SYNC
@pytest.mark.filterwarnings("ignore:In this mode:UserWarning")
async def test_several_prompts_one_by_one(balanced: Recorded, caller: Caller) -> None:
    assert len(list(instance(caller).generate([CANARY, CANARY], async_mode=True))) == 2
    facts = balanced.span().attributes
    assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (24, 14)
    assert facts["genai_otel.outcome"] == "completed"


@SYNC
async def test_a_stream_of_text_has_no_usage(balanced: Recorded, caller: Caller) -> None:
    assert "".join(instance(caller).generate_text_stream(CANARY)) == "Hello from the local model server."
    facts = balanced.span().attributes
    assert outcome(balanced.span()) == ("completed", "UNSET", None)
    assert facts["genai_otel.stream.chunks"] == 6
    assert not [name for name in facts if "usage" in name]


async def test_documents_and_queries(balanced: Recorded, caller: Caller) -> None:
    made: Any = Embeddings(model_id="granite-4", api_client=caller.client._client)
    kind = "a" if caller.asynchronous else ""
    assert len(await settled(getattr(made, f"{kind}embed_documents")([CANARY, CANARY]))) == 2
    assert len(await settled(getattr(made, f"{kind}embed_query")(CANARY))) == 3
    assert [span.name for span in balanced.calls()] == ["embeddings granite-4"] * 2


@SYNC
async def test_what_is_tried_again_is_one_call(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    Client(caller.server.base_url, False, retries=2).chat(model="granite-4+fail-2", messages=MESSAGES)
    assert (len(model_server.requests), len(balanced.calls())) == (3, 1)


def content_of(method: str) -> Any:
    return next(each.content for each in SPEC.endpoints if each.target.endswith(f":{method}"))


@SYNC
async def test_what_is_said(caller: Caller, model_server: ModelServer) -> None:
    chat, generate = content_of("ModelInference.chat"), content_of("ModelInference.generate")
    said = {"role": "user", "parts": [{"type": "text", "content": CANARY}]}
    asked = chat.request({"messages": MESSAGES})["gen_ai.input.messages"]
    assert asked == [{**said, "role": "system"}, said]
    assert generate.request({"prompt": [CANARY, CANARY]}) == {"gen_ai.input.messages": [said, said]}
    model_server.reply(tool_calls={"look_up": {"city": "Paris"}})
    (called,) = chat.response(instance(caller).chat(MESSAGES))["gen_ai.output.messages"]
    assert called["parts"][0]["arguments"] == {"city": "Paris"}
    model_server.reply("it is")
    state: dict[Any, Any] = {}
    for chunk in instance(caller).chat_stream(MESSAGES):
        chat.chunk(state, chunk)
    (streamed,) = chat.final(state)["gen_ai.output.messages"]
    assert streamed["parts"] == [{"type": "text", "content": "it is"}]
    model_server.reply("it was")
    (generated,) = generate.response(instance(caller).generate(CANARY))["gen_ai.output.messages"]
    assert generated["parts"] == [{"type": "text", "content": "it was"}]
