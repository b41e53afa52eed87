"""Metrics about ourselves: that we are here, what is open, what went wrong inside and what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from genai_otel import fence, metrics, safe, semconv
from genai_otel.engine.call import Call, drain, open_calls
from genai_otel.version import __version__

_MAX_ACTIVE = 1_000


def observe(meter: Meter, allowed: Allowed | None = None) -> None:
    """Register the observable instruments.  Their callbacks only read integers, so a collection never waits for us.

    What is open has the labels that the user has ``allowed`` beside those of its kind.
    """
    meter.create_observable_gauge(metrics.INFO, [_info], "1", "genai-otel is active in this process.")
    for instrument, names, of_kind, unit, description in _OPEN:
        observed = _Open(names, of_kind, allowed)
        meter.create_observable_up_down_counter(instrument, [observed], unit, description)
    meter.create_observable_counter(
        metrics.INTERNAL_ERRORS, [_errors], "{error}", "Errors inside genai-otel; no call was affected."
    )
    meter.create_observable_counter(
        metrics.DROPPED, [_dropped], "{item}", "Telemetry that was lost, and why."
    )


def _info(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(1, {"version": __version__})


class Allowed(Protocol):
    """Attributes that the user allows as labels, and of their values name, value, name, value …"""

    names: tuple[str, ...]

    def labels(self, values: tuple[Any, ...]) -> tuple[str, ...]: ...


class _Open:
    """How many calls of a kind have begun and not ended, by the values of ``names`` and what is ``allowed`` beside."""

    def __init__(
        self, names: tuple[str, ...], of_kind: Callable[[Call], bool], allowed: Allowed | None
    ) -> None:
        self._names = names
        self._of_kind = of_kind
        self._allowed = allowed
        self._seen: dict[tuple[str, ...], int] = {}

    def __call__(self, _: CallbackOptions) -> Iterable[Observation]:
        drain()
        said = (call.attributes for call in open_calls() if self._of_kind(call))
        count = Counter(map(self._labels, said))
        self._seen.update(dict.fromkeys(count, 0) if len(self._seen) < _MAX_ACTIVE else {})
        for key in self._seen:  # a label set that was seen once goes back to 0 instead of vanishing
            yield Observation(count[key], dict(zip(key[::2], key[1::2], strict=True)))

    def _labels(self, said: Mapping[str, Any]) -> tuple[str, ...]:
        found: list[str] = []
        for name in self._names:
            if (value := said.get(name)) is not None:
                found += (name, safe.label(value))
        if self._allowed is not None:
            found += self._allowed.labels(tuple(map(said.get, self._allowed.names)))
        return tuple(found)


_MODEL = (semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
_OPEN: tuple[tuple[str, tuple[str, ...], Callable[[Call], bool], str, str], ...] = (
    (
        metrics.ACTIVE_OPERATIONS,
        _MODEL,
        lambda call: not call.is_step,
        "{operation}",
        "Calls that have begun and not ended.",
    ),
    (
        metrics.ACTIVE_AGENTS,
        (semconv.AGENT_NAME,),
        lambda call: call.attributes.get(semconv.OPERATION_NAME) == semconv.INVOKE_AGENT,
        "{invocation}",
        "Invocations of agents that go on, by agent.",
    ),
    (
        metrics.SERVER_ACTIVE_REQUESTS,
        _MODEL,
        lambda call: call.serves,
        "{request}",
        "Requests that this model server has and has not answered, those that wait included.",
    ),
    (
        metrics.SERVER_QUEUE_LENGTH,
        _MODEL,
        lambda call: call.waits,
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
