"""A trace as a waterfall: a row per span with its place in time and its facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode, format_trace_id

from genai_otel import semconv
from genai_otel.console.facts import facts
from genai_otel.report import words
from genai_otel.report.html import Html, block, join, tag
from genai_otel.report.report import SERVICE_NAME
from genai_otel.report.spans import CONTENT
from genai_otel.report.steps import step_of
from genai_otel.report.traces import Trace, is_call

_MOST_ROWS: Final = 200
_MOST_DEPTH: Final = 24
_MOST_CONTENT: Final = 20_000  # characters of one value


def waterfall(trace: Trace, *, is_open: bool, content: bool) -> Html:
    """A trace that can be folded; its heading says what it was and what it took."""
    root = trace.roots[0] if trace.roots else next(iter(trace.spans.values()))
    rows = [row for row, _ in zip(trace.walk(), range(_MOST_ROWS), strict=False)]
    calls = sum(map(is_call, trace.spans.values()))
    more = len(trace.spans) - len(rows)
    heading = tag(
        "summary",
        tag("span", words.seconds(trace.seconds), class_="figure"),
        tag("span", root.name, class_="name"),
        tag("span", _about(trace, root, calls), class_="muted"),
    )
    return tag(
        "details",
        heading,
        tag("ol", [_row(trace, depth, span, content=content) for depth, span in rows], class_="waterfall"),
        tag("p", f"and {words.counted(more, 'span')} more", class_="note") if more > 0 else None,
        tag("p", "trace ", tag("code", format_trace_id(trace.trace_id)), class_="note"),
        open=is_open,
        class_="trace",
        data_trace=format_trace_id(trace.trace_id),
    )


def _about(trace: Trace, root: ReadableSpan, calls: int) -> str:
    parts = [
        str(root.resource.attributes.get(SERVICE_NAME) or ""),
        words.second(trace.start / 1e9) + " UTC",
        words.counted(calls, "model call"),
        words.counted(len(trace.spans), "span"),
    ]
    return " · ".join(part for part in parts if part)


def _row(trace: Trace, depth: int, span: ReadableSpan, *, content: bool) -> Html:
    seconds = max((span.end_time or 0) - (span.start_time or 0), 0) / 1e9
    said = " · ".join("".join(piece.text for piece in group) for group in facts(span, "→"))
    failed = span.status.status_code is StatusCode.ERROR
    return tag(
        "li",
        tag("span", span.name, class_="name", style=f"--depth:{min(depth, _MOST_DEPTH)}"),
        tag("span", _bar(trace, span, seconds), class_="track"),
        tag("span", words.seconds(seconds), class_="time"),
        tag("span", said, class_="facts"),
        _content(span) if content else None,
        class_=f"{_kind(span)}{' bad' if failed else ''}",
    )


def _bar(trace: Trace, span: ReadableSpan, seconds: float) -> Html:
    """The span's place in the trace; what is paler was waiting for the first chunk."""
    whole = max(trace.end - trace.start, 1)
    left = min(max((span.start_time or 0) - trace.start, 0) / whole, 1)
    width = min(seconds * 1e9 / whole, 1 - left)
    first = (span.attributes or {}).get(semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
    waited = min(first / seconds, 1) if isinstance(first, (int, float)) and seconds > 0 and first >= 0 else 0
    return tag(
        "span",
        tag("span", class_="wait", style=f"width:{waited:.1%}") if waited else None,
        class_="span",
        style=f"left:{left:.3%};width:{width:.3%}",
    )


def _kind(span: ReadableSpan) -> str:
    step = step_of(span)
    if step is not None:
        return step.kind
    attributes: Mapping[str, Any] = span.attributes or {}
    return "call" if is_call(span) else "uncounted" if attributes.get(semconv.OWNER) is False else "other"


def _content(span: ReadableSpan) -> Html | None:
    found = list(_texts(span))
    if not found:
        return None
    return tag(
        "details",
        tag("summary", "content"),
        [join(tag("h4", word), tag("pre", block(text))) for word, text in found],
        class_="content",
    )


def _texts(span: ReadableSpan) -> Iterator[tuple[str, str]]:
    for key, word in CONTENT.items():
        value = (span.attributes or {}).get(key)
        if not isinstance(value, str) or not value:
            continue
        try:
            text = json.dumps(json.loads(value), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = value
        yield word, text if len(text) <= _MOST_CONTENT else f"{text[:_MOST_CONTENT]}\n... cut"
