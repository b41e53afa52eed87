"""The Ollama client."""

from __future__ import annotations

from typing import Any

import httpx
import ollama

from tests.contract.payload import CANARY, Case, Payload


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **options: Any) -> Any:
    del max_retries  # the client has none
    kind: Any = ollama.AsyncClient if asynchronous else ollama.Client
    client = kind(host=base_url.removesuffix("/v1"), **{"verify": False, **options})
    if not hasattr(client, "close"):  # older clients leave their connections to the garbage collector
        client.close = client._client.aclose if asynchronous else client._client.close
    return client


def _limit(client: Any, seconds: float) -> None:
    client._client.timeout = httpx.Timeout(seconds)


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_USAGE = {"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7}
_ANSWER = {
    **_USAGE,
    "gen_ai.response.model": "llama3.2",
    "gen_ai.response.finish_reasons": ("stop",),
}
_CASES = (
    Case("chat", lambda model: {"model": model, "messages": MESSAGES}, _ANSWER, streamed={}, raw=()),
    Case(
        "generate",
        lambda model: {"model": model, "prompt": CANARY, "system": CANARY},
        _ANSWER,
        operation="text_completion",
        streamed={},
        raw=(),
    ),
    Case(
        "embed",
        lambda model: {"model": model, "input": [CANARY, CANARY]},
        {"gen_ai.response.model": "llama3.2", "gen_ai.usage.input_tokens": 12},
        operation="embeddings",
        raw=(),
    ),
    Case(
        "embeddings",
        lambda model: {"model": model, "prompt": CANARY},
        {},
        operation="embeddings",
        raw=(),
    ),
    Case(
        "systemone",
        lambda model: {
            "model": model,
            "state": CANARY,
            "questions": {"canary": {"type": "noul", "instructions": CANARY}},
        },
        {**_USAGE, "gen_ai.response.model": "llama3.2", "gen_ai.output.type": "json"},
        operation="generate_content",
        raw=(),
    ),
)

PAYLOAD = Payload(
    client="ollama",
    provider="ollama",
    make=_make,
    model="llama3.2",
    host="ollama.com",
    limit=_limit,
    retries=False,
    choices=None,
    error_facts={},
    cases=tuple(case for case in _CASES if hasattr(ollama.Client, case.path)),
)
