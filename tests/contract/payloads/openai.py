"""The OpenAI client."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import openai
import pydantic

from tests.contract.payload import CANARY, Case, Payload, offered


class Weather(pydantic.BaseModel):
    """What `parse` fills."""

    city: str
    days: int


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (openai.DefaultAsyncHttpxClient if asynchronous else openai.DefaultHttpxClient)(verify=False)
    kind: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    chosen = {"api_key": "sk-test", "max_retries": 0, "http_client": transport, **options}
    return kind(base_url=base_url, **chosen)


def _method(path: str) -> Any:
    """The method behind a path from the client on, None where this version of the client has none."""
    with openai.OpenAI(api_key="sk-test") as client:
        try:
            return attrgetter(path)(client)
        except AttributeError:
            return None


def _streamed(path: str, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a stream changes, None where this version of the client has no stream there."""
    return facts if "stream" in inspect.signature(_method(path)).parameters else None


def _old(path: str) -> str:
    """The path, or where older versions of the client have it."""
    return path if _method(path) is not None else f"beta.{path}"


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_REQUEST_ID = {"genai_otel.response.request_id": ...}
_USAGE = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7}
_CHAT_USAGE = {
    **_USAGE,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.usage.audio.output_tokens": 1,
}
_ANSWER = {
    **_REQUEST_ID,
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "openai.response.service_tier": "default",
}
_CHAT = {
    **_ANSWER,
    **_CHAT_USAGE,
    "openai.api.type": "chat_completions",
    "openai.response.system_fingerprint": "fp_44709d6fcb",
}
_RESPONSE = {**_ANSWER, "openai.api.type": "responses", "gen_ai.response.status": "completed"}
_RESPONSES = {
    **_RESPONSE,
    **_USAGE,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_IMAGE = {
    **_REQUEST_ID,
    **_USAGE,
    "gen_ai.output.type": "image",
    "gen_ai.usage.image.input_tokens": 8,
    "gen_ai.usage.text.input_tokens": 4,
}
_STREAMED: dict[str, Any] = dict.fromkeys(_REQUEST_ID)
_NO_USAGE = dict.fromkeys([*_REQUEST_ID, *_CHAT_USAGE])
_PIXEL = ("a.png", b"not quite a picture", "image/png")
_SOUND = ("a.wav", b"RIFF", "audio/wav")


def _chat(model: str) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES}


def _responses(model: str) -> dict[str, Any]:
    return {"model": model, "input": CANARY, "instructions": CANARY}


def _job(prefix: str, model: str) -> str:
    """An id that tells the model server which model and directives are meant."""
    return f"{prefix}{'0' * 32}{model.encode().hex()}"


def _batch(model: str) -> dict[str, Any]:
    window: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return {"input_file_id": _job("file-", model), **window}


_JOB = {**_REQUEST_ID, "gen_ai.response.id": ..., "gen_ai.response.model": ...}
_VIDEO = {**_JOB, "gen_ai.output.type": "video", "gen_ai.response.status": "queued"}
_COMPACTED = {
    **_REQUEST_ID,
    **_USAGE,
    "openai.api.type": "responses",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("compaction",),
    "gen_ai.conversation.compacted": True,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.reasoning.output_tokens": 3,
}


_NEWER = (
    Case("responses.compact", _responses, _COMPACTED),
    Case("beta.responses.compact", _responses, _COMPACTED),
    Case("responses.input_tokens.count", _responses, _REQUEST_ID, operation="count_tokens"),
    Case("beta.responses.input_tokens.count", _responses, _REQUEST_ID, operation="count_tokens"),
    Case(
        "beta.responses.create",
        _responses,
        _RESPONSES,
        streamed=_STREAMED,
    ),
    Case(
        "beta.responses.retrieve",
        lambda model: {"response_id": _job("resp_", model)},
        _RESPONSE,
        operation="fetch_response",
        streamed=_STREAMED,
        named=False,
    ),
    Case(
        "decisions.create",
        lambda model: {
            "model": model,
            "input": CANARY,
            "questions": [{"type": "predicate", "question": CANARY, "name": "sane"}],
        },
        {
            **_REQUEST_ID,
            **_USAGE,
            "gen_ai.output.type": "json",
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.cache_write.input_tokens": 2,
            "gen_ai.usage.reasoning.output_tokens": 3,
        },
    ),
    Case(
        "videos.create",
        lambda model: {"model": model, "prompt": CANARY},
        _VIDEO,
        operation="generate_content",
    ),
    Case(
        "videos.remix",
        lambda model: {"video_id": _job("video_", model), "prompt": CANARY},
        _VIDEO,
        operation="generate_content",
        named=False,
    ),
    Case(
        "videos.retrieve",
        lambda model: {"video_id": _job("video_", model)},
        {**_JOB, "gen_ai.response.status": "completed"},
        operation="fetch_response",
        named=False,
    ),
)
"""What older versions of the client do not have."""


