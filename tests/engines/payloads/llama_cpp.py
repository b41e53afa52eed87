"""llama-cpp-python: one model that generates, one that embeds."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.engines.engine import CANARY, LENGTH, Case, Engine
from tests.engines.gguf_model import write

# Not imported by name: types are checked where this library, which has to be built, is not installed.
llama_cpp: Any = import_module("llama_cpp")


def _make(folder: Path) -> Any:
    path = write(folder / "tiny.gguf")
    options: Any = {"n_ctx": 256, "seed": 1, "verbose": False, "n_threads": 1}
    return SimpleNamespace(
        model=llama_cpp.Llama(path, **options),
        embedding=llama_cpp.Llama(path, embedding=True, **options),
    )


MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": "and?"}]
_ASK: Any = {"max_tokens": 6, "temperature": 0.0, "top_k": 5}
_ASKED = {
    "gen_ai.request.max_tokens": 6,
    "gen_ai.request.temperature": 0.0,
    "gen_ai.request.top_k": 5,
    "gen_ai.response.finish_reasons": ("length",),
    "gen_ai.response.id": ...,
    "gen_ai.response.model": "tiny.gguf",
}
_STREAM = {**_ASKED, "gen_ai.request.stream": True}


def _answered(prompt: int) -> dict[str, Any]:
    return {**_ASKED, "gen_ai.usage.input_tokens": prompt, "gen_ai.usage.output_tokens": 6}


ENGINE = Engine(
    name="llama_cpp",
    provider="llama_cpp",
    model="tiny.gguf",
    make=_make,
    threads=False,
    forget=lambda made: made.model,
    cases=(
        Case(
            "chat",
            lambda made: made.model.create_chat_completion(MESSAGES, **_ASK),
            _answered(LENGTH + 4),
            "chat",
            breaks=lambda made: made.model.create_chat_completion(
                [{"role": "user", "content": CANARY * 20}], **_ASK
            ),
        ),
        Case(
            "chat-stream",
            lambda made: made.model.create_chat_completion(MESSAGES, stream=True, **_ASK),
            _STREAM,
            "chat",
            stream=True,
        ),
        Case(
            "completion",
            lambda made: made.model.create_completion(CANARY, **_ASK),
            _answered(LENGTH + 1),  # the model's own beginning
            "text_completion",
            breaks=lambda made: made.model.create_completion(CANARY, logprobs=1),
        ),
        Case("call", lambda made: made.model(CANARY, **_ASK), _answered(LENGTH + 1), "text_completion"),
        Case(
            "completion-stream",
            lambda made: made.model(CANARY, stream=True, **_ASK),
            _STREAM,
            "text_completion",
            stream=True,
        ),
        Case(
            "create-embedding",
            lambda made: made.embedding.create_embedding([CANARY, "hi"]),
            {"gen_ai.response.model": "tiny.gguf", "gen_ai.usage.input_tokens": LENGTH + 2 + 2},
            "embeddings",
            breaks=lambda made: made.model.create_embedding(CANARY),
        ),
        Case("embed", lambda made: made.embedding.embed(CANARY), {}, "embeddings"),
    ),
)
