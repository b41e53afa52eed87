"""The xAI client: gRPC, and chats that hold their request."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

# Before it is imported, as our set-up says it to programs; test_native has its own tracing.
os.environ["XAI_SDK_DISABLE_TRACING"] = "1"

import xai_sdk
from xai_sdk import sync
from xai_sdk.chat import BaseChat, system, user
from xai_sdk.proto import image_pb2

from tests.contract.payload import CANARY, Case, Payload

del os.environ["XAI_SDK_DISABLE_TRACING"]


class Client:
    """Chats as methods: what belongs to the call goes there, all else makes the chat."""

    def __init__(self, kind: Any, options: Mapping[str, Any]) -> None:
        self._kind = kind
        self._options = dict(options)

    @cached_property
    def whole(self) -> Any:
        """The client itself, made when it is needed."""
        return self._kind(api_key="sk-test", use_insecure_channel=True, **self._options)

    @property
    def _stub(self) -> Any:
        return self.whole.chat._stub

    @property
    def image(self) -> Any:
        return self.whole.image

    @property
    def video(self) -> Any:
        return self.whole.video

    def limit(self, seconds: float) -> None:
        """Of a client that is still to be made."""
        self._options["timeout"] = seconds

    def _chat(self, model: Any, settings: Mapping[str, Any]) -> Any:
        return self.whole.chat.create(model=model, messages=[system(CANARY), user(CANARY)], **settings)

    def sample(self, *, model: Any, n: int | None = None, **extra: Any) -> Any:
        chat = self._chat(model, {})
        return chat.sample(**extra) if n is None else chat.sample_batch(n, **extra)

    def stream(self, *, model: Any, n: int | None = None, **extra: Any) -> Any:
        chat = self._chat(model, {})
        return chat.stream(**extra) if n is None else chat.stream_batch(n, **extra)

    def defer(self, *, model: Any, **extra: Any) -> Any:
        return self._chat(model, {"temperature": 0.7, "max_tokens": 99, "seed": 7}).defer(**extra)

    def compact(self, *, model: Any, **extra: Any) -> Any:
        return self._chat(model, {}).compact(**extra)

    def close(self) -> Any:
        return self.whole.close()


def _make(base_url: str, asynchronous: bool, *, max_retries: int = 0, **options: Any) -> Any:
    url = urlsplit(base_url)
    channel: list[tuple[str, Any]] = [("grpc.enable_retries", 0)]
    if max_retries:
        policy: dict[str, object] = {
            "maxAttempts": max_retries + 1,
            "initialBackoff": "0.01s",
            "maxBackoff": "0.01s",
            "backoffMultiplier": 1,
            "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
        }
        every: dict[str, object] = {}
        config = {"methodConfig": [{"name": [every], "retryPolicy": policy}]}
        channel = [("grpc.service_config", json.dumps(config))]
    row = url.path.strip("/").removesuffix("/v1")
    settings = {"api_host": url.netloc, "channel_options": channel, **options}
    if row != "v1":
        settings["metadata"] = (("x-row", row),)  # its calls have no path of their own
    return Client(xai_sdk.AsyncClient if asynchronous else xai_sdk.Client, settings)


_ID = {"gen_ai.response.id": ...}
_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.reasoning.output_tokens": 3,
}
_MODEL = {"gen_ai.response.model": "grok-4-2024-07-18"}
_ANSWER = {**_ID, **_USAGE, **_MODEL, "gen_ai.response.finish_reasons": ("stop",)}
_ASKED = {"gen_ai.request.temperature": 0.7, "gen_ai.request.max_tokens": 99, "gen_ai.request.seed": 7}


def _prompt(model: Any) -> dict[str, Any]:
    return {"prompt": CANARY, "model": model}


# What there is in this version.
_COMPACTS = hasattr(BaseChat, "_make_compact_request")
_VIDEOS = hasattr(sync, "video")
_COUNTS_IMAGES = "usage" in image_pb2.ImageResponse.DESCRIPTOR.fields_by_name

PAYLOAD = Payload(
    client="xai_sdk",
    provider="x_ai",
    make=_make,
    model="grok-4",
    host="api.x.ai",
    limit=Client.limit,
    http_spans=False,
    holds_streams=True,
    warnings=(r"ignore:chat\.(sample|stream)_batch will be deprecated:PendingDeprecationWarning",),
    error_type=lambda error: error.code().name if hasattr(error, "code") else type(error).__qualname__,  # type: ignore[attr-defined] # of gRPC's
    error_facts={},
    overdue="DEADLINE_EXCEEDED",
    status=lambda status: {"rpc.response.status_code": _CODES[status]},
    filtered="stop",  # the vendor knows no such reason
    cases=(
        Case(
            "sample",
            lambda model: {"model": model},
            _ANSWER,
            streamed={},
            stream_path="stream",
            raw=(),
            prepared=True,
        ),
        Case("defer", lambda model: {"model": model}, {**_ANSWER, **_ASKED}, raw=(), prepared=True),
        *(
            [Case("compact", lambda model: {"model": model}, {**_ID, **_USAGE}, raw=(), prepared=True)]
            if _COMPACTS
            else []
        ),
        Case(
            "image.sample",
            _prompt,
            {**(_USAGE if _COUNTS_IMAGES else {}), **_MODEL, "gen_ai.output.type": "image"},
            operation="generate_content",
            raw=(),
        ),
        *(
            [
                Case(
                    "video.generate",
                    _prompt,
                    {**_USAGE, **_MODEL, "gen_ai.output.type": "video"},
                    operation="generate_content",
                    raw=(),
                )
            ]
            if _VIDEOS
            else []
        ),
    ),
)
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}
