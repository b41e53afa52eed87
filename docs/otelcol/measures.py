"""40-measure.yaml: the metrics of :mod:`genai_otel.metrics`, derived from spans that no process has measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from genai_otel import metrics, semconv
from genai_otel.context_keys import OWNED_STATE
from genai_otel.metrics import Instrument
from genai_otel.processing.dialects.dialect import Dialect
from genai_otel.processing.dialects.translate import DIALECTS
from otelcol.ottl import NOT_OURS, alternatives, of, put, scalar, text

TEMPLATE: Final = """\
# Metrics of calls that no process has measured: of services in other languages, or with other tracers.  They have the
# names and labels of those that genai-otel reports itself, so that one rule and one panel is for all.
#
# One call is one count: what genai-otel has measured says so (`genai_otel.measured`, or the distribution's name), spans
# of servers are not those of clients, and a call that is counted upstream says it in its trace state.  Two tracers in a
# process without genai-otel are two counts: name the scopes of one in GENAI_OTEL_UNMEASURED_SCOPES (a pattern).
# GenAI metrics that such a service reports itself are dropped, because its spans are measured; to keep them instead,
# GENAI_OTEL_FOREIGN_METRICS=keep.
#
# Written by `make docs` from src/genai_otel/metrics.py.  Change that.
processors:
  filter/measure:
    error_mode: propagate
    trace_conditions:
%(unmeasured)s
  # A moment that tells of a stream at its end says how long it took.  Of the others only what is read goes on.
  transform/measure:
    error_mode: silent
    trace_statements:
%(moments)s
%(kept)s
      - set(span.status.message, "")
  filter/measured_twice:
    error_mode: propagate
    metric_conditions:
%(twice)s

connectors:
  forward/measure: {}
  signal_to_metrics:
    error_mode: ignore
    spans:
