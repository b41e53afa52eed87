"""Transformers: pipelines that generate or embed, and ``generate`` itself.

A pipeline's call is one span, however often it runs its model, which is what knows the tokens.  Given a generator or a
dataset it does nothing until its result is read: then each run of the model is a call by itself.  Pipelines of other
tasks have no tokens; where one generates, that is a call like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import GeneratorType
from typing import Any, Final

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


def _generate(model: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]] | None:
    if getattr(model, "config", None) is None:
        return None
    of_text = getattr(model, "main_input_name", "input_ids") == "input_ids"
    return (_COMPLETION if of_text else _CONTENT), results.settings(model, arguments)


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

_run: Final[dict[str, Any]] = {"model": None, "gathers": True, "request": results.streams}
_CHAT: Final = Endpoint("", semconv.CHAT, **_run, content=messages.CHAT)
_TEXTS: Final = Endpoint("", semconv.TEXT_COMPLETION, **_run, content=messages.TEXT)
_ANYTHING: Final = Endpoint("", semconv.GENERATE_CONTENT, **_run, content=messages.TEXT)
_FEATURES: Final = Endpoint("", semconv.EMBEDDINGS, model=None, answer=results.features)


def _pipeline(pipeline: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any], Any] | None:
    inputs, task, model = arguments.get("inputs"), pipeline.task, pipeline.model
    if isinstance(inputs, GeneratorType) or any(kind.__name__ == "Dataset" for kind in type(inputs).__mro__):
        return None
    if task in _EMBEDDING:
        return _FEATURES, {**arguments, results.PIPELINE: pipeline}, model
    if task in _MEDIA and model.can_generate():
        return (_CHAT if messages.is_chat(inputs) else _ANYTHING), arguments, model
    if task in _TEXT or task.startswith("translation"):
        return (_CHAT if messages.is_chat(inputs) else _TEXTS), arguments, model
    return None


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
