"""One ended span in a few words: outcome, tokens, first chunk, model, cost; or the status of a plain HTTP span."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from opentelemetry.trace import SpanKind, StatusCode

from genai_otel import semconv
from genai_otel.console.terminal import Piece, clean
from genai_otel.quality import names

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

Attributes = Mapping[str, object]

# Outside the GenAI conventions; the second is what HTTP instrumentation emitted before its conventions were stable.
_HTTP_STATUS = ("http.response.status_code", "http.status_code")
_OUTCOME_STYLES = {"completed": "green", "cut": "red", "failed": "red"}
_KINDS = {
    SpanKind.CLIENT: ("→", "client"),
    SpanKind.SERVER: ("←", "server"),
    SpanKind.PRODUCER: ("»", "producer"),
    SpanKind.CONSUMER: ("«", "consumer"),
}
_PARTS_OF_USAGE = (
    (semconv.USAGE_CACHE_READ_INPUT_TOKENS, "cached"),
    (semconv.USAGE_CACHE_WRITE_INPUT_TOKENS, "written"),
    (semconv.USAGE_REASONING_OUTPUT_TOKENS, "reasoning"),
)
_CONTENT = (
    (semconv.SYSTEM_INSTRUCTIONS, "system"),
    (semconv.INPUT_MESSAGES, "in"),
    (semconv.TOOL_CALL_ARGUMENTS, "arguments"),
    (semconv.TOOL_CALL_RESULT, "result"),
    (semconv.OUTPUT_MESSAGES, "out"),
)


def is_genai(span: ReadableSpan) -> bool:
    return semconv.OPERATION_NAME in (span.attributes or {})


def kind(span: ReadableSpan, *, drawing: bool) -> str:
    """The mark of a span's kind: one character, a word in plain text, "" for internal spans."""
    sign, word = _KINDS.get(span.kind, ("", ""))
    return sign if drawing else word


def facts(span: ReadableSpan, arrow: str) -> list[list[Piece]]:
    """The facts of a span, most important first; each is a group of pieces that belong together."""
    attributes: Attributes = span.attributes or {}
    found = [_outcome(span, attributes)]
    if is_genai(span):
        found += [
            _tokens(attributes, arrow),
            _stream(attributes),
            _model(span, attributes),
            _cost(attributes),
            _step(attributes),
        ]
    found.append(_result(attributes))
    if attributes.get(semconv.OWNER) is False:
        found.append([Piece("not counted", "dim")])
    return [group for group in found if group]


def content(span: ReadableSpan) -> Iterator[tuple[str, str]]:
    """(what it is, one line of text) for the content that is on the span; nothing unless content is switched on."""
    for key, word in _CONTENT:
        value = (span.attributes or {}).get(key)
        if isinstance(value, str) and value:
            yield word, clean(_last_text(value))


def duration(seconds: float) -> str:
    """A time as people say it: 0.42 ms, 812 ms, 1.24 s, 2 m 03 s, 5 h 20 m, 21 d 4 h."""
    if seconds < 0.00095:
        return f"{max(seconds, 0) * 1000:.2f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.09995 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def money(amount: float, currency: str) -> str:
    """An amount with three digits that mean something: $0.000123, 1.50 EUR."""
    digits = 2 if amount == 0 or abs(amount) >= 1 else 2 - math.floor(math.log10(abs(amount)))
    text = f"{amount:,.{digits}f}"
    return f"${text}" if currency == "USD" else f"{text} {currency}"


def _outcome(span: ReadableSpan, attributes: Attributes) -> list[Piece]:
    outcome = attributes.get(semconv.OUTCOME)
    failed = span.status.status_code is StatusCode.ERROR
    words: list[Piece] = []
    if isinstance(outcome, str):
        words.append(Piece(clean(outcome), _OUTCOME_STYLES.get(outcome, "yellow")))
    elif failed:
        words.append(Piece("error", "red"))
    words += [Piece(f"{value}", "red" if failed else "") for value in _status(attributes)]
    reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS)
    if isinstance(reasons, tuple) and reasons:
        text = ", ".join(clean(str(reason)) for reason in cast("tuple[object, ...]", reasons))
        words.append(Piece(f"({text})"))
    description = clean(span.status.description or "", 120)
    if failed and description and description not in [word.text for word in words]:
        words.append(Piece(description, "dim"))
    return _spaced(words)


