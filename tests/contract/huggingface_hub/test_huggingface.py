"""Who is asked, the many tasks, and text generation with and without its details."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import InferenceClient

from genai_otel.clients.huggingface_hub import SPEC
from genai_otel.testing import ModelServer
from genai_otel.testing.answer import TEXT
from genai_otel.testing.wire import Reply
from tests.contract.bodies import COUNTS, FAILED, chunks, ending, usage
from tests.contract.caller import Caller, settled, some_error
from tests.contract.payload import CANARY
from tests.contract.payloads.huggingface_hub import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = [
    pytest.mark.usefixtures("balanced"),
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),  # the client's own, of httpx
]


# --- who is asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("hugging_face", "router.huggingface.co")),
        ({"api_key": "hf_x"}, ("hugging_face", "router.huggingface.co")),
        ({"provider": "auto", "api_key": "hf_x"}, ("hugging_face", "router.huggingface.co")),
        ({"provider": "hf-inference", "api_key": "hf_x"}, ("hugging_face", "router.huggingface.co")),
        ({"provider": "groq", "api_key": "hf_x"}, ("groq", "router.huggingface.co")),
        ({"provider": "groq", "api_key": "gsk_x"}, ("groq", "api.groq.com")),
        ({"provider": "together", "api_key": "x"}, ("together_ai", "api.together.xyz")),
        ({"provider": "fireworks-ai", "api_key": "hf_x"}, ("fireworks_ai", "router.huggingface.co")),
        ({"base_url": "https://api.groq.com/openai/v1"}, ("groq", "api.groq.com")),
        (
            {"model": "https://x.endpoints.huggingface.cloud"},
            ("hugging_face", "x.endpoints.huggingface.cloud"),
        ),
    ],
    ids=str,
)
def test_who_is_asked(given: dict[str, Any], expected: tuple[str, str]) -> None:
    peer = SPEC.peer(InferenceClient(**given))
    assert ((peer.provider, peer.address), peer.port, peer.model) == (expected, 443, None)


def test_the_model_that_a_client_was_made_for() -> None:
    assert SPEC.peer(InferenceClient(model="gpt2")).model == "gpt2"


# --- chat -------------------------------------------------------------------------------------------


async def test_usage_in_the_last_chunk(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    """A router adds it to the chunk that ends the answer, a text generation server sends one without choices."""
    counts: dict[str, Any] = {
        **COUNTS,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 7},
    }
    ends: list[list[dict[str, Any]]] = [[ending(usage=counts)], [ending(), {"choices": [], "usage": counts}]]
    for last in ends:
        model_server.reply(events=[*chunks(*last), "[DONE]"])
        stream = await settled(caller.client.chat_completion(messages=MESSAGES, model="m", stream=True))
        _, error = await caller.read(stream)
        assert error is None
    for span in balanced.calls():
        assert outcome(span)[0] == "completed"
        assert usage(span) == {
            "input_tokens": 100,
            "output_tokens": 50,
            "cache_read.input_tokens": 60,
            "reasoning.output_tokens": 7,
        }


@pytest.mark.parametrize("kind", ["of a router", "of a server"])
async def test_an_error_in_a_stream(
    balanced: Recorded, caller: Caller, model_server: ModelServer, kind: str
) -> None:
    failed: Any = FAILED if kind == "of a router" else {"error": "no", "error_type": "overloaded"}
    model_server.reply(events=[*chunks(), failed])
    stream = await settled(caller.client.chat_completion(messages=MESSAGES, model="m", stream=True))
    seen, error = await caller.read(stream)
    assert len(seen) == 2
    assert error is not None
    assert outcome(balanced.span()) == ("failed", "ERROR", type(error).__qualname__)


async def test_the_same_method_by_openais_name(balanced: Recorded, caller: Caller) -> None:
    await settled(caller.client.chat.completions.create(messages=MESSAGES, model="m", max_tokens=9))
    span = balanced.span()
    assert (span.name, span.attributes["gen_ai.request.max_tokens"]) == ("chat m", 9)


# --- text generation --------------------------------------------------------------------------------


@pytest.mark.parametrize("details", [False, True], ids=["bare", "details"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_text_generation(
    balanced: Recorded, said: list[dict[str, Any]], caller: Caller, details: bool, stream: bool
) -> None:
    at = f"{caller.client.model}/models/m"
    asked: Any = {"model": at, "details": details, "stream": stream, "max_new_tokens": 9, "top_k": 5}
    result = await settled(caller.client.text_generation("a mine", **asked))
    if stream:
        await caller.read(result)
    told = balanced.span().attributes
    assert (told["gen_ai.request.max_tokens"], told["gen_ai.request.top_k"]) == (9, 5)
    assert said[0]["gen_ai.input.messages"][0]["parts"] == [{"type": "text", "content": "a mine"}]
    assert said[0]["gen_ai.output.messages"][0]["parts"] == [{"type": "text", "content": TEXT}]
    wanted: dict[str, int] = {"output_tokens": 7} if details else {}
    if details and stream:
        wanted["input_tokens"] = 12  # which else takes a list of all of them
    assert usage(balanced.span()) == wanted


# --- the other tasks --------------------------------------------------------------------------------

SEEN = {"type": "blob", "modality": "image", "content": b"P"}
HEARD = {"type": "blob", "modality": "audio", "content": b"RIFF"}
ASKED = {"type": "text", "content": "a mine"}
ANSWERED = [{"type": "text", "content": "one two"}]

TASKS: Any = [
    ("summarization", ("a mine",), [{"summary_text": "one two"}], [ASKED], ANSWERED),
    ("translation", ("a mine",), [{"translation_text": "one two"}], [ASKED], ANSWERED),
    ("image_to_text", (b"P",), [{"generated_text": "one two"}], [SEEN], ANSWERED),
    ("automatic_speech_recognition", (b"RIFF",), {"text": "one two"}, [HEARD], ANSWERED),
    (
        "visual_question_answering",
        (b"P", "a mine"),
        [{"answer": "one two", "score": 0.9}, {"answer": "no", "score": 0.1}],
        [SEEN, ASKED],
        ANSWERED,
    ),
    ("text_to_speech", ("a mine",), Reply(b"RIFF", content_type="audio/wav"), [ASKED], None),
]
KINDS = {"text_to_speech": "speech"}


@pytest.mark.parametrize("task", TASKS, ids=[name for name, *_ in TASKS])
async def test_a_task(
    balanced: Recorded, said: list[dict[str, Any]], caller: Caller, model_server: ModelServer, task: Any
) -> None:
    name, given, body, asked, answered = task
    model_server.reply(body if isinstance(body, Reply) else Reply(body))
    await settled(getattr(caller.client, name)(*given))
    span = balanced.span()
    assert outcome(span) == ("completed", "UNSET", None)
    assert span.attributes["gen_ai.output.type"] == KINDS.get(name, "text")
    assert span.attributes["server.port"] == model_server.port
    assert usage(span) == {}
    assert said[0]["gen_ai.input.messages"][0]["parts"] == asked
    (answer,) = said[0].get("gen_ai.output.messages", ({"parts": None},))
    assert answer["parts"] == answered


async def test_a_picture_by_its_address(
    said: list[dict[str, Any]], caller: Caller, model_server: ModelServer
) -> None:
    """The client fetches what it is given the address of; the span tells the address."""
    model_server.reply(Reply(b"P", content_type="image/png"))
    model_server.reply(Reply([{"generated_text": "one two"}]))
    await settled(caller.client.image_to_text(f"{model_server.url}/picture"))
    (asked,) = said[0]["gen_ai.input.messages"]
    assert asked["parts"] == [{"type": "uri", "modality": "image", "uri": f"{model_server.url}/picture"}]


async def test_a_task_that_fails(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    model_server.reply(Reply({"error": CANARY}, 503))
    with some_error() as caught:
        await settled(caller.client.summarization(CANARY))
    span = balanced.span()
    assert outcome(span) == ("failed", "ERROR", type(caught.value).__qualname__)
    assert span.attributes["http.response.status_code"] == 503


async def test_what_sorts_makes_nothing(
    balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    model_server.reply(Reply([[{"label": "good", "score": 0.9}]]))
    await settled(caller.client.text_classification("a mine"))
    assert balanced.calls() == []
