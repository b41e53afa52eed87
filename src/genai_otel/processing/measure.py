"""What a call's end says in numbers: an ended call or span in, measurements out, and nothing else.

This is the only producer of GenAI metrics.  It is pure: it reads a span's own times and attributes, so a metric
equals what its span says, whoever made the span and whether or not it was sampled.  Reading is done when the span ends,
and costs little; what was read is measured when somebody wants to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from opentelemetry.trace import SpanContext

from genai_otel import metrics, semconv
from genai_otel.metrics import LABELS, Instrument
from genai_otel.prices.pricer import Price, Priced, Pricer
from genai_otel.prices.usage import NAMES
from genai_otel.processing.costs import counted, spent

Identity = tuple[object, ...]
"""Values of an instrument's labels, None where the span does not say."""

Extra = tuple[str, ...] | None
"""Further labels: name, value, name, value …, such as the token type."""

Key = tuple[Instrument, Identity, Extra]
"""What a measurement belongs to: equal keys are one series."""

Measurement = tuple[float, Key]

Values = tuple[Any, ...]
"""Values of attributes, None where the span does not say."""


class Measure(NamedTuple):
    """One kind of measuring: the attributes that are read, and what their values and the seconds say."""

    names: tuple[str, ...]
    of: Callable[[Values, float], list[Measurement]]
    cost: Callable[[Values, Price], list[Measurement]] | None = None
    """What the values and a price say of the cost."""
    pricer: Pricer | None = None
    """Who knows the price."""
    note: Callable[[float, Any, SpanContext], None] | None = None
    """Is told of what a call cost in US dollars, its tenant and its context."""
    used: int = 0
    """The place among the names where those begin that a price depends on; that of the tenant is before."""

    @property
    def readers(self) -> dict[str, Any]:
        """The functions, by their fields."""
        return {"of": self.of} if self.cost is None else {"of": self.of, "cost": self.cost}


Reading: TypeAlias = "list[Any]"
"""What was read of one span: ``[measure, values, start, end]``, the times in nanoseconds since the epoch.

Who needs the price first adds it: the span that leaves and the metric that counts it have one figure.
"""

_INPUT: Final = (semconv.TOKEN_TYPE, "input")
_OUTPUT: Final = (semconv.TOKEN_TYPE, "output")
_MODALITIES: Final = (
    ("text", semconv.USAGE_TEXT_INPUT_TOKENS, semconv.USAGE_TEXT_OUTPUT_TOKENS),
    ("image", semconv.USAGE_IMAGE_INPUT_TOKENS, semconv.USAGE_IMAGE_OUTPUT_TOKENS),
    ("audio", semconv.USAGE_AUDIO_INPUT_TOKENS, semconv.USAGE_AUDIO_OUTPUT_TOKENS),
)
_SUBSETS: Final = (
    (metrics.INFERENCE_CACHE_READ_TOKENS, semconv.USAGE_CACHE_READ_INPUT_TOKENS),
    (metrics.INFERENCE_CACHE_WRITE_TOKENS, semconv.USAGE_CACHE_WRITE_INPUT_TOKENS),
    (metrics.INFERENCE_REASONING_TOKENS, semconv.USAGE_REASONING_OUTPUT_TOKENS),
)
_TIMES: Final = (
    (
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
        metrics.OPERATION_TIME_TO_FIRST_CHUNK,
        metrics.INFERENCE_TIME_TO_FIRST_CHUNK,
    ),
    (
        semconv.STREAM_TIME_PER_CHUNK,
        metrics.OPERATION_TIME_PER_OUTPUT_CHUNK,
        metrics.INFERENCE_TIME_PER_OUTPUT_CHUNK,
    ),
)
_DIRECTIONS: Final = (
    (metrics.INFERENCE_INPUT_TOKENS, metrics.INFERENCE_OPERATION_INPUT),
    (metrics.INFERENCE_OUTPUT_TOKENS, metrics.INFERENCE_OPERATION_OUTPUT),
)
_FOREVER: Final = 1e12  # seconds; more is no time
_FINISH: Final[dict[object, Extra]] = {
    reason: (semconv.FINISH_REASON, word) for reason, word in semconv.NORMAL_FINISH_REASON.items()
}
_COMPLETED: Final[semconv.Outcome] = "completed"
_ENDS: Final[dict[object, Extra]] = {
    end: (semconv.OUTCOME, end) for end in ("closed", "abandoned", "cancelled")
}
"""Where the program did not read to the end; what failed has the type of its error."""
_REFUSED: Final = (semconv.FINISH_REASON, "refusal")
_READABLE: Final = (("stop",), ("length",))
"""Reasons after which there should be a text."""
_FINISH_OTHER: Final = (semconv.FINISH_REASON, semconv.OTHER)
_UNKNOWN: Final = (semconv.TOKEN_MODALITY, "unknown")
# Names of this module's own, because every call is measured.
_DURATION: Final = metrics.OPERATION_DURATION
_TOKENS: Final = metrics.TOKEN_USAGE
_REASONS: Final = metrics.FINISH_REASONS
_INFERENCE: Final = semconv.INFERENCE
_MAX: Final = 2**63 - 1

