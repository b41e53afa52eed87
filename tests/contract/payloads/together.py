"""The Together client."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import together

from tests.contract.payload import CANARY, Case, Payload, offered

with together.Together(api_key="sk-test") as _client:
    _VERSIONED = str(_client.base_url).endswith("/v1/")
    """Whether the base URL names the version, as it did in 2.x; else the client adds it."""


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (together.DefaultAsyncHttpxClient if asynchronous else together.DefaultHttpxClient)(
        verify=False
    )
    kind: Any = together.AsyncTogether if asynchronous else together.Together
    chosen = {"api_key": "sk-test", "max_retries": 0, "http_client": transport, **options}
    return kind(base_url=base_url if _VERSIONED else base_url.removesuffix("/v1"), **chosen)


def _has(case: Case) -> bool:
    """Whether this version of the client has the method."""
    with together.Together(api_key="sk-test") as client:
        try:
            return bool(attrgetter(case.path)(client))
        except AttributeError:
            return False


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_SOUND = ("a.wav", b"RIFF", "audio/wav")
_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_ANSWER = {
    **_USAGE,
    "gen_ai.response.model": "llama-3.3-70B-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
}
_MODEL = {"gen_ai.response.model": "llama-3.3-70B"}
_CASES = (
    Case(
        "chat.completions.create",
        lambda model: {"model": model, "messages": MESSAGES},
        _ANSWER,
        streamed={
            "openai.response.service_tier": "default",
            "openai.response.system_fingerprint": "fp_44709d6fcb",
        },
    ),
    Case(
        "completions.create",
        lambda model: {"model": model, "prompt": CANARY},
        _ANSWER,
        operation="text_completion",
        streamed={},
    ),
    Case(
        "embeddings.create",
        lambda model: {"model": model, "input": [CANARY, CANARY]},
        {**_MODEL, "gen_ai.usage.input_tokens": 12},
        operation="embeddings",
    ),
    Case(
        "rerank.create",
        lambda model: {"model": model, "query": CANARY, "documents": [CANARY, CANARY]},
        {**_MODEL, **_USAGE, "gen_ai.response.id": ...},
        operation="rerank",
    ),
    Case(
        "images.generate",
        lambda model: {"model": model, "prompt": CANARY},
        {**_MODEL, "gen_ai.response.id": ..., "gen_ai.output.type": "image"},
        operation="generate_content",
    ),
    Case(
        "audio.speech.create",
        lambda model: {"model": model, "input": CANARY, "voice": "sarah"},
        {"gen_ai.output.type": "speech"},
        operation="generate_content",
        streamed={},
    ),
    Case(
        "audio.transcriptions.create",
        lambda model: {"model": model, "file": _SOUND},
        {"gen_ai.output.type": "text"},
        operation="generate_content",
    ),
    Case(
        "audio.translations.create",
        lambda model: {"model": model, "file": _SOUND},
        {"gen_ai.output.type": "text"},
        operation="generate_content",
    ),
    Case(
        "videos.create",
        lambda model: {"model": model, "prompt": CANARY},
        {
            **_MODEL,
            "gen_ai.response.id": ...,
            "gen_ai.response.status": "queued",
            "gen_ai.output.type": "video",
        },
        operation="generate_content",
    ),
)

PAYLOAD = Payload(
    client="together",
    provider="together_ai",
    make=_make,
    model="llama-3.3-70B",
    host="api.together.xyz",
    tools=offered,
    thoughts=("reasoning", "reasoning_content"),
    hands_on_errors=True,
    cases=tuple(case for case in _CASES if _has(case)),
)
