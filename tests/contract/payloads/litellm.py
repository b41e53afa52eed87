"""litellm: functions of a module, which get the address and the key with each call."""

from __future__ import annotations

import functools
import os
from importlib import import_module
from typing import Any

from tests.contract.payload import CANARY, Case, Payload

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it fetches its table of prices when it is imported
litellm: Any = import_module("litellm")  # in an environment of its own, not that of the type checker
litellm.suppress_debug_info = True  # it prints where to get help
litellm.aiohttp_trust_env = False
# Its own transport has a pool of connections for each event loop, and each test has one.
litellm.disable_aiohttp_transport = True

VENDOR = {"headers": {"x-fern-sdk-name": "cohere"}}
"""By which the model server knows whom a request for a ranking is meant for."""


_NAMES = (
    *("completion", "text_completion", "embedding", "responses"),
    *("rerank", "image_generation", "transcription", "speech"),
)


@functools.cache
def _register(model: str) -> None:
    """Of a model that it does not know it asks for the whole response, and makes a stream of that."""
    known = {"litellm_provider": "openai", "mode": "chat", "supports_native_streaming": True}
    litellm.register_model({model: known})


class _AtAddress:
    """The module's functions for one address."""

    def __init__(self, base_url: str, **options: Any) -> None:
        self.base_url = base_url
        self.options = options

    def ask(self, name: str, arguments: dict[str, Any]) -> Any:
        base, provider = self.base_url, "openai"
        if name.endswith("rerank"):
            base, provider = base.removesuffix("/v1"), "cohere"
        model = arguments["model"]
        if isinstance(model, str):
            arguments["model"] = model = f"{provider}/{model}"
        if name.endswith("responses"):
            _register(str(model))
        return getattr(litellm, name)(**{"api_base": base, **self.options, **arguments})


def _function(name: str) -> Any:
    def function(self: _AtAddress, **arguments: Any) -> Any:
        return self.ask(name, arguments)

    return function


Functions: Any = type("Functions", (_AtAddress,), {name: _function(name) for name in _NAMES})
AsyncFunctions: Any = type("AsyncFunctions", (_AtAddress,), {name: _function(f"a{name}") for name in _NAMES})


def _make(base_url: str, asynchronous: bool, max_retries: int = 0, **options: Any) -> Any:
    kind = AsyncFunctions if asynchronous else Functions
    retries = {"max_retries": max_retries} if max_retries else {"max_retries": 0, "num_retries": 0}
    return kind(base_url, **{"api_key": "sk-test", **retries, **options})


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_REQUEST_ID = {"genai_otel.response.request_id": ...}
_NEW = hasattr(litellm.CustomStreamWrapper, "close")
_LATER = _REQUEST_ID if _NEW else {}
"""What older versions do not tell of images and audio."""
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
_CHAT = {**_ANSWER, **_CHAT_USAGE, "openai.response.system_fingerprint": "fp_44709d6fcb"}
_COMPLETION = {name: value for name, value in _CHAT.items() if not name.startswith("openai.")}
_RESPONSE = {
    **_ANSWER,
    **_USAGE,
    "gen_ai.response.status": "completed",
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_MODEL = ("gen_ai.response.model",)
_SOUND = ("a.wav", b"RIFF", "audio/wav")


PAYLOAD = Payload(
    client="litellm",
    provider="openai",
    make=_make,
    model="gpt-4o-mini",
    refuses_arguments=False,
    warnings=(
        "ignore:coroutine .* was never awaited:RuntimeWarning",  # a thread of its own, as its loop ends
        "ignore:.*<coroutine object Logging.async_success_handler:pytest.PytestUnraisableExceptionWarning",
    ),
    mends=("zero", "reason", "chunk", "choices"),
    over="" if _NEW else "openai",
    usage_in_stream={"stream_options": {"include_usage": True}},
    cases=(
        Case(
            "completion",
            lambda model: {"model": model, "messages": MESSAGES},
            _CHAT,
            streamed=dict.fromkeys([*_CHAT_USAGE, *(() if _NEW else _MODEL)]),
            raw=(),
        ),
        Case(
            "text_completion",
            lambda model: {"model": model, "prompt": CANARY},
            _COMPLETION,
            operation="text_completion",
            streamed=dict.fromkeys([*_CHAT_USAGE, *_REQUEST_ID, *_MODEL]),
            raw=(),
            closes=(),
        ),
        Case(
            "embedding",
            lambda model: {"model": model, "input": [CANARY, CANARY], "encoding_format": "float"},
            {
                **_REQUEST_ID,
                "gen_ai.response.model": "gpt-4o-mini",
                "gen_ai.usage.input_tokens": 12,
                "gen_ai.request.encoding_formats": ("float",),
            },
            operation="embeddings",
            raw=(),
        ),
        Case(
            "responses",
            lambda model: {"model": model, "input": CANARY, "instructions": CANARY},
            _RESPONSE,
            streamed=dict.fromkeys(_REQUEST_ID),
            counts=_NEW,
            raw=(),
            closes=(False, True) if _NEW else (),
        ),
        Case(
            "rerank",
            lambda model: {
                "model": model,
                "query": CANARY,
                "documents": [CANARY, CANARY],
                **VENDOR,
            },
            {"gen_ai.provider.name": "cohere"},
            operation="rerank",
            raw=(),
        ),
        Case(
            "image_generation",
            lambda model: {"model": model, "prompt": CANARY},
            {
                **_LATER,
                **_USAGE,
                "gen_ai.output.type": "image",
                "gen_ai.usage.image.input_tokens": 8,
                "gen_ai.usage.text.input_tokens": 4,
            },
            operation="generate_content",
            raw=(),
        ),
        Case(
            "transcription",
            lambda model: {"model": model, "file": _SOUND},
            {
                **_LATER,
                **_USAGE,
                "gen_ai.output.type": "text",
                "gen_ai.usage.audio.input_tokens": 5,
                "gen_ai.usage.text.input_tokens": 7,
            },
            operation="generate_content",
            raw=(),
        ),
        Case(
            "speech",
            lambda model: {"model": model, "input": CANARY, "voice": "alloy"},
            {"gen_ai.output.type": "speech", **_LATER},
            operation="generate_content",
            raw=(),
        ),
    ),
)
