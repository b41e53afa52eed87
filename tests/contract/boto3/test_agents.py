"""Agents that Bedrock runs: one span each, whose usage is a sum and counts nowhere; other services have none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY
from tests.contract.payloads.boto3 import PAYLOAD, session
from tests.contract.recorded import Recorded, outcome


@pytest.fixture
def client(telemetry: Recorded, model_server: ModelServer) -> Iterator[Any]:
    del telemetry  # set up before the client is made
    clients = PAYLOAD.make(model_server.base_url, False)
    yield clients.agents
    clients.close()


HOSTED = {
    "agentId": "AGENT12345",
    "agentAliasId": "ALIAS12345",
    "sessionId": "session-1",
    "inputText": CANARY,
}
INLINE = {
    "sessionId": "session-1",
    "foundationModel": "amazon.nova-lite-v1:0",
    "instruction": CANARY * 3,
    "inputText": CANARY,
}


@pytest.mark.parametrize("trace", [False, True])
def test_a_hosted_agent(telemetry: Recorded, client: Any, trace: bool) -> None:
    events = list(client.invoke_agent(**HOSTED, enableTrace=trace)["completion"])
    assert "chunk" in events[-1]
    span = telemetry.span()
    facts = span.attributes
    assert outcome(span) == ("completed", "UNSET", None)
    assert (span.name, facts["gen_ai.agent.id"]) == ("invoke_agent", "AGENT12345")
    assert facts["gen_ai.conversation.id"] == "session-1"
    assert facts.get("gen_ai.usage.input_tokens") == (24 if trace else None)
    assert "genai_otel.measured" not in facts
    assert "gen_ai.client.token.usage" not in telemetry.metrics()
    assert CANARY not in str(dict(facts))


def test_an_agent_that_the_request_describes(telemetry: Recorded, client: Any) -> None:
    if not hasattr(client, "invoke_inline_agent"):
        pytest.skip("not in this version of the client")
    assert list(client.invoke_inline_agent(**INLINE)["completion"])
    facts = telemetry.span().attributes
    assert facts["gen_ai.request.model"] == "amazon.nova-lite-v1:0"
    assert facts["gen_ai.request.stream"] is True


def test_other_operations_and_services_have_no_span(
    telemetry: Recorded, client: Any, model_server: ModelServer
) -> None:
    with pytest.raises(ClientError):
        client.retrieve(knowledgeBaseId="KB12345678", retrievalQuery={"text": CANARY})
    buckets = session().client("s3", endpoint_url=model_server.url)
    with pytest.raises((ClientError, EndpointConnectionError)):
        buckets.list_buckets()
    assert telemetry.spans() == []
