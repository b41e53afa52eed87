"""The client of Azure AI Inference."""

from __future__ import annotations

from functools import partial
from typing import Any

import azure.ai.inference
import azure.ai.inference.aio
from azure.core.credentials import AzureKeyCredential

from tests.contract.payload import CANARY, Case, Payload, offered


def _make(base_url: str, asynchronous: bool, max_retries: int = 0, **options: Any) -> Any:
    module: Any = azure.ai.inference.aio if asynchronous else azure.ai.inference
    chosen = {
        "retry_total": max_retries,
        "retry_backoff_factor": 0.001,
        "auto_request_id": False,  # a random number in a header
        **options,
    }
    kinds = (module.ChatCompletionsClient, module.EmbeddingsClient, module.ImageEmbeddingsClient)
    chat, texts, images = (kind(base_url, AzureKeyCredential("sk-test"), **chosen) for kind in kinds)
    chat.texts, chat.images = texts, images  # one client for each kind of model
    if asynchronous:
        chat.close = partial(_close, module.ChatCompletionsClient.close, chat)
    return chat


async def _close(close: Any, chat: Any) -> None:
    for client in (chat, chat.texts, chat.images):
        await close(client)


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]
_CHAT = {
    "gen_ai.response.model": "phi-4-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.cache_write.input_tokens": 2,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.reasoning.output_tokens": 3,
    "gen_ai.usage.audio.output_tokens": 1,
}
_EMBEDDINGS = {
    "gen_ai.response.model": "phi-4",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.embeddings.dimension.count": 4,
}

PAYLOAD = Payload(
    client="azure_ai_inference",
    provider="azure.ai.inference",
    make=_make,
    model="phi-4",
    host="test.services.ai.azure.com",
    usage_in_stream={"model_extras": {"stream_options": {"include_usage": True}}},
    timeout=lambda seconds: {"read_timeout": seconds, "connection_timeout": seconds},
    choices=lambda count: {"model_extras": {"n": count}},
    http_spans=False,
    tools=offered,
    hands_on_errors=True,
    cases=(
        Case(
            "complete",
            lambda model: {"model": model, "messages": MESSAGES},
            _CHAT,
            streamed=dict.fromkeys(name for name in _CHAT if "usage" in name),
            raw=(),
        ),
        Case(
            "texts.embed",
            lambda model: {"model": model, "input": [CANARY, CANARY], "dimensions": 4},
            _EMBEDDINGS,
            operation="embeddings",
            raw=(),
        ),
        Case(
            "images.embed",
            lambda model: {"model": model, "input": [{"image": CANARY}], "dimensions": 4},
            _EMBEDDINGS,
            operation="embeddings",
            raw=(),
        ),
    ),
)
