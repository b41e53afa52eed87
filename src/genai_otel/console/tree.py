"""The spans of one trace drawn as a tree, one line per span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.trace import StatusCode, format_trace_id

from genai_otel.console.facts import content, duration, facts, is_genai, kind
from genai_otel.console.terminal import Piece, Terminal, clean, clip, columns, pad

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_BAR = 16
_BAR_FROM = 120  # columns: a narrower screen has better use for them
_MAX_PREFIX = 48  # columns: indentation ends here, however deep the tree is
_SIGNS = {True: ("├─ ", "└─ ", "│  "), False: ("|- ", "`- ", "|  ")}
_SERVICE_NAME = "service.name"


class Tree(NamedTuple):
    """Spans to print together.  ``state``: "" for a whole tree, else what is odd about it."""

    spans: Sequence[ReadableSpan]
    state: str = ""


class _Row(NamedTuple):
    prefix: str
    below: str
    span: ReadableSpan


def draw(tree: Tree, terminal: Terminal) -> str:
    """The text of a tree: a heading, then one line per span (and one per content value on it)."""
    rows = list(_rows(tree.spans, terminal.drawing))
    names = [_name(row, terminal) for row in rows]
    room = (terminal.width or 240) * 45 // 100
    wide = min(max((columns(_text(name)) for name in names), default=0), room)
    span_of_time = _extent(tree.spans)
    lines = [terminal.line(_heading(tree, span_of_time))]
    for row, name in zip(rows, names, strict=True):
        head = [*_fitted(name, wide, terminal), Piece(f" {duration(_seconds(row.span)):>8}  ", "bold")]
        if len(rows) > 1 and terminal.drawing and (terminal.width or 0) >= _BAR_FROM:
            head.append(Piece(_bar(row.span, span_of_time) + "  ", "dim"))
        lines += _wrapped(head, facts(row.span, terminal.arrow), row.below, terminal)
        lines += [
            terminal.line([Piece(row.below, "dim"), Piece(f"{word}: ", "dim"), Piece(text, "cyan")])
            for word, text in content(row.span)
        ]
    if terminal.drawing:
        lines.append("")
    return "\n".join(lines) + "\n"


def _rows(spans: Sequence[ReadableSpan], drawing: bool) -> Iterator[_Row]:
    """Depth first, siblings by start; without recursion, because the depth is the user's."""
    fork, last, through = _SIGNS[drawing]
    known = {span.context.span_id for span in spans if span.context}
    children: dict[int | None, list[ReadableSpan]] = {}
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        parent = span.parent.span_id if span.parent else None
        children.setdefault(parent if parent in known else None, []).append(span)
    waiting = [("", "", span) for span in reversed(children.get(None, []))]
    while waiting:
        prefix, below, span = waiting.pop()
        under = children.get(span.context.span_id, []) if span.context else []
        yield _Row(prefix, below + (through if under else "   "), span)
        for place, child in enumerate(reversed(under)):
            ends = place == 0
            if len(below) >= _MAX_PREFIX:
                waiting.append((below[:-3] + (last if ends else fork), below, child))
            else:
                waiting.append(
                    (below + (last if ends else fork), below + ("   " if ends else through), child)
                )


def _name(row: _Row, terminal: Terminal) -> list[Piece]:
    span = row.span
    failed = span.status.status_code is StatusCode.ERROR
    style = "red" if failed else "good" if is_genai(span) else ""
    mark = kind(span, drawing=terminal.drawing)
    pieces = [Piece(row.prefix, "dim"), Piece(clean(span.name, 120), style)]
    return [*pieces, Piece(f" {mark}", "dim")] if mark else pieces


def _wrapped(head: list[Piece], groups: list[list[Piece]], below: str, terminal: Terminal) -> Iterator[str]:
    """The lines of a span: what does not fit on the first goes under it, group by group."""
    line, used = head, columns(_text(head))
    for place, group in enumerate(groups):
        if place and terminal.width and used + 2 + columns(_text(group)) > terminal.width:
            yield terminal.line(line)
            line, used = [Piece(below, "dim"), *group], columns(below) + columns(_text(group))
        else:
            gap = [Piece("  ")] if place else []
            line, used = [*line, *gap, *group], used + 2 * bool(place) + columns(_text(group))
    yield terminal.line(line)


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _fitted(pieces: Sequence[Piece], width: int, terminal: Terminal) -> Iterator[Piece]:
    """The pieces in exactly ``width`` columns; the middle one, the name, gives way."""
    over = columns(_text(pieces)) - width
    for place, piece in enumerate(pieces):
        if place == 1 and over > 0:
            yield Piece(clip(piece.text, max(columns(piece.text) - over, 8), terminal.dots), piece.style)
        else:
            yield piece
    yield Piece(" " * max(-over, 0))


def _heading(tree: Tree, extent: tuple[int, int]) -> list[Piece]:
    first = tree.spans[0]
    trace_id = format_trace_id(first.context.trace_id) if first.context else "?"
    service = first.resource.attributes.get(_SERVICE_NAME)
    words: list[str] = []
    if isinstance(service, str) and not service.startswith("unknown_service"):
        words.append(clean(service, 60))
    words.append(f"{len(tree.spans)} spans" if len(tree.spans) > 1 else "1 span")
    words.append(duration((extent[1] - extent[0]) / 1e9))
    state = [Piece(f"  {tree.state}", "yellow")] if tree.state else []
    return [Piece(f"trace {trace_id}", "dim"), *state, Piece("".join(f"  {word}" for word in words), "dim")]


def _extent(spans: Sequence[ReadableSpan]) -> tuple[int, int]:
    """Start of the first span and end of the last one, in nanoseconds."""
    starts = [span.start_time or 0 for span in spans]
    ends = [span.end_time or span.start_time or 0 for span in spans]
    return min(starts), max(ends)


def _seconds(span: ReadableSpan) -> float:
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9 if span.end_time else 0.0


def _bar(span: ReadableSpan, extent: tuple[int, int]) -> str:
    """Where the span lies in the time of its tree."""
    begin, length = extent[0], max(extent[1] - extent[0], 1)
    left = min(((span.start_time or begin) - begin) * _BAR // length, _BAR - 1)
    right = max(((span.end_time or begin) - begin) * _BAR // length, left + 1)
    return "▕" + pad(" " * left + "━" * (right - left), _BAR) + "▏"
