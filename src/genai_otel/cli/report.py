"""``genai-otel report``: exported spans as one page."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import math
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final, TextIO

from genai_otel.prices import own
from genai_otel.report.asking import is_url
from genai_otel.report.incidents import History, history
from genai_otel.report.make import read
from genai_otel.report.page import Asked, page
from genai_otel.report.problem import Problem
from genai_otel.report.progress import Bar
from genai_otel.report.report import Report, Window
from genai_otel.report.unpriced import USUAL, Prices
from genai_otel.report.words import counted

_DAY: Final = 86_400.0


def run(options: argparse.Namespace) -> int:
    """Write the page; returns the exit code."""
    now = time.time()
    try:
        report = Report(_window(options, now), options.slowest, _prices(options))
        with Bar(sys.stderr) as bar, _seldom_collecting(), _silent():
            reading = read(options.source, report, content=options.content, progress=bar.show)
        history = _history(options, report)
        text = page(report, reading, Asked(options.title, now, options.content, options.slo, history))
        _write(text, options.output)
    except Problem as problem:
        print(f"genai-otel report: {problem}", file=sys.stderr)
        return 1
    for line in reading.named:
        print(f"passed over {line}", file=sys.stderr)
    if options.output != "-":
        calls, traces = counted(report.totals.calls, "call"), counted(report.traces, "trace")
        print(f"{calls} in {traces}: {options.output}", file=sys.stderr)
    return 0


def _prices(options: argparse.Namespace) -> Prices:
    """The user's own prices, where he has any."""
    path = options.prices or os.environ.get("GENAI_OTEL_PRICES", "").strip()
    try:
        return Prices(own.read(path)) if path else USUAL
    except own.PriceError as error:
        raise Problem(f"{'--prices' if options.prices else 'GENAI_OTEL_PRICES'}: {error}") from error


def _window(options: argparse.Namespace, now: float) -> Window:
    """What is looked at; a server is not asked for all that it ever had."""
    if options.last is not None and options.since is not None:
        raise Problem("--last and --since both say where the period begins: give one of them")
    until = options.until
    if until is None and (options.last is not None or is_url(options.source[0])):
        until = now
    since = options.since
    if since is None and until is not None:
        last = options.last or (_DAY if is_url(options.source[0]) else None)
        since = None if last is None else until - last
    window = Window(since or 0.0, math.inf if until is None else until, options.service, tuple(options.by))
    if window.since >= window.until:
        raise Problem("the period ends before it begins")
    return window


def _history(options: argparse.Namespace, report: Report) -> History | None:
    """What fired in the period that was asked for, else in that of the calls."""
    if options.prometheus is None:
        return None
    if not is_url(options.prometheus):
        raise Problem(f"{options.prometheus} is no address of a Prometheus, as http://localhost:9090 is")
    since, until = report.window.since, report.window.until
    start = since or report.start
    end = until if math.isfinite(until) else report.end
    if not math.isfinite(start) or start >= end:
        raise Problem("there are no calls whose time could be asked for: give --since and --until")
    return history(options.prometheus, start, end, options.alerts)


@contextlib.contextmanager
def _seldom_collecting() -> Generator[None]:
    """Documents hold no rings; to look for some each time that a few hundred objects are new takes half of the time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def _silent() -> Generator[None]:
    """What a program is told of prices that nobody knows stands on the page."""
    logger = logging.getLogger("genai_otel")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _write(text: str, output: str) -> None:
    if output == "-":
        stream: TextIO = sys.stdout
        stream.write(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {output}: {error}") from error
