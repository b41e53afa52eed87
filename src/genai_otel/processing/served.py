"""What the span of a model server's own request says in numbers: names of the server, never the client's.

A server's tokens were counted by the client that asked for them; its times are its own.
"""

from __future__ import annotations

from typing import Final

from genai_otel import metrics, semconv
from genai_otel.metrics import LABELS
from genai_otel.processing.measure import Measure, Measurement, Values

_UNWANTED: Final = ("cancelled", "abandoned")
"""No errors of the server's, but no answers either: the label tells such requests from answered ones."""


def _of(values: Values, seconds: float) -> list[Measurement]:
    *labels, first, tokens, outcome, queued = values
    if labels[0] not in semconv.INFERENCE:
        return []
    identity = (*labels[:-1], None)
    failed = (*labels[:-1], outcome) if labels[-1] is None and outcome in _UNWANTED else tuple(labels)
    found: list[Measurement] = [(seconds, (metrics.SERVER_REQUEST_DURATION, failed, None))]
    if type(queued) is float and 0 <= queued <= seconds:
        found.append((queued, (metrics.SERVER_QUEUE_TIME, identity, None)))
    if type(first) is not float or not 0 <= first <= seconds or failed[-1] is not None:
        return found
    found.append((first, (metrics.SERVER_TIME_TO_FIRST_TOKEN, failed, None)))
    if type(tokens) is int and tokens > 1:
        found.append(((seconds - first) / (tokens - 1), (metrics.SERVER_TIME_PER_OUTPUT_TOKEN, failed, None)))
    return found


SERVER: Final = Measure(
    (
        *LABELS,
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
        semconv.USAGE_OUTPUT_TOKENS,
        semconv.OUTCOME,
        semconv.SERVER_QUEUE_TIME,
    ),
    _of,
)
"""How one span of kind SERVER of an inference is measured."""
