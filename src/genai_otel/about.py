"""Metrics about ourselves: that we are here, what is open, what went wrong inside and what was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from genai_otel import fence, metrics, safe, semconv
from genai_otel.engine.call import drain, open_calls
from genai_otel.version import __version__

_ACTIVE_LABELS = (semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)
_MAX_ACTIVE = 200


def observe(meter: Meter) -> None:
    """Register the observable instruments.  Their callbacks only read integers, so a collection never waits for us."""
    meter.create_observable_gauge(metrics.INFO, [_info], "1", "genai-otel is active in this process.")
    meter.create_observable_up_down_counter(
        metrics.ACTIVE_OPERATIONS, [_active], "{operation}", "Calls that have begun and not ended."
    )
    meter.create_observable_up_down_counter(
        metrics.ACTIVE_AGENTS, [_agents], "{invocation}", "Invocations of agents that go on, by agent."
    )
    meter.create_observable_counter(
        metrics.INTERNAL_ERRORS, [_errors], "{error}", "Errors inside genai-otel; no call was affected."
    )
    meter.create_observable_counter(
        metrics.DROPPED, [_dropped], "{item}", "Telemetry that was lost, and why."
    )


def _info(_: CallbackOptions) -> Iterable[Observation]:
    yield Observation(1, {"version": __version__})


def _active(_: CallbackOptions) -> Iterable[Observation]:
    drain()
    calls = (call.origin.attributes for call in open_calls() if not call.is_step)
    return _counted(calls, _ACTIVE_LABELS, _seen)


def _agents(_: CallbackOptions) -> Iterable[Observation]:
    drain()
    said = (call.attributes for call in open_calls())
    agents = (each for each in said if each.get(semconv.OPERATION_NAME) == semconv.INVOKE_AGENT)
    return _counted(agents, (semconv.AGENT_NAME,), _seen_agents)


_Seen = dict[tuple[object, ...], int]
_seen: _Seen = {}
_seen_agents: _Seen = {}


def _counted(
    open_now: Iterable[Mapping[str, object]], names: Sequence[str], seen: _Seen
) -> Iterable[Observation]:
    count = Counter(tuple(map(each.get, names)) for each in open_now)
    seen.update(dict.fromkeys(count, 0) if len(seen) < _MAX_ACTIVE else {})
    for key in seen:  # a label set that was seen once goes back to 0 instead of vanishing
        labels = {
            name: safe.label(value) for name, value in zip(names, key, strict=True) if value is not None
        }
        yield Observation(count[key], labels)


def _errors(_: CallbackOptions) -> Iterable[Observation]:
    for component, number in fence.errors().items():
        yield Observation(number, {semconv.COMPONENT: component})


def _dropped(_: CallbackOptions) -> Iterable[Observation]:
    for (signal, reason), number in fence.drops().items():
        yield Observation(number, {"signal": signal, "reason": reason})
