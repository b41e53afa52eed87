"""Transformers: pipelines that generate or embed, and ``generate`` itself.

A pipeline's call is one span, however often it runs its model, which is what knows the tokens.  Given a generator or a
dataset it does nothing until its result is read: then each run of the model is a call by itself.  Pipelines of other
tasks have no tokens; where one generates, that is a call like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GeneratorType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from genai_otel import semconv
from genai_otel.clients import _transformers_messages as messages
from genai_otel.clients import _transformers_results as results
from genai_otel.clients._local import model_name
from genai_otel.spec import ClientSpec, Endpoint, Fed, Peer


def _connection(model: Any) -> object:
    return model.config  # the model itself would be kept alive


def _peer(model: Any) -> Peer:
    return Peer("transformers", model=model_name(model.config._name_or_path))  # noqa: SLF001 - the public name writes, too


# --- generate -------------------------------------------------------------------------------------

_generated: Final[dict[str, Any]] = {"model": None, "request": results.request, "answer": results.generated}
_COMPLETION: Final = Endpoint("", semconv.TEXT_COMPLETION, **_generated)
_CONTENT: Final = Endpoint("", semconv.GENERATE_CONTENT, **_generated)


class _Kind(NamedTuple):
    """What is the same for all calls of a model."""

    endpoint: Endpoint
    encodes: bool


_kinds: WeakKeyDictionary[Any, _Kind] = WeakKeyDictionary()


def _kind(model: Any) -> _Kind:
    of_text = getattr(model, "main_input_name", "input_ids") == "input_ids"
    encodes = bool(model.config.is_encoder_decoder)  # a configuration takes long to say so
    found = _kinds[model] = _Kind(_COMPLETION if of_text else _CONTENT, encodes)
    return found


def _generate(model: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]]:
    endpoint, encodes = _kinds.get(model) or _kind(model)
    return endpoint, results.settings(model, encodes, arguments)


# --- pipelines ------------------------------------------------------------------------------------

_TEXT: Final = frozenset({"text-generation", "text2text-generation", "summarization"})
_MEDIA: Final = frozenset(
    {
        "any-to-any",
        "automatic-speech-recognition",
        "document-question-answering",
        "image-text-to-text",
        "image-to-text",
        "visual-question-answering",
    }
)
_EMBEDDING: Final = frozenset({"feature-extraction", "image-feature-extraction"})

_run: Final[dict[str, Any]] = {"model": None, "gathers": True}
_CHAT: Final = Endpoint("", semconv.CHAT, **_run, content=messages.CHAT)
_TEXTS: Final = Endpoint("", semconv.TEXT_COMPLETION, **_run, content=messages.TEXT)
_ANYTHING: Final = Endpoint("", semconv.GENERATE_CONTENT, **_run, content=messages.TEXT)
_FEATURES: Final = Endpoint("", semconv.EMBEDDINGS, model=None, answer=results.features)


def _pipeline(pipeline: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any], Any] | None:
    inputs, task, model = arguments.get("inputs"), pipeline.task, pipeline.model
    if not isinstance(inputs, (str, list)) and _comes_later(inputs):
        return None
    if task in _TEXT or task.startswith("translation"):
        return (_CHAT if messages.is_chat(inputs) else _TEXTS), arguments, model
    if task in _MEDIA and model.can_generate():
        return (_CHAT if messages.is_chat(inputs) else _ANYTHING), arguments, model
    if task in _EMBEDDING:
        return _FEATURES, {**arguments, results.PIPELINE: pipeline}, model
    return None


def _comes_later(inputs: Any) -> bool:
    return isinstance(inputs, GeneratorType) or any(
        kind.__name__ == "Dataset" for kind in type(inputs).__mro__
    )


SPEC: Final = ClientSpec(
    name="transformers",
    requires="transformers >= 4.48, < 6",
    connection=_connection,
    peer=_peer,
    endpoints=(
        Endpoint(
            "transformers.pipelines.base:Pipeline.__call__",
            "",
            positional=("inputs",),
            route=_pipeline,
            routes=(_CHAT, _TEXTS, _ANYTHING, _FEATURES),
        ),
        Endpoint(
            "transformers.generation.utils:GenerationMixin.generate",
            "",
            positional=("inputs", "generation_config"),
            route=_generate,
            routes=(_COMPLETION, _CONTENT),
            adds=True,
            # First the streamer gets the prompt.
            fed=Fed("streamer", "put", before=1),
        ),
    ),
)