%(spans)s
"""


class Derived(NamedTuple):
    """A metric of spans: where it is made, the value, and what of it is said by no attribute."""

    instrument: Instrument
    labels: Sequence[str]
    conditions: Sequence[str]
    value: str
    constant: tuple[str, str] | None = None


_OPERATION: Final = of(semconv.OPERATION_NAME)
_SECONDS: Final = "Seconds(span.end_time - span.start_time)"
_SERVES: Final = " or ".join(
    f"({' and '.join(f'{of(name)} != nil' for name in sorted({mark, *dialect.within}))})"
    for dialect in DIALECTS
    if dialect.serves
    for mark in sorted(dialect.marks)
)
_SERVER: Final = f"(span.kind == SPAN_KIND_SERVER or {_SERVES})"
_CLIENT: Final = f"not {_SERVER}"
_UNFAILED: Final = f"{of(semconv.ERROR_TYPE)} == nil"
_WHO: Final = metrics.LABELS[:-1]  # all but how it failed


def document() -> str:
    """The whole file."""
    return TEMPLATE % {
        "unmeasured": _items(_unmeasured()),
        "moments": _items(_moments()),
        "kept": _items([f"keep_matching_keys(span.attributes, {text(alternatives(_read()))})"]),
        "twice": _items([_twice()]),
        "spans": "\n".join(line for each in _derived() for line in _metric(each)),
    }


def _items(values: Iterable[str]) -> str:
    return "\n".join(f"      - {scalar(value)}" for value in values)


def _operations(operations: frozenset[str]) -> str:
    return f"IsMatch({_OPERATION}, {text(alternatives(operations))})"


def _derived() -> Iterator[Derived]:
    calls = (_operations(semconv.MODEL_OPERATIONS), _CLIENT)
    yield Derived(metrics.OPERATION_DURATION, metrics.LABELS, calls, _SECONDS)
    for name, kind in ((semconv.USAGE_INPUT_TOKENS, "input"), (semconv.USAGE_OUTPUT_TOKENS, "output")):
        counted = (*calls, f"IsInt({of(name)})", f"{of(name)} >= 0")
        yield Derived(metrics.TOKEN_USAGE, _WHO, counted, f"Double({of(name)})", (semconv.TOKEN_TYPE, kind))
    for name, instrument in (
        (semconv.RESPONSE_TIME_TO_FIRST_CHUNK, metrics.OPERATION_TIME_TO_FIRST_CHUNK),
        (semconv.STREAM_TIME_PER_CHUNK, metrics.OPERATION_TIME_PER_OUTPUT_CHUNK),
    ):
        yield Derived(instrument, _WHO, (*calls, f"{of(name)} >= 0.0"), f"Double({of(name)})")
    yield from _of_steps()
    yield from _of_servers()


def _of_steps() -> Iterator[Derived]:
    retrieval = (f"{_OPERATION} == {text(semconv.RETRIEVAL)}", _CLIENT)
    yield Derived(metrics.OPERATION_DURATION, metrics.LABELS, retrieval, _SECONDS)
    for operation, instrument in (
        (semconv.INVOKE_WORKFLOW, metrics.INVOKE_WORKFLOW_DURATION),
        (semconv.INVOKE_AGENT, metrics.INVOKE_AGENT_DURATION),
        (semconv.EXECUTE_TOOL, metrics.EXECUTE_TOOL_DURATION),
    ):
        yield Derived(
            instrument, instrument.labels, (f"{_OPERATION} == {text(operation)}", _CLIENT), _SECONDS
        )


def _of_servers() -> Iterator[Derived]:
    requests = (_operations(semconv.INFERENCE), _SERVER)
    first, tokens = of(semconv.RESPONSE_TIME_TO_FIRST_CHUNK), of(semconv.USAGE_OUTPUT_TOKENS)
    answered = (*requests, _UNFAILED, f"IsDouble({first})", f"{first} >= 0.0", f"{first} <= {_SECONDS}")
    yield Derived(metrics.SERVER_REQUEST_DURATION, metrics.LABELS, requests, _SECONDS)
    yield Derived(metrics.SERVER_TIME_TO_FIRST_TOKEN, _WHO, answered, first)
    per_token = f"({_SECONDS} - {first}) / Double({tokens} - 1)"
    several = (*answered, f"IsInt({tokens})", f"{tokens} > 1")
    yield Derived(metrics.SERVER_TIME_PER_OUTPUT_TOKEN, _WHO, several, per_token)


def _unmeasured() -> Iterator[str]:
    """Which spans are not measured here."""
    key, value = OWNED_STATE
    yield f"not ({NOT_OURS})"
    yield f"{_OPERATION} == nil"
    yield f"scope.name == {text(semconv.SCOPE)}"
    yield f"span.trace_state[{text(key)}] == {text(value)}"
    yield 'IsMatch(scope.name, "${env:GENAI_OTEL_UNMEASURED_SCOPES:-no such scope}")'
    yield from _parts()


def _moments() -> Iterator[str]:
    for dialect in DIALECTS:
        if dialect.seconds is not None:
            seconds = of(dialect.seconds)
            begins = f"span.end_time_unix_nano - Int({seconds} * 1000000000.0)"
            known = f"IsDouble({seconds}) and {seconds} >= 0.0"
            yield put("span.start_time_unix_nano", begins, known, f"({_marks(dialect)})")


def _twice() -> str:
    """Metrics of calls whose spans are measured here."""
    ours_not = f'resource.attributes["telemetry.distro.name"] != "genai-otel" and scope.name != {text(semconv.SCOPE)}'
    dropped = '"${env:GENAI_OTEL_FOREIGN_METRICS:-drop}" != "keep"'
    return f"IsMatch(metric.name, {text(_names())}) and {ours_not} and {dropped}"


def _marks(dialect: Dialect) -> str:
    return " or ".join(f"{of(mark)} != nil" for mark in sorted(dialect.marks))


def _parts() -> Iterator[str]:
    """Spans that only say that a stream has begun."""
    for dialect in DIALECTS:
        if dialect.whole:
            lacks = " and ".join(f"{of(name)} == nil" for name in sorted(dialect.whole))
            yield f"({_marks(dialect)}) and {lacks} and span.status.code != STATUS_CODE_ERROR"


def _read() -> set[str]:
    """The attributes that are labels, values or conditions."""
    marks = {name for dialect in DIALECTS if dialect.serves for name in (*dialect.marks, *dialect.within)}
    values = {
        semconv.USAGE_INPUT_TOKENS,
        semconv.USAGE_OUTPUT_TOKENS,
        semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
        semconv.STREAM_TIME_PER_CHUNK,
        semconv.OPERATION_NAME,
    }
    return marks | values | {label for each in _derived() for label in each.labels}


def _names() -> str:
    return alternatives(
        {each.instrument.name for each in _derived()} | {each.name for each in metrics.LATEST}
    )


_RESOURCE: Final = ("service.name", "service.namespace", "service.version", "deployment.environment.name")


def _metric(derived: Derived) -> Iterator[str]:
    instrument = derived.instrument
    yield f"      - name: {instrument.name}"
    yield f"        description: {scalar(instrument.description)}"
    yield f"        unit: {scalar(instrument.unit)}"
    yield "        include_resource_attributes:"
    yield from (f"          - {{key: {name}, optional: true}}" for name in _RESOURCE)
    yield "        attributes:"
    yield from (f"          - {{key: {label}, optional: true}}" for label in derived.labels)
    if derived.constant is not None:
        yield "          - {{key: {}, default_value: {}}}".format(*derived.constant)
    yield f"        conditions: [{scalar(' and '.join(derived.conditions))}]"
    yield "        histogram:"
    yield f"          buckets: {[round(bound, 4) for bound in instrument.buckets or ()]}"
    yield "          count: Int(AdjustedCount())"
    yield f"          value: {scalar(derived.value)}"
