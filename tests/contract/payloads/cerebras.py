"""The Cerebras client."""

from __future__ import annotations

import inspect
from importlib.util import find_spec
from typing import Any

from cerebras.cloud import sdk as cerebras

from tests.contract.payload import CANARY, Case, Payload, offered


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (cerebras.DefaultAsyncHttpxClient if asynchronous else cerebras.DefaultHttpxClient)(
        verify=False
    )
    kind: Any = cerebras.AsyncCerebras if asynchronous else cerebras.Cerebras
    chosen = {
        "api_key": "sk-test",
        "max_retries": 0,
        "http_client": transport,
        **options,
    }
    if "warm_tcp_connection" in inspect.signature(kind).parameters:
        chosen["warm_tcp_connection"] = False  # a request of its own, that nobody asked for
    return kind(base_url=base_url.removesuffix("/v1"), **chosen)  # the client adds "/v1" itself


_COMPLETIONS = find_spec("cerebras.cloud.sdk.resources.completions") is not None

MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_ANSWER = {
    **_USAGE,
    "genai_otel.response.compute_time": 0.05,
    "gen_ai.response.model": "llama-3.3-70B-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "openai.response.service_tier": "default",
    "openai.response.system_fingerprint": "fp_44709d6fcb",
}
_CASES = (
    Case(
        "chat.completions.create",
        lambda model: {"model": model, "messages": MESSAGES},
        _ANSWER,
        streamed={},
    ),
    Case(
        "completions.create",
        lambda model: {"model": model, "prompt": CANARY},
        _ANSWER,
        operation="text_completion",
        streamed={},
    ),
)

PAYLOAD = Payload(
    client="cerebras",
    provider="cerebras",
    make=_make,
    model="llama-3.3-70B",
    host="api.cerebras.ai",
    error_facts={"genai_otel.response.request_id": ..., "genai_otel.response.compute_time": None},
    tools=offered,
    thoughts=("reasoning",),
    hands_on_errors=True,
    cases=_CASES if _COMPLETIONS else _CASES[:1],
)
