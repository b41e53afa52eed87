"""The Anthropic client."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import anthropic
import pydantic

from tests.contract.payload import CANARY, Case, Payload


class Weather(pydantic.BaseModel):
    """What `parse` fills."""

    city: str
    days: int


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (anthropic.DefaultAsyncHttpxClient if asynchronous else anthropic.DefaultHttpxClient)(
        verify=False
    )
    kind: Any = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    chosen = {"api_key": "sk-test", "max_retries": 0, "http_client": transport, **options}
    return kind(base_url=base_url.removesuffix("/v1"), **chosen)


def _method(path: str) -> Any:
    """The method behind a path from the client on, None where this version of the client has none."""
    with anthropic.Anthropic(api_key="sk-test") as client:
        try:
            return attrgetter(path)(client)
        except AttributeError:
            return None


MESSAGES: Any = [{"role": "user", "content": CANARY}]

_REQUEST_ID = {"genai_otel.response.request_id": ...}
_ANSWER = {
    **_REQUEST_ID,
    "gen_ai.request.max_tokens": 99,
    "gen_ai.response.model": "claude-test-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_STREAMED: dict[str, Any] = dict.fromkeys(_REQUEST_ID)
_RAW = ("with_raw_response", "with_streaming_response")


def _messages(model: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 99, "messages": MESSAGES, "system": CANARY}


def _parsed(model: str) -> dict[str, Any]:
    return {**_messages(model), "output_format": Weather}


def _counted(model: str) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES, "system": CANARY}


def _batch(model: str) -> dict[str, Any]:
    return {"requests": [{"custom_id": "1", "params": _messages(model)}]}


def _raw(path: str) -> tuple[str, ...]:
    """The raw forms of a method that this version of the client has."""
    resource, _, method = path.rpartition(".")
    return tuple(form for form in _RAW if _method(f"{resource}.{form}.{method}") is not None)


def _cases(root: str) -> list[Case]:
    """The cases of the messages under ``root``, as far as this version of the client has them."""
    create, parse, count = f"{root}.create", f"{root}.parse", f"{root}.count_tokens"
    found = [Case(create, _messages, _ANSWER, streamed=_STREAMED, helper=f"{root}.stream")]
    if _method(parse) is not None:
        facts = {**_ANSWER, "gen_ai.output.type": "json"}
        found.append(Case(parse, _parsed, facts, raw=_raw(parse)))
    found.append(Case(count, _counted, _REQUEST_ID, operation="count_tokens"))
    found.append(
        Case(
            f"{root}.batches.create",
            _batch,
            {**_REQUEST_ID, "gen_ai.response.id": ..., "gen_ai.response.status": "in_progress"},
            operation="create_batch",
            named=False,
        )
    )
    return found


PAYLOAD = Payload(
    client="anthropic",
    provider="anthropic",
    make=_make,
    model="claude-test",
    odd=(
        "stop_sequences",
        "max_tokens",
        "system",
        "tools",
        "metadata",
        "service_tier",
        "stream",
        "extra_body",
    ),
    choices=None,
    host="api.anthropic.com",
    cases=(*_cases("messages"), *_cases("beta.messages")),
)