def _status(attributes: Attributes) -> Iterator[str]:
    """error.type and the HTTP status, once where they say the same."""
    error = attributes.get(semconv.ERROR_TYPE)
    if isinstance(error, str):
        yield clean(error)
    for key in _HTTP_STATUS:
        status = attributes.get(key)
        if isinstance(status, int):
            if str(status) != error:
                yield str(status)
            return


def _step(attributes: Attributes) -> list[Piece]:
    """What was counted in an agent, or found in a cache."""
    counts = (
        (attributes.get(semconv.AGENT_INFERENCE_CALLS), "model call"),
        (attributes.get(semconv.AGENT_TOOL_CALLS), "tool call"),
    )
    said = [f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if isinstance(count, int)]
    result = attributes.get(semconv.CACHE_RESULT)
    if isinstance(result, str):
        said.append(result)
    return [Piece(", ".join(said))] if said else []


def _tokens(attributes: Attributes, arrow: str) -> list[Piece]:
    taken, given = (
        _count(attributes, semconv.USAGE_INPUT_TOKENS),
        _count(attributes, semconv.USAGE_OUTPUT_TOKENS),
    )
    if taken is None and given is None:
        return []
    if taken is None or given is None:
        text = f"{taken:,} tokens in" if taken is not None else f"{given:,} tokens out"
    else:
        text = f"{taken:,} {arrow} {given:,} tokens"
    parts = [f"{count:,} {word}" for key, word in _PARTS_OF_USAGE if (count := _count(attributes, key))]
    pieces = [Piece(text)]
    if parts:
        pieces.append(Piece(f" ({', '.join(parts)})", "dim"))
    return pieces


def _stream(attributes: Attributes) -> list[Piece]:
    first = attributes.get(semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
    if isinstance(first, (int, float)):
        return [Piece(f"first chunk {duration(first)}")]
    return [Piece("no chunk", "dim")] if attributes.get(semconv.REQUEST_STREAM) is True else []


def _model(span: ReadableSpan, attributes: Attributes) -> list[Piece]:
    """The model that answered, unless the span's name says it already."""
    model = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
    if not isinstance(model, str) or span.name.endswith(model):
        return []
    return [Piece(clean(model), "dim")]


def _result(attributes: Attributes) -> list[Piece]:
    """What an evaluation found, by whom."""
    if names.NAME not in attributes:
        return []
    score, label, by = (attributes.get(name) for name in (names.SCORE, names.LABEL, names.EVALUATOR))
    words = [f"{score:.3g}"] if isinstance(score, float) else []
    words += [clean(label, 40)] if isinstance(label, str) else []
    words += [f"by {clean(by, 40)}"] if isinstance(by, str) else []
    return _spaced([Piece(word) for word in words])


def _cost(attributes: Attributes) -> list[Piece]:
    amount, currency = attributes.get(semconv.COST_AMOUNT), attributes.get(semconv.COST_CURRENCY)
    if not isinstance(amount, (int, float)) or not math.isfinite(amount) or not isinstance(currency, str):
        return []
    return [Piece(money(amount, clean(currency, 8)))]


def _count(attributes: Attributes, key: str) -> int | None:
    value = attributes.get(key)
    return value if isinstance(value, int) else None


def _spaced(words: list[Piece]) -> list[Piece]:
    return [Piece(f" {word.text}" if place else word.text, word.style) for place, word in enumerate(words)]


def _last_text(value: str) -> str:
    """What the last message says, out of the convention's message structure; anything else as it stands."""
    message: object
    try:
        message = json.loads(value)
        while isinstance(message, (list, dict)):
            inner = cast("list[object] | dict[str, object]", message)
            message = inner[-1] if isinstance(inner, list) else inner.get("parts", inner.get("content"))
    except (ValueError, LookupError, RecursionError):
        return value
    return message if isinstance(message, str) else value
