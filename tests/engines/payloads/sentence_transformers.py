"""Sentence Transformers: an encoder and a cross encoder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.engines import models
from tests.engines.engine import CANARY, LENGTH, Case, Engine

# Not imported by name: types are checked where these libraries, which take gigabytes, are not installed.
torch: Any = import_module("torch")
transformers: Any = import_module("transformers")
_library: Any = import_module("sentence_transformers")
CrossEncoder: Any = _library.CrossEncoder
SentenceTransformer: Any = _library.SentenceTransformer


def _make(folder: Path) -> Any:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(1)
    return SimpleNamespace(
        dense=SentenceTransformer(
            models.encoder(folder / "a" / "tiny"), device="cpu", prompts={"query": "q: ", "document": ""}
        ),
        cross=CrossEncoder(models.encoder(folder / "b" / "tiny", labels=1), device="cpu"),
    )


def _embedded(tokens: int) -> dict[str, Any]:
    return {"gen_ai.usage.input_tokens": tokens, "gen_ai.embeddings.dimension.count": 32}


def _scored(tokens: int) -> dict[str, Any]:
    # Before 5.4 cross encoders made their tokens in a place of their own.
    return {"gen_ai.usage.input_tokens": tokens} if hasattr(CrossEncoder, "preprocess") else {}


_BY_KIND = (
    Case("encode-query", lambda made: made.dense.encode_query(CANARY), _embedded(LENGTH + 3), "embeddings"),
    Case(
        "encode-document",
        lambda made: made.dense.encode_document([CANARY]),
        _embedded(LENGTH),
        "embeddings",
    ),
)

ENGINE = Engine(
    name="sentence_transformers",
    provider="sentence_transformers",
    model="tiny",
    make=_make,
    forget=lambda made: made.dense,
    cases=(
        Case(
            "encode",
            lambda made: made.dense.encode([CANARY, "hi"]),
            _embedded(LENGTH + 2),
            "embeddings",
            breaks=lambda made: made.dense.encode(CANARY, prompt_name="none of that name"),
        ),
        Case("encode-one", lambda made: made.dense.encode(CANARY), _embedded(LENGTH), "embeddings"),
        Case(
            "encode-in-batches",
            lambda made: made.dense.encode([CANARY, "hi", "you"], batch_size=1),
            _embedded(LENGTH + 5),
            "embeddings",
            runs=3,
        ),
        *(_BY_KIND if hasattr(SentenceTransformer, "encode_query") else ()),  # from 5.0 on
        Case(
            "predict",
            lambda made: made.cross.predict([(CANARY, "a"), (CANARY, "b")]),
            _scored(2 * LENGTH + 2),
            "rerank",
        ),
        Case(
            "rank",
            lambda made: made.cross.rank(CANARY, ["a", CANARY]),
            _scored(3 * LENGTH + 1),
            "rerank",
        ),
    ),
)
