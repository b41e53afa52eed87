"""Cohere's batches, parsed documents and summaries: the client's objects → facts, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _cohere_results as results
from genai_otel.clients._jobs import first_look
from genai_otel.clients._parts import get, items, medium, message, text
from genai_otel.spec import Content, Facts

# --- batches: their tokens are texts ----------------------------------------------------------------

_STATUS: Final = "BATCH_STATUS_"
_ENDED: Final = frozenset({"completed", "failed", "canceled"})
_TOKENS: Final = {
    "input_tokens": semconv.USAGE_INPUT_TOKENS,
    "output_tokens": semconv.USAGE_OUTPUT_TOKENS,
}


def batch(result: Any) -> Facts:
    """Which batch it is, of which model, and how far it is."""
    facts: Facts = {}
    field = get(result, "batch")
    for name, value in (
        (semconv.RESPONSE_ID, get(field, "id")),
        (semconv.RESPONSE_STATUS, _status(field)),
        (semconv.RESPONSE_MODEL, get(field, "model")),
    ):
        if value:
            facts[name] = value
    return facts


def fetched_batch(result: Any) -> Facts:
    """A batch that is looked at: with its usage when it has ended and nobody here has counted that."""
    facts = batch(result)
    field = get(result, "batch")
    if _status(field) in _ENDED and first_look(str(get(field, "id"))):
        for name, fact in _TOKENS.items():
            tokens = get(field, name)
            if isinstance(tokens, int) or (isinstance(tokens, str) and tokens.isdecimal()):
                facts[fact] = int(tokens)
    return facts


def _status(field: Any) -> str:
    return str(get(field, "status") or "").removeprefix(_STATUS).lower()


# --- documents and summaries ------------------------------------------------------------------------


def parsed(result: Any) -> Facts:
    """Facts of a parsed document."""
    facts = results.plain_response(result)
    reason = get(result, "finish_reason")
    if reason:
        facts[semconv.RESPONSE_FINISH_REASONS] = (reason,)
    return facts


def _document(arguments: Mapping[str, Any]) -> Facts:
    url = get(arguments.get("document"), "image_url")
    asked = [] if url is None else [medium("image", url=url, file_id=None)]
    return {semconv.INPUT_MESSAGES: [message("user", asked)]} if asked else {}


def _pages(result: Any) -> Facts:
    said = [part for page in items(get(result, "pages")) for part in _page(page)]
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


def _page(page: Any) -> list[dict[str, Any]]:
    blocks = [get(block, "text") for block in items(get(page, "blocks"))]
    return [part for each in (get(page, "markdown"), *blocks) for part in text(get(each, "content"))]


def _long(arguments: Mapping[str, Any]) -> Facts:
    said = text(arguments.get("text"))
    return {semconv.INPUT_MESSAGES: [message("user", said)]} if said else {}


def _short(result: Any) -> Facts:
    said = text(get(result, "summary"))
    return {semconv.OUTPUT_MESSAGES: [message("assistant", said)]} if said else {}


DOCUMENTS: Final = Content(_document, _pages)
SUMMARIES: Final = Content(_long, _short)
