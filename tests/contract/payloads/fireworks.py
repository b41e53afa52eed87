"""The Fireworks client."""

from __future__ import annotations

from typing import Any

import fireworks

from tests.contract.payload import CANARY, Case, Payload, offered


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (fireworks.DefaultAsyncHttpxClient if asynchronous else fireworks.DefaultHttpxClient)(
        verify=False
    )
    kind: Any = fireworks.AsyncFireworks if asynchronous else fireworks.Fireworks
    chosen = {"api_key": "sk-test", "max_retries": 0, "http_client": transport, **options}
    return kind(base_url=base_url.removesuffix("/v1"), **chosen)  # the client adds "/v1" itself


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
}
_ANSWER = {
    **_USAGE,
    "gen_ai.response.model": "llama-3.3-70B-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
}
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
        streamed={
            "openai.response.service_tier": "default",
            "openai.response.system_fingerprint": "fp_44709d6fcb",
        },
    ),
    Case(
        "messages.create",
        lambda model: {"model": model, "messages": MESSAGES[1:], "system": CANARY, "max_tokens": 9},
        {
            **_ANSWER,
            "gen_ai.request.max_tokens": 9,
            "gen_ai.usage.cache_write.input_tokens": 2,
            "gen_ai.usage.reasoning.output_tokens": 3,
        },
    ),
)

PAYLOAD = Payload(
    client="fireworks",
    provider="fireworks_ai",
    make=_make,
    model="llama-3.3-70B",
    host="api.fireworks.ai",
    tools=offered,
    thoughts=("reasoning_content",),
    hands_on_errors=True,
    cases=_CASES,
)
