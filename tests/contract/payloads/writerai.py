"""The Writer client."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import writerai

from tests.contract.payload import CANARY, Case, Payload


def _make(base_url: str, asynchronous: bool, **options: Any) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    transport = (writerai.DefaultAsyncHttpxClient if asynchronous else writerai.DefaultHttpxClient)(
        verify=False
    )
    kind: Any = writerai.AsyncWriter if asynchronous else writerai.Writer
    chosen = {"api_key": "sk-test", "max_retries": 0, "http_client": transport, **options}
    return kind(base_url=base_url.removesuffix("/v1"), **chosen)  # the client adds "/v1" itself


def _has(case: Case) -> bool:
    """Whether this version of the client has the method."""
    with writerai.Writer(api_key="sk-test") as client:
        try:
            return bool(attrgetter(case.path)(client))
        except AttributeError:
            return False


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_TEXT = {"gen_ai.output.type": "text"}
_CASES = (
    Case(
        "chat.chat",
        lambda model: {"model": model, "messages": MESSAGES},
        {
            **_USAGE,
            "gen_ai.response.model": "palmyra-x5-2024-07-18",
            "gen_ai.response.id": ...,
            "gen_ai.response.finish_reasons": ("stop",),
            "openai.response.system_fingerprint": "fp_44709d6fcb",
        },
        streamed=dict.fromkeys(_USAGE),
        helper="chat.stream",
    ),
    Case(
        "completions.create",
        lambda model: {"model": model, "prompt": CANARY},
        {"gen_ai.response.model": "palmyra-x5"},
        operation="text_completion",
        streamed={"gen_ai.response.model": None},
    ),
    Case(
        "applications.generate_content",
        lambda model: {"application_id": model, "inputs": [{"id": "a", "value": [CANARY]}]},
        _TEXT,
        operation="generate_content",
        streamed={},
        named=False,
        model_argument="application_id",
    ),
    Case(
        "graphs.question",
        lambda model: {"graph_ids": [model], "question": CANARY},
        _TEXT,
        operation="generate_content",
        streamed={},
        named=False,
    ),
    Case(
        "vision.analyze",
        lambda model: {"model": model, "prompt": CANARY, "variables": [{"name": "a", "file_id": "b"}]},
        _TEXT,
        operation="generate_content",
    ),
    Case(
        "translation.translate",
        lambda model: {
            "model": model,
            "text": CANARY,
            "source_language_code": "en",
            "target_language_code": "de",
            "formality": False,
            "length_control": False,
            "mask_profanity": False,
        },
        _TEXT,
        operation="generate_content",
    ),
)

PAYLOAD = Payload(
    client="writerai",
    provider="writer",
    make=_make,
    model="palmyra-x5",
    host="api.writer.com",
    warnings=("ignore:Will be removed in a future release:DeprecationWarning",),
    usage_in_stream={"stream_options": {"include_usage": True}},
    cases=tuple(case for case in _CASES if _has(case)),
)