PAYLOAD = Payload(
    client="openai",
    provider="openai",
    make=_make,
    model="gpt-4o-mini",
    odd=(
        *("stop", "temperature", "top_p", "n", "seed", "max_tokens", "reasoning_effort"),
        *("response_format", "service_tier", "stream", "metadata", "user"),
    ),
    warnings=("ignore:The Sora API:DeprecationWarning",),
    usage_in_stream={"stream_options": {"include_usage": True}},
    tools=offered,
    hands_on_errors=True,
    cases=(
        Case(
            "chat.completions.create",
            _chat,
            _CHAT,
            streamed=_NO_USAGE,
            helper=_old("chat.completions.stream"),
        ),
        Case(
            _old("chat.completions.parse"),
            lambda model: {**_chat(model), "response_format": Weather},
            {**_CHAT, "gen_ai.output.type": "json"},
        ),
        Case("responses.create", _responses, _RESPONSES, streamed=_STREAMED, helper="responses.stream"),
        Case(
            "responses.parse",
            lambda model: {**_responses(model), "text_format": Weather},
            {**_RESPONSES, "gen_ai.output.type": "json"},
            raw=("with_raw_response",) if _method("responses.with_raw_response.parse") else (),
        ),
        Case(
            "responses.retrieve",  # the id tells the model server which model and directives are meant
            lambda model: {"response_id": _job("resp_", model)},
            _RESPONSE,
            operation="fetch_response",
            streamed=_streamed("responses.retrieve", _STREAMED),
            named=False,
        ),
        Case(
            "completions.create",
            lambda model: {"model": model, "prompt": CANARY},
            {**_CHAT, "openai.api.type": "completions"},
            operation="text_completion",
            streamed=_NO_USAGE,
        ),
        Case(
            "embeddings.create",
            lambda model: {"model": model, "input": [CANARY, CANARY], "dimensions": 4},
            {
                **_REQUEST_ID,
                "gen_ai.response.model": "gpt-4o-mini",
                "gen_ai.usage.input_tokens": 12,
                "gen_ai.embeddings.dimension.count": 4,
            },
            operation="embeddings",
        ),
        Case(
            "images.generate",
            lambda model: {"model": model, "prompt": CANARY},
            _IMAGE,
            operation="generate_content",
            streamed=_streamed("images.generate", _STREAMED),
        ),
        Case(
            "images.edit",
            lambda model: {"model": model, "prompt": CANARY, "image": _PIXEL},
            _IMAGE,
            operation="generate_content",
            streamed=_streamed("images.edit", _STREAMED),
        ),
        Case(
            "images.create_variation",
            lambda model: {"model": model, "image": _PIXEL},
            _IMAGE,
            operation="generate_content",
        ),
        Case(
            "audio.speech.create",
            lambda model: {"model": model, "input": CANARY, "voice": "alloy"},
            {"gen_ai.output.type": "speech"},
            operation="generate_content",
        ),
        Case(
            "audio.transcriptions.create",
            lambda model: {"model": model, "file": _SOUND},
            {
                **_REQUEST_ID,
                **_USAGE,
                "gen_ai.output.type": "text",
                "gen_ai.usage.audio.input_tokens": 5,
                "gen_ai.usage.text.input_tokens": 7,
            },
            operation="generate_content",
            streamed=_streamed("audio.transcriptions.create", _STREAMED),
        ),
        Case(
            "audio.translations.create",
            lambda model: {"model": model, "file": _SOUND},
            {**_REQUEST_ID, "gen_ai.output.type": "text"},
            operation="generate_content",
        ),
        Case(
            "moderations.create",
            lambda model: {"model": model, "input": CANARY},
            {**_REQUEST_ID, "gen_ai.response.model": "gpt-4o-mini"},
            operation="moderation",
        ),
        Case(
            "batches.create",
            _batch,
            {**_JOB, "gen_ai.response.status": "validating"},
            operation="create_batch",
            named=False,
        ),
        *(case for case in _NEWER if _method(case.path) is not None),
    ),
)
