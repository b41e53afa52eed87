"""Sentence Transformers: embeddings, dense, sparse and of many vectors, and the scores of cross encoders.

Tokens are those that the tokenizer gave, without padding.  Worker processes count for themselves: a call that goes to
a pool has none, nor have cross encoders before 5.4.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from genai_otel import semconv
from genai_otel.clients._local import model_name
from genai_otel.clients._parts import items
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer

_names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def _name(model: Any) -> str:
    name = _names.get(model)
    if name is None:  # a model looks for it through all its layers
        name = _names[model] = sys.intern(_found(model))
    return name


def _found(model: Any) -> str:
    config = getattr(model, "config", None)
    if config is None:  # before 5.4 only cross encoders have one
        first = next(iter(model), None)
        config = getattr(getattr(first, "auto_model", None), "config", None)
    name = getattr(config, "_name_or_path", None)
    if not name:
        card = getattr(model, "model_card_data", None)
        name = getattr(card, "base_model", None) or getattr(card, "model_id", None)
    return name if isinstance(name, str) else ""


def _connection(model: Any) -> object:
    return _name(model)  # no part of the model, which would be kept alive


def _peer(model: Any) -> Peer:
    return Peer("sentence_transformers", model=model_name(_name(model)))


def _dimensions(facts: Facts, value: Any) -> None:
    shape = getattr(next(iter(items(value)), value), "shape", ())
    if shape:
        facts[semconv.EMBEDDINGS_DIMENSION_COUNT] = int(shape[-1])


def _embedded(arguments: Mapping[str, Any], result: Any) -> Facts:
    facts: Facts = {}
    if arguments.get("output_value", "") is not None and arguments.get("precision") not in (
        "binary",
        "ubinary",
    ):
        _dimensions(facts, result)  # of binary ones eight are in a byte
    return facts


def _tokens(features: Any) -> Facts:
    mask = features.get("attention_mask")
    ids = features.get("input_ids")
    count = mask.sum() if mask is not None else None if ids is None else ids.numel()
    return {} if count is None else {semconv.USAGE_INPUT_TOKENS: int(count)}


_embeddings: Final[dict[str, Any]] = {
    "operation": semconv.EMBEDDINGS,
    "model": None,
    "gathers": True,
    "answer": _embedded,
    "positional": ("inputs",),
}
_rerank: Final[dict[str, Any]] = {"operation": semconv.RERANK, "model": None, "gathers": True}
_features: Final[dict[str, Any]] = {"operation": "", "adds": True, "response": _tokens}

# Where the classes stand, and where they stood before 5.4.
_DENSE: Final = (
    "sentence_transformers.sentence_transformer.model:SentenceTransformer.",
    "sentence_transformers.SentenceTransformer:SentenceTransformer.",
)
_SPARSE: Final = (
    "sentence_transformers.sparse_encoder.model:SparseEncoder.",
    "sentence_transformers.sparse_encoder.SparseEncoder:SparseEncoder.",
)
_CROSS: Final = (
    "sentence_transformers.cross_encoder.model:CrossEncoder.",
    "sentence_transformers.cross_encoder.CrossEncoder:CrossEncoder.",
)
_MANY: Final = ("sentence_transformers.multi_vector_encoder.model:MultiVectorEncoder.",)

SPEC: Final = ClientSpec(
    name="sentence_transformers",
    requires="sentence-transformers >= 3.4, < 7",
    connection=_connection,
    peer=_peer,
    endpoints=(
        *(
            Endpoint(place + method, **_embeddings)
            for place in (*_DENSE, *_SPARSE, *_MANY)
            for method in ("encode", "encode_query", "encode_document")
        ),
        *(Endpoint(f"{place}encode_multi_process", **_embeddings) for place in (*_DENSE, *_SPARSE)),
        *(Endpoint(place + method, **_rerank) for place in _CROSS for method in ("predict", "rank")),
        Endpoint("sentence_transformers.base.model:BaseModel.preprocess", **_features),
        Endpoint(f"{_DENSE[1]}tokenize", **_features),
    ),
)
