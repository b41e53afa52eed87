"""JSON lines in the console's place: what handlers would print to stdout and stderr is written once, by us.

Handlers of the program stay where they are.  Those that write to the console get a filter that holds a record back and
notes that it would have been printed; a record that would be printed twice is one line.  A program without any handler
has its lines, too, in place of what ``logging.lastResort`` prints.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final
from weakref import WeakSet

from genai_otel.logs.lines import Lines
from genai_otel.logs.others import THREAD, prints_loguru


class _Thread(threading.local):
    shown = False
    """Whether a console handler of the program's took the record that this thread is about."""


class Console:
    """Stands in for the console handlers of the program, for records of the standard library."""

    def __init__(self, lines: Lines) -> None:
        self.lines: Final = lines
        self._muted: WeakSet[logging.Handler] = WeakSet()
        self._thread = _Thread()

    def hand_on(
        self,
        logger: logging.Logger,
        record: logging.LogRecord,
        original: Callable[[logging.Logger, logging.LogRecord], None],
    ) -> None:
        """Let ``logger`` hand the record to the program's handlers by ``original``, and write its line."""
        consoles = [handler for handler in _handlers(logger) if _prints(handler)]
        for handler in consoles:
            self._mute(handler)
        if logging.lastResort is not None:
            self._mute(logging.lastResort)
        before, THREAD.loguru_wrote, self._thread.shown = self._thread.shown, False, False
        try:
            original(logger, record)
            if (self._thread.shown or not consoles) and not _is_written(record):
                self.lines.handle(record)
        finally:
            self._thread.shown = before

    def close(self) -> None:
        """Let the handlers print again."""
        for handler in list(self._muted):
            handler.removeFilter(self._hold_back)
        self._muted.clear()

    def _mute(self, handler: logging.Handler) -> None:
        if handler not in self._muted:
            self._muted.add(handler)
            handler.addFilter(self._hold_back)

    def _hold_back(self, _record: logging.LogRecord) -> bool:
        self._thread.shown = True
        return False


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    node: logging.Logger | None = logger
    while node is not None:
        yield from node.handlers
        node = node.parent if node.propagate else None


def _prints(handler: Any) -> bool:
    """Whether a handler writes to the console: the standard library's, or one with a console of ``rich``."""
    stream = getattr(handler, "stream", None) or getattr(getattr(handler, "console", None), "file", None)
    return stream is not None and stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _is_written(record: logging.LogRecord) -> bool:
    """Whether loguru has written it: a handler gave it to loguru, or loguru passed it on to the standard library."""
    return THREAD.loguru_wrote or (prints_loguru() and type(vars(record).get("extra")) is dict)
