"""The Mistral client: one class with sync methods and async ones beside them."""

from __future__ import annotations

import importlib
from importlib import metadata
from operator import attrgetter
from typing import Any

from tests.contract.payload import CANARY, Case, Payload

_MAJOR = int(metadata.version("mistralai").partition(".")[0])
_package: Any = importlib.import_module("mistralai" if _MAJOR < 2 else "mistralai.client")
_utils: Any = importlib.import_module(f"{_package.__name__}.utils")
_http: Any = importlib.import_module("httpx" if _MAJOR < 3 else "httpx2")

_PAUSE = 700  # milliseconds


class Client(_package.Mistral):
    """A client that is used for its sync methods, and can be closed."""

    def close(self) -> None:
        self.sdk_configuration.client.close()


class AsyncClient(_package.Mistral):
    """A client that is used for its async methods."""

    async def close(self) -> None:
        await self.sdk_configuration.async_client.aclose()


def _make(
    base_url: str, asynchronous: bool, *, max_retries: int = 0, native: bool = False, **options: Any
) -> Any:
    # Reading the system's certificates takes longer than a call, and nobody speaks TLS here.
    if asynchronous:
        options = {"async_client": _http.AsyncClient(verify=False), **options}
    else:
        options = {"client": _http.Client(verify=False), **options}
    if max_retries:
        # Its retries are limited by time alone: as many as are wanted begin before it is over.
        backoff = _utils.BackoffStrategy(_PAUSE, _PAUSE, 1.0, _PAUSE * max_retries - 100)
        options = {"retry_config": _utils.RetryConfig("backoff", backoff, True), **options}
    kind: Any = AsyncClient if asynchronous else Client
    client = kind(api_key="sk-test", server_url=base_url.removesuffix("/v1"), **options)
    return client if native or _MAJOR > 1 else _silent(client)


def _silent(client: Any) -> Any:
    """Without the tracing of its own, which the first major has no switch for; test_native has it."""
    every: dict[str, list[Any]] = client.sdk_configuration._hooks.__dict__
    for name, hooks in every.items():
        if name.endswith("_hooks"):
            hooks[:] = [hook for hook in hooks if type(hook).__name__ != "TracingHook"]
    return client


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": CANARY}]

_ANSWER = {
    "gen_ai.response.model": "mistral-small-2024-07-18",
    "gen_ai.response.id": ...,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
}


def _method(path: str) -> Any:
    """The method behind a path from the client on, None where this version of the client has none."""
    try:
        return attrgetter(path)(_package.Mistral(api_key="sk-test"))
    except AttributeError:
        return None


def _conversation(model: str) -> str:
    """An id that tells the model server which model and directives are meant."""
    return f"conv_{'0' * 32}{model.encode().hex()}"


_TALK = {
    "gen_ai.conversation.id": ...,
    "gen_ai.response.model": "mistral-small-2024-07-18",
    "gen_ai.usage.input_tokens": 32,
    "gen_ai.usage.output_tokens": 7,
}
_HEARD = {
    "gen_ai.output.type": "text",
    "gen_ai.response.model": "mistral-small-2024-07-18",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
}
_JUDGED = {"gen_ai.response.id": ..., "gen_ai.response.model": "mistral-small-2024-07-18"}

