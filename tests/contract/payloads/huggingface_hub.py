"""Hugging Face's inference client, for an address: no table of models has to be fetched for it."""

from __future__ import annotations

import inspect
import os
from dataclasses import dataclass
from importlib import import_module
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # else the client asks its hub for a table, at its first request of a day

import huggingface_hub
from huggingface_hub import AsyncInferenceClient, InferenceClient

from tests.contract.payload import CANARY, Case, Payload, offered, then

_httpx: Any = import_module("httpx2" if int(huggingface_hub.__version__.partition(".")[0]) > 1 else "httpx")
# Reading the system's certificates takes longer than a call, and nobody speaks TLS here.  The client's own transport
# gives each request a random number in a header.
huggingface_hub.set_client_factory(lambda: _httpx.Client(verify=False))
huggingface_hub.set_async_client_factory(lambda: _httpx.AsyncClient(verify=False))


def _make(base_url: str, asynchronous: bool, max_retries: int = 0, **options: Any) -> Any:
    del max_retries  # it has none
    kind: Any = AsyncInferenceClient if asynchronous else InferenceClient
    return kind(base_url=base_url, **{"api_key": "sk-test", **options})


def _limit(client: Any, seconds: float) -> None:
    client.timeout = seconds


@dataclass(frozen=True)
class AtAddress(Case):
    """A case whose model is part of the address."""

    pipeline: str = ""

    def call(self, client: Any, model: str, *, via: str = "", **extra: Any) -> Any:
        at = f"{client.model}/models/{model}{self.pipeline}"
        return then(self.whole, getattr(client, self.path)(**{**self.arguments(model), "model": at, **extra}))


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]
_CHAT = {
    "gen_ai.response.model": "meta-llama-3-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.usage.audio.output_tokens": 1,
    "openai.response.service_tier": "default",
    "openai.response.system_fingerprint": "fp_44709d6fcb",
}
_extract: Any = getattr(InferenceClient, "feature_extraction")  # noqa: B009 - its result has no type
_DIMENSIONS = {"dimensions": 4} if "dimensions" in inspect.signature(_extract).parameters else {}

PAYLOAD = Payload(
    client="huggingface_hub",
    provider="hugging_face",
    make=_make,
    model="meta-llama-3",
    host="router.huggingface.co",
    usage_in_stream={"stream_options": {"include_usage": True}},
    limit=_limit,
    retries=False,
    holds_streams=True,
    warnings=("ignore:Use 'content=:DeprecationWarning",),
    tools=offered,
    thoughts=("reasoning",),
    cases=(
        Case(
            "chat_completion",
            lambda model: {"model": model, "messages": MESSAGES},
            _CHAT,
            streamed=dict.fromkeys(name for name in _CHAT if "usage" in name),
            raw=(),
        ),
        AtAddress(
            "text_generation",
            lambda _: {"prompt": CANARY, "details": True, "decoder_input_details": True},
            {
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.usage.input_tokens": 12,
                "gen_ai.usage.output_tokens": 7,
            },
            operation="text_completion",
            streamed={},
            raw=(),
            named=False,
        ),
        AtAddress(
            "feature_extraction",
            lambda _: {"text": [CANARY, CANARY], **_DIMENSIONS},
            {"gen_ai.embeddings.dimension.count": 4} if _DIMENSIONS else {},
            operation="embeddings",
            raw=(),
            named=False,
            pipeline="/pipeline/feature-extraction",
        ),
        AtAddress(
            "text_to_image",
            lambda _: {"prompt": CANARY, "seed": 7},
            {"gen_ai.output.type": "image", "gen_ai.request.seed": 7},
            operation="generate_content",
            raw=(),
            named=False,
            whole=lambda image: image.tobytes(),
        ),
        AtAddress(
            "automatic_speech_recognition",
            lambda _: {"audio": b"RIFF" + CANARY.encode()},
            {"gen_ai.output.type": "text"},
            operation="generate_content",
            raw=(),
            named=False,
        ),
    ),
)
