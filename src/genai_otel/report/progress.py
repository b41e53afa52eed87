"""A progress bar on a terminal, and nothing anywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, TextIO

from genai_otel.report.sources import Reading

_WIDTH: Final = 32
_EVERY: Final = 0.1  # seconds


class Bar:
    """Shows how far reading is; gone when it has ended."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._shown = 0.0
        self._wide = 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None and self._wide:
            self._put("")

    def show(self, reading: Reading, spans: int) -> None:
        """Draw it again, if it was not just drawn."""
        now = time.monotonic()
        if self._stream is None or now - self._shown < _EVERY:
            return
        self._shown = now
        if reading.total:
            done = min(reading.done / reading.total, 1.0)
            filled = round(done * _WIDTH)
            self._put(f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {done:4.0%}  {spans:,} spans")
        else:
            self._put(f"{spans:,} spans")

    def _put(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write("\r" + text.ljust(self._wide) + ("\r" if not text else ""))
            self._stream.flush()
            self._wide = len(text)
