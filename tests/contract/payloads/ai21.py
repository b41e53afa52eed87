"""The AI21 client: only its chat streams."""

from __future__ import annotations

from typing import Any

import ai21
import httpx
from ai21.models.chat import SystemMessage, UserMessage
from tenacity import wait_none

from tests.contract.payload import CANARY, Case, Payload


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport: Any = (httpx.AsyncClient if asynchronous else httpx.Client)(verify=False)
    kind: Any = ai21.AsyncAI21Client if asynchronous else ai21.AI21Client
    chosen = {"api_key": "sk-test", "http_client": transport, "num_retries": max_retries + 1, **options}
    client = kind(api_host=base_url, **chosen)
    client._request.retry.wait = wait_none()  # which is a second and more
    client.close = transport.aclose if asynchronous else transport.close
    return client


def _limit(client: Any, seconds: float) -> None:
    client._timeout_sec = seconds


# The client takes no dictionaries.
MESSAGES: Any = [SystemMessage(content=CANARY), UserMessage(content=CANARY)]

PAYLOAD = Payload(
    client="ai21",
    provider="ai21",
    make=_make,
    model="jamba-large",
    host="api.ai21.com",
    limit=_limit,
    error_facts={},
    refuses_arguments=False,
    warnings=("ignore:Use 'content=:DeprecationWarning",),
    cases=(
        Case(
            "chat.completions.create",
            lambda model: {"model": model, "messages": MESSAGES},
            {
                "gen_ai.response.model": "jamba-large-2024-07-18",
                "gen_ai.response.id": ...,
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.usage.input_tokens": 12,
                "gen_ai.usage.output_tokens": 7,
            },
            streamed={},
            raw=(),
        ),
        Case(
            "beta.conversational_rag.create",
            lambda model: {"messages": MESSAGES, "labels": [model]},
            {"gen_ai.response.id": ...},
            named=False,
            raw=(),
        ),
        Case(
            "beta.maestro.runs.create",
            lambda model: {"input": CANARY, "models": [model]},
            {"gen_ai.response.id": ..., "gen_ai.response.status": "in_progress"},
            operation="invoke_agent",
            named=False,
            measured=False,
            raw=(),
        ),
    ),
)