_LABELS: Final = len(LABELS)
_PRICED: Final = len(NAMES)
_STABLE: Final = (
    *LABELS,
    semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS,
    semconv.RESPONSE_FINISH_REASONS,
    semconv.REFUSED,
    semconv.OUTCOME,
    semconv.USAGE_REASONING_OUTPUT_TOKENS,
    *(name for name, _, _ in _TIMES),
)
_LATEST: Final = (
    *(name for _, *names in _MODALITIES for name in names),
    *(name for _, name in _SUBSETS),
)


def client(*, stable: bool = True, latest: bool = False, pricer: Pricer | None = None) -> Measure:
    """How one owning span of a model operation is measured.

    ``stable`` and ``latest`` are the two generations of metric names; with both, a name that they share is recorded
    once.  What the span does not report is not measured.  ``pricer`` says what it cost.
    """
    names = (*_STABLE, *_LATEST) if latest else _STABLE
    of = partial(_of, stable=stable, latest=latest)
    if pricer is None:
        return Measure(names, of)
    return Measure((*names, semconv.TENANT, *NAMES), of, counted, pricer, used=len(names) + 1)


def _of(values: Values, seconds: float, *, stable: bool, latest: bool) -> list[Measurement]:
    failed: Identity = values[:_LABELS]
    tokens_in, tokens_out, reasons, refused, outcome, thought, *times = values[_LABELS : len(_STABLE)]
    error = failed[-1]
    identity = failed if error is None else (*failed[:-1], None)
    in_latest = latest and failed[0] in _INFERENCE
    in_stable = stable or failed[0] not in _INFERENCE
    found: list[Measurement] = [(seconds, (_DURATION, failed, None))] if in_stable else []
    if stable:
        for count, kind in ((tokens_in, _INPUT), (tokens_out, _OUTPUT)):
            if _is_count(count):
                found.append((count, (_TOKENS, identity, kind)))
    if in_latest:
        parts = dict(zip(_LATEST, values[len(_STABLE) :], strict=False))
        found.append((seconds, (metrics.INFERENCE_DURATION, failed, None)))
        _latest(found, parts, (tokens_in, tokens_out), identity, failed)
    for reason in reasons or (() if error is None else ("error",)):
        found.append((1, (_REASONS, identity, _FINISH.get(reason) or _finish_reason(reason))))
    if refused and reasons:
        found[-1] = (1, (_REASONS, identity, _REFUSED))
    if tokens_out in (0, thought) and _is_empty(tokens_out, reasons, error):
        found.append((1, (metrics.EMPTY_ANSWERS, identity, None)))
    if outcome is not _COMPLETED:
        _incomplete(found, identity, outcome)
    if times[0] is not None:
        _stream(found, times, identity, in_stable=in_stable, in_latest=in_latest)
    return found


