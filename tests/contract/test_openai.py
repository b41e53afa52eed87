"""What only OpenAI's client and its relatives have."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import openai
import pytest

from genai_otel.clients.openai import SPEC
from genai_otel.engine import record
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller
from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload
from tests.contract.payloads.openai import MESSAGES, Weather
from tests.contract.recorded import Recorded
from tests.contract.test_streams import outcome
from tests.harness.calls import WEATHER, WEATHER_FLAT
from tests.harness.patience import collect

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def payload() -> Payload:
    return next(payload for payload in PAYLOADS if payload.client == "openai")


@pytest.fixture(autouse=True)
def asynchronous() -> bool:
    return False


@pytest.fixture
def client(caller: Caller) -> Any:
    return caller.client


def facts(telemetry: Recorded) -> dict[str, Any]:
    return dict(telemetry.span().attributes or {})


def needs(client: Any, path: str, *arguments: str) -> None:
    """Skip with a client that is older than what the test is about."""
    try:
        known = inspect.signature(attrgetter(path)(client)).parameters
    except AttributeError:
        known = {}
    if not known or not known.keys() >= set(arguments):
        pytest.skip(f"openai {openai.__version__} has no {path} with {arguments}")


# --- whom a client talks to -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "provider", "address", "port"),
    [
        ("https://api.openai.com/v1", "openai", "api.openai.com", 443),
        ("https://eu.api.openai.com/v1", "openai", "eu.api.openai.com", 443),
        ("https://my.openai.azure.com/openai/v1/", "azure.ai.openai", "my.openai.azure.com", 443),
        ("https://a.services.ai.azure.com/models", "azure.ai.inference", "a.services.ai.azure.com", 443),
        ("https://api.deepseek.com", "deepseek", "api.deepseek.com", 443),
        ("https://api.x.ai/v1", "x_ai", "api.x.ai", 443),
        ("https://api.groq.com/openai/v1", "groq", "api.groq.com", 443),
        ("https://api.mistral.ai/v1", "mistral_ai", "api.mistral.ai", 443),
        ("https://api.perplexity.ai", "perplexity", "api.perplexity.ai", 443),
        ("https://api.moonshot.cn/v1", "moonshot_ai", "api.moonshot.cn", 443),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "gcp.gemini",
            "generativelanguage.googleapis.com",
            443,
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1/x",
            "gcp.vertex_ai",
            "us-central1-aiplatform.googleapis.com",
            443,
        ),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter.ai", 443),
        ("http://localhost:11434/v1", "openai", "localhost", 11434),
        ("http://[::1]:8000/v1", "openai", "::1", 8000),
        ("http://vllm/v1", "openai", "vllm", 80),
        ("https://notx.ai/v1", "openai", "notx.ai", 443),
        ("https://api.openai.com.evil.example/v1", "openai", "api.openai.com.evil.example", 443),
    ],
)
def test_provider_and_server_are_those_of_the_base_url(
    base_url: str, provider: str, address: str, port: int
) -> None:
    with openai.OpenAI(base_url=base_url, api_key="k") as client:
        assert SPEC.peer(client.chat.completions) == (provider, address, port)


def test_azure(balanced: Recorded, model_server: ModelServer) -> None:
    with openai.AzureOpenAI(
        azure_endpoint=model_server.url, api_key="k", api_version="2025-01-01", max_retries=0
    ) as client:
        assert client.chat.completions.create(model="my-deployment", messages=MESSAGES).choices
    told = facts(balanced)
    assert told["gen_ai.provider.name"] == "azure.ai.openai"
    assert told["gen_ai.request.model"] == "my-deployment"
    assert (told["server.address"], told["server.port"]) == ("127.0.0.1", model_server.port)


def test_two_clients_and_options_are_told_apart(balanced: Recorded, client: Any) -> None:
    with ModelServer() as other:
        client.chat.completions.create(model="m", messages=MESSAGES)
        client.with_options(base_url=other.base_url).chat.completions.create(model="m", messages=MESSAGES)
        client.with_options(timeout=5).chat.completions.create(model="m", messages=MESSAGES)
        moved = client.copy()
        moved.base_url = other.base_url
        moved.chat.completions.create(model="m", messages=MESSAGES)
        ports = [span.attributes["server.port"] for span in balanced.calls()]
        assert ports == [client.base_url.port, other.port, client.base_url.port, other.port]


def test_the_default_client_of_the_module(
    balanced: Recorded, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "api_key", "k")
    monkeypatch.setattr(openai, "base_url", model_server.base_url)
    monkeypatch.setattr(openai, "_client", None)
    assert openai.chat.completions.create(model="m", messages=MESSAGES)
    assert outcome(balanced.span())[0] == "completed"


# --- facts of requests ----------------------------------------------------------------------------


def test_facts_of_a_chat_request(balanced: Recorded, client: Any) -> None:
    client.chat.completions.create(
        model="m",
        messages=MESSAGES,
        temperature=1,
        top_p=0.5,
        frequency_penalty=0,
        presence_penalty=1,
        max_completion_tokens=50,
        seed=7,
        stop=["a", "b"],
        n=2,
        service_tier="flex",
        reasoning_effort="low",
        response_format={"type": "json_object"},
        logprobs=True,
        user="somebody",
        metadata={"a": "b"},
    )
    told = facts(balanced)
    wanted = {
        "temperature": 1.0,
        "top_p": 0.5,
        "frequency_penalty": 0.0,
        "presence_penalty": 1.0,
        "max_tokens": 50,
        "seed": 7,
        "stop_sequences": ("a", "b"),
        "choice.count": 2,
        "reasoning.level": "low",
    }
    for name, value in wanted.items():
        assert told[f"gen_ai.request.{name}"] == value
        assert type(told[f"gen_ai.request.{name}"]) is type(value)
    assert told["gen_ai.output.type"] == "json"
    assert told["openai.request.service_tier"] == told["openai.response.service_tier"] == "flex"
    assert not [name for name in told if "user" in name or "metadata" in name]


def test_facts_of_a_responses_request(balanced: Recorded, client: Any) -> None:
    needs(client, "responses.create", "conversation")
    client.responses.create(
        model="m",
        input="hi",
        max_output_tokens=9,
        reasoning={"effort": "high"},
        previous_response_id="resp_1",
        conversation={"id": "conv_1"},
        text={"format": {"type": "text"}},
    )
    told = facts(balanced)
    assert told["gen_ai.request.max_tokens"] == 9
    assert told["gen_ai.request.reasoning.level"] == "high"
    assert told["gen_ai.request.previous_response.id"] == "resp_1"
    assert told["gen_ai.conversation.id"] == "conv_1"
    assert told["gen_ai.output.type"] == "text"


def test_arguments_that_are_not_given_are_no_facts(balanced: Recorded, client: Any) -> None:
    not_given: Any = getattr(openai, "omit", openai.NOT_GIVEN)
    client.chat.completions.create(
        model="m", messages=MESSAGES, temperature=not_given, stop=None, n=openai.NOT_GIVEN, stream=False
    )
    told = facts(balanced)
    assert not [name for name in told if name.startswith("gen_ai.request.") and name[15:] != "model"]


def test_arguments_are_neither_changed_nor_consumed(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    headers = {"X-Mine": "1"}
    options = {"include_usage": True}
    list(
        client.chat.completions.create(
            model="m",
            messages=(message for message in MESSAGES),
            stop=["a", "b"],
            stream=True,
            stream_options=options,
            extra_headers=headers,
        )
    )
    sent: Any = model_server.requests[0].json
    assert (sent["messages"], sent["stop"], sent["stream_options"]) == (MESSAGES, ["a", "b"], options)
    assert headers == {"X-Mine": "1"}
    assert outcome(balanced.span())[0] == "completed"


def test_a_response_that_is_named_by_position(balanced: Recorded, client: Any) -> None:
    needs(client, "responses.create", "background")
    made = client.responses.create(model="m", input="hi", background=True)
    assert made.status == "queued"
    assert client.responses.retrieve(made.id).status == "completed"
    events = list(client.responses.retrieve(made.id, stream=True, starting_after=2))
    created, fetched, resumed = (span.attributes for span in balanced.calls())
    assert created["gen_ai.response.status"] == "queued"
    assert "gen_ai.usage.input_tokens" not in created
    for told in (fetched, resumed):
        assert told["gen_ai.operation.name"] == "fetch_response"
        assert told["gen_ai.response.id"] == made.id
        assert told["gen_ai.response.status"] == "completed"
        assert not [name for name in told if "usage" in name]
    assert resumed["gen_ai.request.stream_cursor"] == 2
    assert resumed["genai_otel.stream.chunks"] == len(events)


def test_the_stream_helper_of_a_background_response(balanced: Recorded, client: Any) -> None:
    needs(client, "responses.stream", "response_id")
    made = client.responses.create(model="m", input="hi", background=True)
    with client.responses.stream(response_id=made.id, starting_after=0) as stream:
        assert len(list(stream)) > 2
    assert [span.attributes["gen_ai.operation.name"] for span in balanced.calls()] == [
        "chat",
        "fetch_response",
    ]


# --- facts of answers -----------------------------------------------------------------------------


def test_tool_calls(balanced: Recorded, client: Any) -> None:
    client.chat.completions.create(model="m", messages=MESSAGES, tools=[WEATHER])
    list(client.chat.completions.create(model="m", messages=MESSAGES, tools=[WEATHER], stream=True))
    client.responses.create(model="m", input="hi", tools=[WEATHER_FLAT])
    list(client.responses.create(model="m", input="hi", tools=[WEATHER_FLAT], stream=True))
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in balanced.calls()]
    assert reasons == [("tool_calls",)] * 4


def test_structured_output_through_the_helpers(balanced: Recorded, client: Any) -> None:
    needs(client, "chat.completions.stream")
    parsed = client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Weather)
    assert isinstance(parsed.choices[0].message.parsed, Weather)
    with client.chat.completions.stream(model="m", messages=MESSAGES, response_format=Weather) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Weather)
    with client.responses.stream(model="m", input="hi", text_format=Weather) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Weather)
    with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
        assert stream.until_done().current_completion_snapshot.choices
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed"] * 4
    assert [span.attributes.get("gen_ai.output.type") for span in balanced.calls()] == [
        *["json"] * 3,
        None,
    ]


def test_a_completion_that_was_paid_for_and_cannot_be_parsed(balanced: Recorded, client: Any) -> None:
    needs(client, "chat.completions.parse")
    for directive, kind in (
        ("length", openai.LengthFinishReasonError),
        ("content-filter", openai.ContentFilterFinishReasonError),
    ):
        with pytest.raises(kind) as caught:
            client.chat.completions.parse(model=f"m+{directive}", messages=MESSAGES, response_format=Weather)
        span = balanced.calls()[-1]
        assert outcome(span) == ("failed", "ERROR", kind.__qualname__)
        if hasattr(caught.value, "completion"):  # a content filter's has none before 3.0
            assert span.attributes["gen_ai.usage.output_tokens"] == 7


def test_incomplete_and_failed_responses(balanced: Recorded, client: Any) -> None:
    for stream in (False, True):
        for directive in ("length", "content-filter", "failed"):
            answer = client.responses.create(model=f"m+{directive}", input="hi", stream=stream)
            if stream:
                list(answer)
    rows = [
        (
            outcome(span),
            *(span.attributes[f"gen_ai.response.{name}"] for name in ("status", "finish_reasons")),
        )
        for span in balanced.calls()
    ]
    assert (
        rows
        == [
            (("completed", "UNSET", None), "incomplete", ("length",)),
            (("completed", "UNSET", None), "incomplete", ("content_filter",)),
            (("failed", "ERROR", "server_error"), "failed", ("error",)),
        ]
        * 2
    )


def test_refusal(balanced: Recorded, client: Any) -> None:
    answer = client.chat.completions.create(model="m+refusal", messages=MESSAGES)
    assert answer.choices[0].message.refusal
    assert outcome(balanced.span())[0] == "completed"


def test_speech_that_is_streamed_to_a_file(balanced: Recorded, client: Any, tmp_path: Any) -> None:
    with client.audio.speech.with_streaming_response.create(model="m", input="hi", voice="alloy") as sound:
        sound.stream_to_file(tmp_path / "a.mp3")
    assert (tmp_path / "a.mp3").stat().st_size == 1024
    assert outcome(balanced.span())[0] == "completed"


def test_vectors_stay_out_and_cost_nothing(balanced: Recorded, client: Any) -> None:
    client.embeddings.create(model="m", input=["x"], dimensions=4)  # what is imported, is
    begun = time.perf_counter()
    answer = client.embeddings.create(model="m", input=["x"] * 50, dimensions=1536)
    whole = time.perf_counter() - begun
    assert len(answer.data[0].embedding) == 1536
    told = balanced.calls()[1]
    assert len(told.to_json()) < 2_000
    assert (told.end_time or 0) - (told.start_time or 0) < whole * 1e9


def test_the_vendors_own_warnings_come_as_often(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    for recorder in (record.active, None):
        monkeypatch.setattr(record, "active", recorder)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            client.images.create_variation(image=b"x", model="m")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_many_abandoned_streams_leave_nothing(balanced: Recorded, client: Any) -> None:
    for _ in range(100):
        client.chat.completions.create(model="m+chunks-1", messages=MESSAGES, stream=True)
    collect()
    points = balanced.metrics()
    active = [point.value for point in points.get("genai_otel.client.active_operations", [])]
    assert sum(active) == 0
    assert sum(point.count for point in points["gen_ai.client.operation.duration"]) == 100


# --- the setting that asks for usage --------------------------------------------------------------


@pytest.fixture
def asks_for_usage() -> Iterator[None]:
    """As the ``stream_usage`` setting."""
    assert record.active
    record.active.stream_usage = True
    yield
    record.active.stream_usage = False


@pytest.mark.usefixtures("asks_for_usage")
def test_usage_that_a_setting_asks_for_stays_unseen(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    needs(client, "chat.completions.stream")
    chunks = list(client.chat.completions.create(model="m+chunks-2", messages=MESSAGES, stream=True))
    assert all(chunk.choices for chunk in chunks)
    with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
        assert stream.get_final_completion().usage is None
    for span, request in zip(balanced.calls(), model_server.requests, strict=True):
        sent: Any = request.json
        assert sent["stream_options"] == {"include_usage": True}
        assert span.attributes["gen_ai.usage.input_tokens"] == 12


@pytest.mark.usefixtures("asks_for_usage")
def test_a_program_that_has_decided_about_usage_is_not_overruled(
    balanced: Recorded, client: Any, model_server: ModelServer
) -> None:
    options: list[Any] = [{"include_usage": False}, {"include_usage": True}]
    seen = [
        list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True, stream_options=option))
        for option in options
    ]
    assert [bool(chunks[-1].choices) for chunks in seen] == [True, False]
    client.chat.completions.create(model="m", messages=MESSAGES)
    sent: list[Any] = [request.json for request in model_server.requests]
    assert [body.get("stream_options") for body in sent] == [*options, None]
    assert ["gen_ai.usage.input_tokens" in span.attributes for span in balanced.calls()] == [
        False,
        True,
        True,
    ]
