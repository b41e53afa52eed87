"""What stands behind the client, and what it does without a server."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import voyageai

from genai_otel.clients.voyageai import SPEC
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.mark.filterwarnings("ignore:This function will be deprecated:UserWarning")
async def test_a_function_of_the_module_is_one_call_without_usage(
    balanced: Recorded, model_server: ModelServer, payload: Payload, asynchronous: bool
) -> None:
    module: Any = voyageai
    kind = "a" if asynchronous else ""
    held: dict[str, Any] = payload.make(model_server.base_url, False)._params
    await settled(getattr(module, f"{kind}get_embedding")(CANARY, "voyage-3.5", **held))
    await settled(getattr(module, f"{kind}get_embeddings")([CANARY, CANARY], **held))
    one, two = balanced.calls()
    assert one.name == "embeddings voyage-3.5"
    assert two.name == f"embeddings {module.VOYAGE_EMBED_DEFAULT_MODEL}"
    for span in (one, two):
        assert outcome(span) == ("completed", "UNSET", None)
        assert span.attributes["server.port"] == model_server.port
        assert not [name for name in span.attributes if "usage" in name]


async def test_arguments_by_position(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.embed([CANARY], "voyage-3.5", None, True, "float", 4))
    facts = balanced.span().attributes
    assert facts["gen_ai.request.model"] == "voyage-3.5"
    assert facts["gen_ai.request.encoding_formats"] == ("float",)
    assert facts["gen_ai.embeddings.dimension.count"] == 4


@pytest.mark.filterwarnings("ignore:The `model` argument:UserWarning")
async def test_a_call_that_names_no_model_is_of_the_clients(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.embed([CANARY]))
    assert balanced.span().name == f"embeddings {voyageai.VOYAGE_EMBED_DEFAULT_MODEL}"


async def test_a_model_in_this_process_has_no_server(
    balanced: Recorded, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    helpers = pytest.importorskip("voyageai.local.helpers", reason="a newer version runs models itself")
    encoded = SimpleNamespace(tolist=lambda: [[0.5]])

    def encode(**_: Any) -> tuple[Any, int]:
        return encoded, 3

    def backend(_: str) -> Any:
        return SimpleNamespace(encode=encode)

    monkeypatch.setattr(helpers, "get_local_backend", backend)
    (model, *_) = helpers.LOCAL_MODELS
    assert (await settled(caller.client.embed([CANARY], model))).embeddings == [[0.5]]
    facts = balanced.span().attributes
    assert "server.address" not in facts
    assert facts["gen_ai.usage.input_tokens"] == 3


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({}, "api.voyageai.com"),
        ({"api_key": "pa-x"}, "api.voyageai.com"),
        ({"api_key": "al-x"}, "ai.mongodb.com"),
        ({"base_url": "https://voyage.example/v1", "api_key": "al-x"}, "voyage.example"),
        ({"api_base": "https://voyage.example/v1"}, "voyage.example"),
    ],
)
def test_the_address_is_the_one_that_is_asked(
    given: dict[str, str], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOYAGE_API_KEY", raising=False)
    monkeypatch.delattr(sys.modules["voyageai"], "api_base", raising=False)
    peer = SPEC.peer(SimpleNamespace(_params=given))
    assert (peer.provider, peer.address, peer.port) == ("voyage_ai", host, 443)
