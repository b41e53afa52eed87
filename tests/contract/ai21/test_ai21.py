"""Arguments by position, runs that are polled, the clouds that AI21's models run on, what was said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ai21
import pytest
from ai21.models.chat import AssistantMessage, UserMessage

from genai_otel.clients.ai21 import SPEC
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.payload import CANARY
from tests.contract.payloads.ai21 import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = [
    pytest.mark.usefixtures("balanced"),
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),  # the client's own, of httpx
]

CONTENT = {
    endpoint.target.rpartition(":")[2]: endpoint.content
    for endpoint in SPEC.endpoints
    if endpoint.content is not None
}


async def test_arguments_by_position(balanced: Recorded, caller: Caller) -> None:
    """The two clients have them in another order."""
    given = ["jamba-mini", MESSAGES] if caller.asynchronous else [MESSAGES, "jamba-mini"]
    await settled(caller.client.chat.completions.create(*given))
    assert balanced.span().name == "chat jamba-mini"


async def test_a_run_that_is_polled_is_one_call(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    runs = caller.client.beta.maestro.runs
    run = await settled(runs.create_and_poll(input=CANARY, poll_interval_sec=0))
    span = balanced.span()
    assert (run.status, len(model_server.requests)) == ("completed", 2)
    assert outcome(span) == ("completed", "UNSET", None)
    assert span.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert span.attributes["gen_ai.response.id"] == run.id
    assert span.attributes["gen_ai.response.status"] == "completed"


async def test_a_run_that_is_looked_at(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    model_server.reply({"id": "r1", "status": "failed", "result": None, "error": {"message": CANARY}})
    run = await settled(caller.client.beta.maestro.runs.retrieve("r1"))
    span = balanced.span()
    assert run.status == "failed"
    assert outcome(span) == ("completed", "UNSET", None)  # looking at it did not fail
    assert span.attributes["gen_ai.operation.name"] == "fetch_response"
    assert span.attributes["gen_ai.response.status"] == "failed"


async def test_a_run_that_fails(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    model_server.reply({"id": "r1", "status": "failed", "result": None, "error": {"message": CANARY}})
    await settled(caller.client.beta.maestro.runs.create(input=CANARY))
    assert outcome(balanced.span()) == ("failed", "ERROR", "failed")


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://api.ai21.com/studio/v1", "ai21"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("https://us-central1-aiplatform.googleapis.com/v1", "gcp.vertex_ai"),
        ("https://a.models.ai.azure.com/v1", "azure.ai.inference"),
    ],
)
def test_provider_of_a_cloud(address: str, provider: str) -> None:
    peer = SPEC.peer(SimpleNamespace(_client=SimpleNamespace(_base_url=address)))
    assert (peer.provider, peer.port) == (provider, 443)


def test_client_of_azure(balanced: Recorded, model_server: ModelServer) -> None:
    """Its ``chat.create`` is the completions', bound when the client is made."""
    client: Any = ai21.AI21AzureClient(base_url=model_server.url, api_key="sk-test")
    client.chat.create(model="jamba-large", messages=MESSAGES)
    client._client.close()
    assert balanced.span().name == "chat jamba-large"
    assert balanced.span().attributes["server.port"] == model_server.port


def test_what_was_said() -> None:
    chat = CONTENT["ChatCompletions.create"]
    found = chat.request({"messages": [UserMessage(content="hi"), AssistantMessage(content="yes")]})
    assert [(one["role"], one["parts"]) for one in found["gen_ai.input.messages"]] == [
        ("user", [{"type": "text", "content": "hi"}]),
        ("assistant", [{"type": "text", "content": "yes"}]),
    ]
    run = CONTENT["MaestroRun.create"]
    asked = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    assert run.request({"input": "hi"})["gen_ai.input.messages"] == asked
    assert run.request({"input": [{"role": "user", "content": "hi"}]})["gen_ai.input.messages"] == asked
    told = run.response(SimpleNamespace(result="yes"))["gen_ai.output.messages"]
    assert told == [{"role": "assistant", "parts": [{"type": "text", "content": "yes"}]}]
    assert run.response(SimpleNamespace(result=None)) == {}
    answer = CONTENT["StudioConversationalRag.create"]
    choices = [AssistantMessage(content="yes")]
    assert answer.response(SimpleNamespace(choices=choices))["gen_ai.output.messages"] == told
