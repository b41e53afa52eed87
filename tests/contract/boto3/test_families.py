"""InvokeModel with the models of each vendor: requests and answers in their own forms, whole and streamed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import IncompleteReadError

from genai_otel.testing import ModelServer
from tests.contract.payload import CANARY
from tests.contract.payloads.boto3 import PAYLOAD
from tests.contract.recorded import Recorded, collected, outcome

pytestmark = pytest.mark.filterwarnings(*PAYLOAD.warnings)

SAID = [{"role": "user", "content": CANARY}]
NOVA = {
    "messages": [{"role": "user", "content": [{"text": CANARY}]}],
    "inferenceConfig": {"maxTokens": 99, "topK": 5},
}
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "titan": (
        "amazon.titan-text-express-v1",
        "text_completion",
        {"inputText": CANARY, "textGenerationConfig": {"maxTokenCount": 99, "stopSequences": ["x"]}},
    ),
    "nova": ("us.amazon.nova-lite-v1:0", "chat", NOVA),
    "llama": ("meta.llama3-8b-instruct-v1:0", "text_completion", {"prompt": CANARY, "max_gen_len": 99}),
    "mistral": ("mistral.mistral-7b-instruct-v0:2", "text_completion", {"prompt": CANARY, "max_tokens": 99}),
    "command": ("cohere.command-text-v14", "text_completion", {"prompt": CANARY, "max_tokens": 99, "k": 5}),
    "command r": ("cohere.command-r-v1:0", "chat", {"message": CANARY, "max_tokens": 99}),
    "jamba": ("ai21.jamba-1-5-mini-v1:0", "chat", {"messages": SAID, "max_tokens": 99}),
    "deepseek": ("deepseek.v3-v1:0", "chat", {"messages": SAID, "max_tokens": 99}),
    "profile": (
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
        "chat",
        {"messages": SAID, "max_tokens": 99},
    ),
}
families = pytest.mark.parametrize("family", FAMILIES)


@pytest.fixture
def client(telemetry: Recorded, model_server: ModelServer) -> Iterator[Any]:
    del telemetry  # set up before the client is made
    clients = PAYLOAD.make(model_server.base_url, False)
    yield clients.models
    clients.close()


def arguments(family: str, directives: str = "") -> dict[str, Any]:
    model, _, body = FAMILIES[family]
    return {"modelId": model + directives, "body": json.dumps(body)}


@families
def test_whole(telemetry: Recorded, client: Any, family: str) -> None:
    answer = client.invoke_model(**arguments(family))
    assert telemetry.calls() == []
    assert json.loads(answer["body"].read())
    check(telemetry.span(), family)


def check(span: Any, family: str) -> None:
    model, operation, _ = FAMILIES[family]
    facts = span.attributes
    assert outcome(span) == ("completed", "UNSET", None)
    assert span.name == f"{operation} {model}"
    assert facts["gen_ai.request.max_tokens"] == 99
    assert facts["gen_ai.response.finish_reasons"] == ("stop",)
    assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (12, 7)
    assert facts["genai_otel.response.request_id"]
    assert CANARY not in str(dict(facts))


@families
def test_streamed(telemetry: Recorded, client: Any, family: str) -> None:
    events = list(client.invoke_model_with_response_stream(**arguments(family))["body"])
    assert len(events) > 2
    span = telemetry.span()
    check(span, family)
    assert span.attributes["genai_otel.stream.chunks"] == len(events)


@families
@pytest.mark.parametrize(
    ("directive", "reason"), [("length", "length"), ("content-filter", "content_filter")]
)
def test_reasons(telemetry: Recorded, client: Any, family: str, directive: str, reason: str) -> None:
    client.invoke_model(**arguments(family, f"+{directive}"))["body"].read()
    list(client.invoke_model_with_response_stream(**arguments(family, f"+{directive}"))["body"])
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in telemetry.calls()] == [
        (reason,)
    ] * 2


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("amazon.titan-embed-text-v2:0", {"inputText": CANARY, "dimensions": 256}),
        (
            "cohere.embed-english-v3",
            {"texts": [CANARY], "input_type": "search_document", "output_dimension": 256},
        ),
    ],
)
def test_embeddings(telemetry: Recorded, client: Any, model: str, body: dict[str, Any]) -> None:
    client.invoke_model(modelId=model, body=json.dumps(body))
    span = telemetry.span()  # without a look at the body
    assert span.name == f"embeddings {model}"
    assert span.attributes["gen_ai.usage.input_tokens"] == 12
    assert span.attributes["gen_ai.embeddings.dimension.count"] == 256


READERS: dict[str, Callable[[Any], Any]] = {
    "read": lambda body: body.read(),
    "pieces": lambda body: b"".join(iter(lambda: body.read(10), b"")),
    "by name": lambda body: body.read(amt=None),
    "chunks": lambda body: b"".join(body.iter_chunks(7)),
    "lines": lambda body: b"\n".join(body.iter_lines()),
    "iterated": b"".join,
    "json": lambda body: json.dumps(json.load(body)).encode(),
    "kept method": lambda body: (body.read, [body := None])[0](),
}


@pytest.mark.parametrize("how", READERS)
def test_a_body_is_read_in_any_way(telemetry: Recorded, client: Any, how: str) -> None:
    answer = client.invoke_model(**arguments("nova"))
    body = answer.pop("body")
    kind = cast("Any", type(body))
    before: set[str] = {*vars(kind(None, None))}
    assert json.loads(READERS[how](body))["stopReason"] == "end_turn"
    assert {*vars(body)} == before
    assert type(body) is kind
    check(telemetry.span(), "nova")


def test_a_file_as_the_request_is_left_to_the_client(telemetry: Recorded, client: Any) -> None:
    body = io.BytesIO(json.dumps(FAMILIES["nova"][2]).encode())
    client.invoke_model(modelId=FAMILIES["nova"][0], body=body)["body"].read()
    assert telemetry.span().attributes["gen_ai.usage.input_tokens"] == 12


async def test_a_body_that_is_dropped_closed_or_cut(telemetry: Recorded, client: Any) -> None:
    answer = client.invoke_model(**arguments("nova"))
    del answer
    await collected()
    client.invoke_model(**arguments("nova"))["body"].close()
    with client.invoke_model(**arguments("nova"))["body"] as raw:
        assert raw.read()
    cut = client.invoke_model(**arguments("nova", "+cut-after-20"))["body"]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the client's own
        cut.read()
    ends = [outcome(span) for span in telemetry.calls()]
    assert ends[0][0] in ("abandoned", "closed")
    assert [end[0] for end in ends[1:]] == ["closed", "closed", "cut"]
    assert ends[3][2] == type(caught.value).__qualname__
    usage = [span.attributes["gen_ai.usage.input_tokens"] for span in telemetry.calls()]
    assert usage == [12] * 4  # the headers said it


def test_error_inside_a_short_read_is_the_clients(telemetry: Recorded, client: Any) -> None:
    body = client.invoke_model(**arguments("nova"))["body"]
    body._content_length = "5"
    with pytest.raises(IncompleteReadError):
        body.read()
    assert outcome(telemetry.span()) == ("cut", "ERROR", "IncompleteReadError")
