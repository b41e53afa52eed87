"""Metrics about ourselves: that we are here, what is open, what went wrong inside and what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from genai_otel import fence, metrics, safe, semconv
from genai_otel.engine.call import Call, drain, open_calls
from genai_otel.version import __version__

_MAX_ACTIVE = 200


def observe(meter: Meter) -> None:
    """Register the observable instruments.  Their callbacks only read integers, so a collection never waits for us."""
    meter.create_observable_gauge(metrics.INFO, [_info], "1", "genai-otel is active in this process.")
    for name, observed, unit, description in _OPEN:
        meter.create_observable_up_down_counter(name, [observed], unit, description)
    meter.create_observable_counter(
        metrics.INTERNAL_ERRORS, [_errors], "{error}", "Errors inside genai-otel; no call was affected."
    )
    meter.create_observable_counter(
        metrics.DROPPED, [_dropped], "{item}", "Telemetry that was lost, and why."
    )


def _info(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(1, {"version": __version__})


class _Open:
    """How many calls of a kind have begun and not ended, by the values of ``names``."""

    def __init__(self, names: tuple[str, ...], of_kind: Callable[[Call], bool]) -> None:
        self._names = names
        self._of_kind = of_kind
        self._seen: dict[tuple[object, ...], int] = {}

    def __call__(self, _: CallbackOptions) -> Iterable[Observation]:
        drain()
        said = (call.attributes for call in open_calls() if self._of_kind(call))
        count = Counter(tuple(map(each.get, self._names)) for each in said)
        self._seen.update(dict.fromkeys(count, 0) if len(self._seen) < _MAX_ACTIVE else {})
        for key in self._seen:  # a label set that was seen once goes back to 0 instead of vanishing
            pairs = zip(self._names, key, strict=True)
            yield Observation(
                count[key], {name: safe.label(value) for name, value in pairs if value is not None}
            )


_MODEL = (semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
_OPEN: tuple[tuple[str, _Open, str, str], ...] = (
    (
        metrics.ACTIVE_OPERATIONS,
        _Open(_MODEL, lambda call: not call.is_step),
        "{operation}",
        "Calls that have begun and not ended.",
    ),
    (
        metrics.ACTIVE_AGENTS,
        _Open(
            (semconv.AGENT_NAME,),
            lambda call: call.attributes.get(semconv.OPERATION_NAME) == semconv.INVOKE_AGENT,
        ),
        "{invocation}",
        "Invocations of agents that go on, by agent.",
    ),
    (
        metrics.SERVER_ACTIVE_REQUESTS,
        _Open(_MODEL, lambda call: call.serves),
        "{request}",
        "Requests that this model server has and has not answered, those that wait included.",
    ),
    (
        metrics.SERVER_QUEUE_LENGTH,
        _Open(_MODEL, lambda call: call.waits),
        "{request}",
        "Requests that wait for this model server to work on them.",
    ),
)


def _errors(_: CallbackOptions) -> Iterable[Observation]:
    for component, number in fence.errors().items():
        yield Observation(number, {semconv.COMPONENT: component})


def _dropped(_: CallbackOptions) -> Iterable[Observation]:
    for (signal, reason), number in fence.drops().items():
        yield Observation(number, {"signal": signal, "reason": reason})
