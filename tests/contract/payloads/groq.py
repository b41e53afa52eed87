"""The Groq client."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import groq

from tests.contract.payload import CANARY, Case, Payload, offered


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (groq.DefaultAsyncHttpxClient if asynchronous else groq.DefaultHttpxClient)(verify=False)
    kind: Any = groq.AsyncGroq if asynchronous else groq.Groq
    chosen = {"api_key": "sk-test", "max_retries": 0, "http_client": transport, **options}
    return kind(base_url=base_url.removesuffix("/v1"), **chosen)  # the client adds "/openai/v1" itself


def _has(case: Case) -> bool:
    """Whether this version of the client has the method."""
    with groq.Groq(api_key="sk-test") as client:
        try:
            return bool(attrgetter(case.path)(client))
        except AttributeError:
            return False


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_SOUND = ("a.wav", b"RIFF", "audio/wav")
_REQUEST_ID = {"genai_otel.response.request_id": ...}
_CHAT = {
    **_REQUEST_ID,
    "gen_ai.response.model": "llama-3.3-70b-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "genai_otel.response.compute_time": 0.05,
    "openai.response.service_tier": "on_demand",
    "openai.response.system_fingerprint": "fp_44709d6fcb",
}
_CASES = (
    Case(
        "chat.completions.create",
        lambda model: {"model": model, "messages": MESSAGES},
        _CHAT,
        streamed={"openai.response.service_tier": "default"},
    ),
    Case(
        "embeddings.create",
        lambda model: {"model": model, "input": [CANARY, CANARY]},
        {**_REQUEST_ID, "gen_ai.response.model": "llama-3.3-70b", "gen_ai.usage.input_tokens": 12},
        operation="embeddings",
    ),
    Case(
        "audio.speech.create",
        lambda model: {"model": model, "input": CANARY, "voice": "Fritz-PlayAI"},
        {"gen_ai.output.type": "speech"},
        operation="generate_content",
    ),
    Case(
        "audio.transcriptions.create",
        lambda model: {"model": model, "file": _SOUND},
        {**_REQUEST_ID, "gen_ai.output.type": "text"},
        operation="generate_content",
    ),
    Case(
        "audio.translations.create",
        lambda model: {"model": model, "file": _SOUND},
        {**_REQUEST_ID, "gen_ai.output.type": "text"},
        operation="generate_content",
    ),
)

PAYLOAD = Payload(
    client="groq",
    provider="groq",
    make=_make,
    model="llama-3.3-70b",
    host="api.groq.com",
    error_facts={"genai_otel.response.request_id": ..., "genai_otel.response.compute_time": None},
    tools=offered,
    thoughts=("reasoning",),
    hands_on_errors=True,
    cases=tuple(case for case in _CASES if _has(case)),
)