_NEWER = (
    Case(
        "beta.conversations.start",
        lambda model: {"model": model, "inputs": CANARY, "instructions": CANARY},
        _TALK,
        streamed={},
        stream_path="beta.conversations.start_stream",
        answered=("gen_ai.conversation.id",),
        suffix="_async",
        raw=(),
    ),
    Case(
        "beta.conversations.append",
        lambda model: {"conversation_id": _conversation(model), "inputs": CANARY},
        _TALK,
        streamed={},
        stream_path="beta.conversations.append_stream",
        suffix="_async",
        raw=(),
        named=False,
    ),
    Case(
        "beta.conversations.restart",
        lambda model: {
            "conversation_id": _conversation(model),
            "from_entry_id": "msg_1",
            "inputs": CANARY,
        },
        _TALK,
        streamed={},
        stream_path="beta.conversations.restart_stream",
        suffix="_async",
        raw=(),
        named=False,
    ),
    Case(
        "responses.create",
        lambda model: {"model": model, "input": CANARY, "instructions": CANARY},
        {
            "gen_ai.response.model": "mistral-small-2024-07-18",
            "gen_ai.response.id": ...,
            "gen_ai.response.status": "completed",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.cache_write.input_tokens": 2,
            "gen_ai.usage.reasoning.output_tokens": 3,
        },
        streamed={},
        suffix="_async",
        raw=(),
    ),
    Case(
        "responses.count_input_tokens",
        lambda model: {"model": model, "input": CANARY},
        {},
        operation="count_tokens",
        suffix="_async",
        raw=(),
    ),
    Case(
        "ocr.process",
        lambda model: {"model": model, "document": {"type": "document_url", "document_url": "https://x"}},
        {"gen_ai.output.type": "text", "gen_ai.response.model": "mistral-small-2024-07-18"},
        operation="generate_content",
        suffix="_async",
        raw=(),
    ),
    Case(
        "audio.transcriptions.complete",
        lambda model: {"model": model, "file": {"file_name": "a.wav", "content": b"RIFF"}},
        _HEARD,
        operation="generate_content",
        streamed={},
        stream_path="audio.transcriptions.stream",
        suffix="_async",
        raw=(),
    ),
    Case(
        "audio.speech.complete",
        lambda model: {"model": model, "input": CANARY, "voice_id": "v"},
        {"gen_ai.output.type": "speech"},
        operation="generate_content",
        streamed={"gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7},
        suffix="_async",
        raw=(),
    ),
    Case(
        "classifiers.moderate",
        lambda model: {"model": model, "inputs": [CANARY]},
        _JUDGED,
        operation="moderation",
        suffix="_async",
        raw=(),
    ),
    Case(
        "classifiers.moderate_chat",
        lambda model: {"model": model, "inputs": MESSAGES[1:]},
        _JUDGED,
        operation="moderation",
        suffix="_async",
        raw=(),
    ),
    Case(
        "classifiers.classify",
        lambda model: {"model": model, "inputs": [CANARY]},
        _JUDGED,
        operation="moderation",
        suffix="_async",
        raw=(),
    ),
)
"""What older versions of the client do not have."""

PAYLOAD = Payload(
    client="mistralai",
    provider="mistral_ai",
    make=_make,
    model="mistral-small",
    host="api.mistral.ai",
    timeout=lambda seconds: {"timeout_ms": int(seconds * 1000)},
    cases=(
        Case(
            "chat.complete",
            lambda model: {"model": model, "messages": MESSAGES},
            _ANSWER,
            streamed={},
            stream_path="chat.stream",
            suffix="_async",
            raw=(),
        ),
        Case(
            "agents.complete",  # the id tells the model server which model and directives are meant
            lambda model: {"agent_id": model, "messages": MESSAGES[1:]},
            {**_ANSWER, "gen_ai.agent.id": ...},
            streamed={},
            stream_path="agents.stream",
            suffix="_async",
            raw=(),
            named=False,
        ),
        Case(
            "fim.complete",
            lambda model: {"model": model, "prompt": CANARY, "suffix": CANARY},
            _ANSWER,
            operation="text_completion",
            streamed={},
            stream_path="fim.stream",
            suffix="_async",
            raw=(),
        ),
        Case(
            "embeddings.create",
            lambda model: {"model": model, "inputs": [CANARY, CANARY]},
            {
                "gen_ai.response.model": "mistral-small",
                "gen_ai.response.id": ...,
                "gen_ai.usage.input_tokens": 12,
            },
            operation="embeddings",
            suffix="_async",
            raw=(),
        ),
        *(case for case in _NEWER if _method(case.path) is not None),
    ),
)
