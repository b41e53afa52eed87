"""From sources to a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan

from genai_otel.report import otlp
from genai_otel.report.problem import Problem
from genai_otel.report.report import Report
from genai_otel.report.sources import Document, Reading, documents, files
from genai_otel.report.traces import Traces


def from_files(
    names: Sequence[str], report: Report, *, content: bool, progress: Callable[[Reading, int], None]
) -> Reading:
    """Read files of OTLP's JSON lines into a report.  ``progress`` is told of every document.

    :raises Problem: nothing can be read, or nothing of it is of GenAI.
    """
    reading = Reading()
    traces = Traces()
    read = 0
    for name, line, document in documents(files(names), reading):
        try:
            spans = _take(document, report, content=content)
        except otlp.Malformed as error:
            reading.refuse(name, line, str(error))
            continue
        read += len(spans)
        for trace in traces.add(spans):
            report.add(trace)
        progress(reading, read)
    for trace in traces.rest():
        report.add(trace)
    report.close()
    _check(report, reading, read)
    return reading


def _take(document: Document, report: Report, *, content: bool) -> list[ReadableSpan]:
    """The spans of a document; what else it says is counted at once."""
    if otlp.SPANS not in document and otlp.LOGS not in document:
        document = otlp.camel(document)
    if otlp.LOGS in document:
        for result in otlp.evaluations(document):
            report.evaluate(result)
    elif otlp.SPANS not in document:
        if "resourceMetrics" in document:
            return []
        raise otlp.Malformed("no OTLP: neither spans nor logs")
    return list(otlp.spans(document, content=content)) if otlp.SPANS in document else []


def _check(report: Report, reading: Reading, read: int) -> None:
    where = ", ".join(reading.names[:3]) + (" ..." if len(reading.names) > 3 else "")
    if not reading.lines:
        raise Problem(f"{where} is empty")
    if not read:
        first = f": {reading.named[0]}" if reading.named else ""
        raise Problem(f"{where} has no spans{first}")
    if not report.traces:
        raise Problem(
            f"none of the {read:,} spans in {where} is of a model call, an agent or a tool in this window"
        )
