"""``genai-otel report``: exported spans as one page."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import TextIO

from genai_otel.report.make import from_files
from genai_otel.report.page import page
from genai_otel.report.problem import Problem
from genai_otel.report.progress import Bar
from genai_otel.report.report import Report, Window


def run(options: argparse.Namespace) -> int:
    """Write the page; returns the exit code."""
    report = Report(Window(service=options.service), options.slowest)
    try:
        with Bar(sys.stderr) as bar, _seldom_collecting():
            reading = from_files(options.source, report, content=options.content, progress=bar.show)
        text = page(report, reading, title=options.title, made=time.time(), content=options.content)
        _write(text, options.output)
    except Problem as problem:
        print(f"genai-otel report: {problem}", file=sys.stderr)
        return 1
    for line in reading.named:
        print(f"passed over {line}", file=sys.stderr)
    if options.output != "-":
        print(f"{report.totals.calls:,} calls in {report.traces:,} traces: {options.output}", file=sys.stderr)
    return 0


@contextlib.contextmanager
def _seldom_collecting() -> Generator[None]:
    """Documents hold no rings; to look for some each time that a few hundred objects are new takes half of the time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _write(text: str, output: str) -> None:
    if output == "-":
        stream: TextIO = sys.stdout
        stream.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {output}: {error}") from error
