"""What the span of a model server's own request says in numbers: names of the server, never the client's.

A server's tokens were counted by the client that asked for them; its times are its own.
"""

from __future__ import annotations

from genai_otel import semconv
from genai_otel.processing.measure import LABELS, Ended, Measurement


def measure_server(ended: Ended) -> list[Measurement]:
    """The measurements of one ended span of kind SERVER of an inference."""
    get = (ended.attributes or {}).get
    failed = tuple(map(get, LABELS))
    if failed[0] not in semconv.INFERENCE:
        return []
    seconds = ((ended.end_time or 0) - (ended.start_time or 0)) / 1e9
    found: list[Measurement] = [(seconds, (semconv.SERVER_REQUEST_DURATION, failed, None))]
    first = get(semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
    if type(first) is not float or not 0 <= first <= seconds or failed[-1] is not None:
        return found
    found.append((first, (semconv.SERVER_TIME_TO_FIRST_TOKEN, failed, None)))
    tokens = get(semconv.USAGE_OUTPUT_TOKENS)
    if type(tokens) is int and tokens > 1:
        found.append(((seconds - first) / (tokens - 1), (semconv.SERVER_TIME_PER_OUTPUT_TOKEN, failed, None)))
    return found
