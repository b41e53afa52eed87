"""What a call's end says in numbers: an ended call or span in, measurements out, and nothing else.

This is the only producer of GenAI metrics.  It is pure: it reads a span's own times and attributes, so a metric
equals what its span says, whoever made the span and whether or not it was sampled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from genai_otel import semconv
from genai_otel.semconv import Instrument

Identity = tuple[object, ...]
"""Values of :data:`LABELS`, None where the span does not say."""

Extra = tuple[str, str] | None
"""One further label with its value, such as the token type."""

Key = tuple[Instrument, Identity, Extra]
"""What a measurement belongs to: equal keys are one series."""

Measurement = tuple[float, Key]

LABELS: Final = (
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.RESPONSE_MODEL,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)
"""The closed set of label keys.  Nothing that a user or a model writes freely is among them."""

_INPUT: Final = (semconv.TOKEN_TYPE, "input")
_OUTPUT: Final = (semconv.TOKEN_TYPE, "output")
_MODALITIES: Final = (
    ("text", semconv.USAGE_TEXT_INPUT_TOKENS, semconv.USAGE_TEXT_OUTPUT_TOKENS),
    ("image", semconv.USAGE_IMAGE_INPUT_TOKENS, semconv.USAGE_IMAGE_OUTPUT_TOKENS),
    ("audio", semconv.USAGE_AUDIO_INPUT_TOKENS, semconv.USAGE_AUDIO_OUTPUT_TOKENS),
)
_SUBSETS: Final = (
    (semconv.INFERENCE_CACHE_READ_TOKENS, semconv.USAGE_CACHE_READ_INPUT_TOKENS),
    (semconv.INFERENCE_CACHE_WRITE_TOKENS, semconv.USAGE_CACHE_WRITE_INPUT_TOKENS),
    (semconv.INFERENCE_REASONING_TOKENS, semconv.USAGE_REASONING_OUTPUT_TOKENS),
)
_TIMES: Final = (
    (
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
        semconv.OPERATION_TIME_TO_FIRST_CHUNK,
        semconv.INFERENCE_TIME_TO_FIRST_CHUNK,
    ),
    (
        semconv.STREAM_TIME_PER_CHUNK,
        semconv.OPERATION_TIME_PER_OUTPUT_CHUNK,
        semconv.INFERENCE_TIME_PER_OUTPUT_CHUNK,
    ),
)
_FOREVER: Final = 1e12  # seconds; more is no time
_FINISH_ERROR: Final = (semconv.FINISH_REASON, "error")
_FINISH: Final[dict[object, Extra]] = {
    reason: (semconv.FINISH_REASON, word) for reason, word in semconv.NORMAL_FINISH_REASON.items()
}
_FINISH_OTHER: Final = (semconv.FINISH_REASON, semconv.OTHER)
_UNKNOWN: Final = (semconv.TOKEN_MODALITY, "unknown")
_READ: Final = (
    semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS,
    semconv.RESPONSE_FINISH_REASONS,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
)
# Names of this module's own, because measuring is on the path of every call.
_DURATION: Final = semconv.OPERATION_DURATION
_TOKENS: Final = semconv.TOKEN_USAGE
_REASONS: Final = semconv.FINISH_REASONS
_INFERENCE: Final = semconv.INFERENCE
_MAX: Final = 2**63 - 1


class Ended(Protocol):
    """An ended span, of the SDK or of our engine.  Times are nanoseconds since the epoch."""

    @property
    def attributes(self) -> Mapping[str, Any] | None: ...
    @property
    def start_time(self) -> int | None: ...
    @property
    def end_time(self) -> int | None: ...


def measure(ended: Ended, *, stable: bool = True, latest: bool = False) -> list[Measurement]:
    """The measurements of one owning span of a model operation.

    ``stable`` and ``latest`` are the two generations of metric names; with both, a name that they share is recorded
    once.  What the span does not report is not measured.
    """
    attributes = ended.attributes or {}
    get = attributes.get
    # map() over fixed names is the cheapest way to read them: one call instead of a dozen.
    failed: Identity = tuple(map(get, LABELS))
    read: Iterator[Any] = map(get, _READ)
    tokens_in, tokens_out, reasons, first = read
    error = failed[-1]
    identity = failed if error is None else (*failed[:-1], None)
    seconds = ((ended.end_time or 0) - (ended.start_time or 0)) / 1e9
    inference = failed[0] in _INFERENCE
    found: list[Measurement] = []
    if stable or not inference:
        found = [(seconds, (_DURATION, failed, None))]
    if stable:
        if tokens_in.__class__ is int and 0 <= tokens_in <= _MAX:
            found.append((tokens_in, (_TOKENS, identity, _INPUT)))
        if tokens_out.__class__ is int and 0 <= tokens_out <= _MAX:
            found.append((tokens_out, (_TOKENS, identity, _OUTPUT)))
    if latest and inference:
        _latest(found, get, seconds, identity, failed)
    if reasons:
        for reason in reasons:
            found.append((1, (_REASONS, identity, _FINISH.get(reason) or _finish_reason(reason))))
    elif error is not None:
        found.append((1, (_REASONS, identity, _FINISH_ERROR)))
    if first is not None:
        _stream(found, get, identity, stable=stable or not inference, latest=latest and inference)
    return found


def _stream(found: list[Measurement], get: Any, identity: Identity, *, stable: bool, latest: bool) -> None:
    for name, in_stable, in_latest in _TIMES:
        seconds = get(name)
        if not isinstance(seconds, (int, float)) or not 0 <= seconds < _FOREVER:
            continue
        if stable:
            found.append((seconds, (in_stable, identity, None)))
        if latest:
            found.append((seconds, (in_latest, identity, None)))


def _latest(found: list[Measurement], get: Any, seconds: float, identity: Identity, failed: Identity) -> None:
    found.append((seconds, (semconv.INFERENCE_DURATION, failed, None)))
    for index, (total, histogram, name) in enumerate(
        (
            (semconv.INFERENCE_INPUT_TOKENS, semconv.INFERENCE_OPERATION_INPUT, semconv.USAGE_INPUT_TOKENS),
            (
                semconv.INFERENCE_OUTPUT_TOKENS,
                semconv.INFERENCE_OPERATION_OUTPUT,
                semconv.USAGE_OUTPUT_TOKENS,
            ),
        ),
        1,
    ):
        tokens = get(name)
        if not _is_count(tokens):
            continue
        found.append((tokens, (histogram, failed, None)))
        known = 0
        for modality in _MODALITIES:
            part = get(modality[index])
            if _is_count(part) and part:
                known += part
                found.append((part, (total, identity, (semconv.TOKEN_MODALITY, modality[0]))))
        if tokens > known or not known:
            found.append((max(tokens - known, 0), (total, identity, _UNKNOWN)))
    for counter, name in _SUBSETS:
        part = get(name)
        if _is_count(part):
            found.append((part, (counter, identity, _UNKNOWN)))


def _finish_reason(reason: object) -> Extra:
    return _FINISH.get(reason.lower(), _FINISH_OTHER) if isinstance(reason, str) else _FINISH_OTHER


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX
