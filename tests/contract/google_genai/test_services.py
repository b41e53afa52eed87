"""Whom a client talks to: the Gemini API or Vertex AI, by instance, over any transport."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from genai_otel.clients.google_genai import SPEC
from genai_otel.spec import Peer
from genai_otel.testing import ModelServer
from tests.contract.payload import Payload
from tests.contract.recorded import Recorded, facts, outcome

pytestmark = pytest.mark.usefixtures("balanced")

genai = pytest.importorskip("google.genai")
types = genai.types
MODEL = "gemini-3-flash"
EMBEDDING = "text-embedding-005"


@pytest.fixture
def vertex(balanced: Recorded, payload: Payload, model_server: ModelServer) -> Any:
    return payload.make(model_server.base_url, False, vertexai=True)


def test_vertex_is_another_provider(balanced: Recorded, vertex: Any, client: Any) -> None:
    vertex.models.generate_content(model=MODEL, contents="hello")
    client.models.generate_content(model=MODEL, contents="hello")
    list(vertex.models.generate_content_stream(model=MODEL, contents="hello"))
    spans = balanced.calls()
    assert [span.attributes["gen_ai.provider.name"] for span in spans] == [
        "gcp.vertex_ai",
        "gcp.gemini",
        "gcp.vertex_ai",
    ]
    assert {span.attributes["gen_ai.usage.output_tokens"] for span in spans} == {7}


def test_embeddings_of_vertex_count_each_text(balanced: Recorded, vertex: Any) -> None:
    vertex.models.embed_content(model=EMBEDDING, contents=["a", "b", "c"])
    got = facts(balanced)
    assert (got["gen_ai.operation.name"], got["gen_ai.usage.input_tokens"]) == ("embeddings", 12)


@pytest.mark.seed_rows("004-43")
@pytest.mark.parametrize("method", ["generate_images", "edit_image"])
def test_images(balanced: Recorded, vertex: Any, method: str) -> None:
    picture = types.Image(image_bytes=base64.b64encode(b"picture"), mime_type="image/png")
    extra = {
        "generate_images": {"config": {"number_of_images": 2}},
        "edit_image": {
            "reference_images": [types.RawReferenceImage(reference_id=1, reference_image=picture)],
            "config": {"number_of_images": 2},
        },
    }
    result = getattr(vertex.models, method)(model="imagen-3.0", prompt="a horse", **extra[method])
    assert len(result.generated_images) == 2
    got = facts(balanced)
    assert (got["gen_ai.output.type"], got["gen_ai.request.choice.count"]) == ("image", 2)
    assert outcome(balanced.span()) == ("completed", "UNSET", None)


def test_the_vendors_own_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for options, peer in (
        ({}, Peer("gcp.gemini", "generativelanguage.googleapis.com", 443)),
        ({"vertexai": True}, Peer("gcp.vertex_ai", "aiplatform.googleapis.com", 443)),
        (
            {"http_options": {"base_url": "http://gateway.example:8080"}},
            Peer("gcp.gemini", "gateway.example", 8080),
        ),
    ):
        assert SPEC.peer(genai.Client(api_key="sk-test", **options).models) == peer


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:enable_cleanup_closed ignored:DeprecationWarning")
async def test_the_other_transport(balanced: Recorded, model_server: ModelServer) -> None:
    pytest.importorskip("aiohttp")
    client = genai.Client(api_key="sk-test", http_options=types.HttpOptions(base_url=model_server.base_url))
    await client.aio.models.generate_content(model=MODEL, contents="hello")
    stream = await client.aio.models.generate_content_stream(model=MODEL, contents="hello")
    assert len([chunk async for chunk in stream]) > 2
    stream = await client.aio.models.generate_content_stream(model=MODEL + "+cut-after-2", contents="hello")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the transport's own
        [chunk async for chunk in stream]
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed", "completed", "cut"]
    assert balanced.calls()[2].attributes["error.type"] == type(caught.value).__qualname__
    if hasattr(client.aio, "aclose"):
        await client.aio.aclose()
