"""From sources to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel.report import jaeger, otlp
from genai_otel.report.asking import is_url
from genai_otel.report.problem import Problem
from genai_otel.report.report import Report
from genai_otel.report.sources import Document, Reading, documents, files
from genai_otel.report.traces import Trace, Traces, owned
from genai_otel.report.unpriced import Prices

Progress = Callable[[Reading, int], None]
"""Is told how far reading is, and how many spans were read, after every document."""


def read(sources: Sequence[str], report: Report, *, content: bool, progress: Progress) -> Reading:
    """Read files, or a Jaeger, into a report.

    :raises Problem: nothing can be read, or nothing of it is of GenAI.
    """
    reading = Reading()
    if not any(map(is_url, sources)):
        found = _of_files(sources, report, reading, content=content)
    elif len(sources) == 1:
        found = jaeger.traces(sources[0], report.window, reading, content=content)
    else:
        raise Problem("an address is read alone, without further sources")
    spans = 0
    traces = Traces(prices=report.prices)
    for each in found:
        spans += len(each)
        for trace in _whole(each, report.prices) if is_url(sources[0]) else traces.add(each):
            report.add(trace)
        progress(reading, spans)
    for trace in traces.rest():
        report.add(trace)
    report.close(traces.split)
    _check(report, reading, spans)
    return reading


def _whole(spans: list[ReadableSpan], prices: Prices) -> Iterator[Trace]:
    """Jaeger gives traces, which need not wait for more."""
    if spans and spans[0].context:
        yield owned(Trace(spans[0].context.trace_id, spans), prices)


def _of_files(
    sources: Sequence[str], report: Report, reading: Reading, *, content: bool
) -> Iterator[list[ReadableSpan]]:
    for name, line, document in documents(files(sources), reading):
        try:
            yield _take(document, report, content=content)
        except otlp.Malformed as error:
            reading.refuse(name, line, str(error))


def _take(document: Document, report: Report, *, content: bool) -> list[ReadableSpan]:
    """The spans of a document; what else it says is counted at once."""
    if jaeger.TRACES in document:
        return list(jaeger.spans(document, content=content))
    if otlp.SPANS not in document and otlp.LOGS not in document:
        document = otlp.camel(document)
    if otlp.LOGS in document:
        for result in otlp.evaluations(document):
            report.evaluate(result)
    elif otlp.SPANS not in document:
        if otlp.METRICS in document:
            return []
        raise otlp.Malformed("no OTLP: neither spans nor logs")
    return list(otlp.spans(document, content=content)) if otlp.SPANS in document else []


def _check(report: Report, reading: Reading, spans: int) -> None:
    where = ", ".join(reading.names[:3]) + (" ..." if len(reading.names) > 3 else "")
    if not reading.lines:
        raise Problem(f"{where} is empty")
    if not spans:
        first = f": {reading.named[0]}" if reading.named else ""
        raise Problem(f"{where} has no spans{first}")
    if not report.traces:
        raise Problem(
            f"none of the {spans:,} spans in {where} is of a model call, an agent or a tool in this window"
        )