def _stream(
    found: list[Measurement], times: list[Any], identity: Identity, *, in_stable: bool, in_latest: bool
) -> None:
    for time, (_, stable, latest) in zip(times, _TIMES, strict=True):
        if isinstance(time, (int, float)) and 0 <= time < _FOREVER:
            if in_stable:
                found.append((time, (stable, identity, None)))
            if in_latest:
                found.append((time, (latest, identity, None)))


def _incomplete(found: list[Measurement], identity: Identity, outcome: object) -> None:
    """What another library's span says of its end is not known; an equal text need not be the same."""
    if outcome in _ENDS:
        found.append((1, (metrics.INCOMPLETE, identity, _ENDS[outcome])))


def _latest(
    found: list[Measurement],
    parts: Mapping[str, Any],
    tokens: tuple[Any, Any],
    identity: Identity,
    failed: Identity,
) -> None:
    for direction, (total, histogram) in enumerate(_DIRECTIONS):
        count = tokens[direction]
        if not _is_count(count):
            continue
        found.append((count, (histogram, failed, None)))
        known = 0
        for modality, *names in _MODALITIES:
            part = parts[names[direction]]
            if _is_count(part) and part:
                known += part
                found.append((part, (total, identity, (semconv.TOKEN_MODALITY, modality))))
        if count > known or not known:
            found.append((max(count - known, 0), (total, identity, _UNKNOWN)))
    for counter, name in _SUBSETS:
        part = parts[name]
        if _is_count(part):
            found.append((part, (counter, identity, _UNKNOWN)))


def served(measure: Measure, pricer: Pricer | None) -> Measure:
    """``measure``, of requests that this process serves, with what each cost by the user's own prices."""
    own = None if pricer is None else pricer.own
    if own is None:
        return measure

    def of(values: Values, seconds: float) -> list[Measurement]:
        return measure.of(values[:-_PRICED], seconds)

    def cost(values: Values, priced: Price) -> list[Measurement]:
        found = counted(values, priced) if isinstance(priced, Priced) else []
        return [(part, (metrics.SERVER_COST, who, name)) for part, (_, who, name) in found]

    return Measure((*measure.names, *NAMES), of, cost, own, used=len(measure.names))


class Ended(Protocol):
    """An ended span, of the SDK or of our engine.  Times are nanoseconds since the epoch."""

    @property
    def attributes(self) -> Mapping[str, Any] | None: ...
    @property
    def start_time(self) -> int | None: ...
    @property
    def end_time(self) -> int | None: ...


class Times(NamedTuple):
    """What is measured of a span of another library."""

    attributes: Mapping[str, Any]
    start_time: int | None
    end_time: int | None


class Sink(Protocol):
    """Where readings are measured: our own series, or standard instruments in a MeterProvider of the user's."""

    def record(self, reading: Reading, context: SpanContext) -> None: ...


def read(measure: Measure, ended: Ended) -> Reading:
    """What ``measure`` needs of a span."""
    get = (ended.attributes or {}).get
    return [measure, tuple(map(get, measure.names)), ended.start_time or 0, ended.end_time or 0]


def measured(reading: Reading, context: SpanContext | None = None) -> list[Measurement]:
    """The measurements of a span that was read, and has this context."""
    measure, values, start, end, *_ = reading
    found: list[Measurement] = measure.of(values, (end - start) / 1e9)
    if measure.cost is not None:
        found += measure.cost(values, spent(reading, context))
    return found


def _is_empty(tokens: object, reasons: object, error: object) -> bool:
    """Whether an answer that ended in order, or for lack of room, has no token that anybody could read."""
    return _is_count(tokens) and error is None and reasons in _READABLE


def _finish_reason(reason: object) -> Extra:
    return _FINISH.get(reason.lower(), _FINISH_OTHER) if isinstance(reason, str) else _FINISH_OTHER


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX
