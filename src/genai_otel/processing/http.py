"""``http.server.request.duration`` from the SERVER span of whoever traces the web framework.

An instrumentation's own metric cannot have labels of the program's, which says them in the middle of the request; its
span can.  Measured only where the user allows such labels, in place of the instrumentation's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import SpanKind

from genai_otel import metrics, semconv
from genai_otel.processing.measure import Measure, Measurement, Values


def _of(values: Values, seconds: float) -> list[Measurement]:
    return [(seconds, (metrics.HTTP_SERVER_DURATION, tuple(values), None))]


HTTP: Final = Measure(metrics.HTTP_LABELS, _of)


def serves_http(kind: SpanKind | None, attributes: Mapping[str, Any] | None) -> bool:
    """Whether a span with these attributes is that of an HTTP request that this process serves."""
    return kind is SpanKind.SERVER and attributes is not None and semconv.HTTP_METHOD in attributes
