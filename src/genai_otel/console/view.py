"""The live trace tree: a span exporter that prints each trace once its local root has ended."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, TextIO

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from genai_otel.console.terminal import Terminal, put
from genai_otel.console.tree import Tree, draw
from genai_otel.fence import contain, dropped

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_MAX_SPANS = 2_000
_MAX_PRINTED = 4_096
_QUIET_SECONDS = 60.0
_SHUTDOWN_SECONDS = 1.0
_CONTINUED = "continued"  # its parent was printed before
_PARTIAL = "partial"  # its parent has not ended, or never comes


class _Open:
    """The ended spans of a trace that wait for their parents."""

    def __init__(self) -> None:
        self.spans: dict[int, ReadableSpan] = {}
        self.touched = 0.0

    def take(self, root: int) -> list[ReadableSpan]:
        """Remove a span and everything under it."""
        children: dict[int, list[int]] = {}
        for key, span in self.spans.items():
            if span.parent:
                children.setdefault(span.parent.span_id, []).append(key)
        taken: list[ReadableSpan] = []
        waiting = [root]
        while waiting:
            key = waiting.pop()
            if (span := self.spans.pop(key, None)) is not None:
                taken.append(span)
                waiting += children.get(key, ())
        return taken


class ConsoleView(SpanExporter):
    """Print traces as trees, to standard error unless another stream is given.

    A span without a parent in this process is a local root; its tree is printed when it has ended.  What ends
    after its parent was printed (a stream read later) comes as a small tree of its own.  At most ``open_traces``
    traces wait for their root; the one that waits longest is printed as partial.  Writing never raises.
    """

    def __init__(self, stream: TextIO | None = None, *, open_traces: int = 64) -> None:
        self._stream = stream
        self._open_traces = open_traces
        self.reset()
        _views.add(self)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Print, or leave it to the thread that is printing: no thread waits for another one's terminal.

        Nor for itself, where a finalizer or a signal handler ends a span while this thread is printing.
        """
        if self._waiting.qsize() >= _MAX_SPANS:  # the terminal is stuck
            dropped("spans", "console_stuck", len(spans))
            return SpanExportResult.FAILURE
        self._waiting.put(spans)
        return SpanExportResult.SUCCESS if self._print_waiting() else SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the interface's signature
        """Nothing to do: what waits here waits for its parent, and all else is written at once."""
        return True

    def shutdown(self) -> None:
        """Print what still waits for its root."""
        if self._printing.acquire(timeout=_SHUTDOWN_SECONDS):
            try:
                with contain("console"):
                    self._write([self._give_up(trace_id) for trace_id in list(self._open)])
            finally:
                self._printing.release()

    def reset(self) -> None:
        """Forget what waits and what was printed."""
        self._printing = threading.Lock()
        self._waiting: SimpleQueue[Sequence[ReadableSpan]] = SimpleQueue()
        self._open: dict[int, _Open] = {}
        self._printed: dict[int, None] = {}

    def _print_waiting(self) -> bool:
        printed = True
        # Looks again after the release: what came in between was left to this thread.
        while not self._waiting.empty() and self._printing.acquire(blocking=False):
            try:
                printed = False
                with contain("console"):
                    self._take_waiting()
                    printed = True
            finally:
                self._printing.release()
        return printed

    def _take_waiting(self) -> None:
        now = time.monotonic()
        while not self._waiting.empty():
            trees = [tree for span in self._waiting.get() for tree in self._add(span, now)]
            self._write(trees + self._overdue(now))

    def _add(self, span: ReadableSpan, now: float) -> list[Tree]:
        """Keep a span; the trees that can be printed because of it."""
        if span.context is None:
            return []
        trace_id, span_id = span.context.trace_id, span.context.span_id
        trace = self._open.setdefault(trace_id, _Open())
        trace.spans[span_id] = span
        trace.touched = now
        parent = span.parent
        if parent is None or parent.is_remote:
            return [self._settle(trace_id, trace.take(span_id), "")]
        if parent.span_id in self._printed:
            return [self._settle(trace_id, trace.take(span_id), _CONTINUED)]
        return self._overflow()

    def _settle(self, trace_id: int, spans: list[ReadableSpan], state: str) -> Tree:
        """Note what is about to be printed, so that late children are known as such."""
        if not self._open[trace_id].spans:
            del self._open[trace_id]
        self._printed.update({span.context.span_id: None for span in spans if span.context})
        while len(self._printed) > _MAX_PRINTED:
            del self._printed[next(iter(self._printed))]
        return Tree(spans, state)

    def _give_up(self, trace_id: int) -> Tree:
        trace = self._open[trace_id]
        spans = list(trace.spans.values())
        trace.spans.clear()
        return self._settle(trace_id, spans, _PARTIAL)

    def _overflow(self) -> list[Tree]:
        trees: list[Tree] = []
        while (
            len(self._open) > self._open_traces or sum(len(t.spans) for t in self._open.values()) > _MAX_SPANS
        ):
            trees.append(self._give_up(next(iter(self._open))))
        return trees

    def _overdue(self, now: float) -> list[Tree]:
        """Traces in which nothing has happened for long: a parent that a sampler dropped never comes."""
        quiet = [key for key, trace in self._open.items() if now - trace.touched > _QUIET_SECONDS]
        return [self._give_up(trace_id) for trace_id in quiet]

    def _write(self, trees: list[Tree]) -> None:
        # Looked up each time: notebooks, test runners and daemons replace or close standard error.
        stream = self._stream or sys.stderr
        if trees and stream is not None:  # pyright: ignore[reportUnnecessaryComparison] - None under pythonw
            terminal = Terminal.of(stream)
            put(stream, "".join(draw(tree, terminal) for tree in trees))


_views: weakref.WeakSet[ConsoleView] = weakref.WeakSet()


def _after_fork() -> None:
    """A forked child must not wait for a lock held by a thread that it has not got, nor print its parent's spans."""
    for view in list(_views):
        view.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
