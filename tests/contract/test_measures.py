"""Our own series say what the SDK's instruments say of the same calls, within the same bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from genai_otel import semconv
from genai_otel.metrics import LABELS, Instrument
from genai_otel.processing.collect import attach
from genai_otel.processing.instruments import InstrumentSink
from genai_otel.processing.measure import Key, Measure, Measurement, Values, client, measured, read
from genai_otel.processing.series import OVERFLOW, SeriesSink

SCOPE = InstrumentationScope(semconv.SCOPE)


class Ended:
    """A span as far as measuring goes."""

    def __init__(self, attributes: dict[str, Any], start: int = 0, end: int = 10**9) -> None:
        self.attributes = attributes
        self.start_time = start
        self.end_time = end


WORDS = some.sampled_from(["a", "b", "", "x" * 300, "\ud800"])
COUNTS = some.one_of(
    some.integers(0, 10**6), some.sampled_from([2**63 - 1, 2**63, 2**70, -1, True, 1.5, "7", None])
)
SPANS = some.builds(
    Ended,
    some.fixed_dictionaries(
        {
            semconv.OPERATION_NAME: some.sampled_from(sorted(semconv.MODEL_OPERATIONS)),
            semconv.PROVIDER_NAME: WORDS,
        },
        optional={
            semconv.REQUEST_MODEL: WORDS,
            semconv.RESPONSE_MODEL: WORDS,
            semconv.SERVER_ADDRESS: WORDS,
            semconv.SERVER_PORT: some.integers(0, 65_535),
            semconv.ERROR_TYPE: WORDS,
            semconv.USAGE_INPUT_TOKENS: COUNTS,
            semconv.USAGE_OUTPUT_TOKENS: COUNTS,
            semconv.USAGE_AUDIO_INPUT_TOKENS: COUNTS,
            semconv.USAGE_CACHE_READ_INPUT_TOKENS: COUNTS,
            semconv.RESPONSE_FINISH_REASONS: some.lists(
                some.sampled_from(["stop", "length", "Tool_Calls", "of the future", "", None, 3]), max_size=3
            ).map(tuple),
            semconv.RESPONSE_TIME_TO_FIRST_CHUNK: some.one_of(
                some.floats(0, 100), some.sampled_from([float("nan"), float("inf"), -1.0, "x"])
            ),
            semconv.STREAM_TIME_PER_CHUNK: some.floats(0, 1),
        },
    ),
    end=some.integers(0, 10**12),
)


def context(number: int) -> SpanContext:
    """Of a span that is sampled when ``number`` is even."""
    return SpanContext(number + 1, number + 1, is_remote=False, trace_flags=TraceFlags(1 - number % 2))


def ours(spans: list[Ended], limit: int = 2000, **profile: Any) -> dict[Any, Any]:
    sink, reader = SeriesSink(limit), InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("other").create_counter("other").add(1)
    attach(reader, sink, SCOPE, Resource.get_empty)
    for number, span in enumerate(spans):
        sink.record(read(client(**profile), span), context(number))
    return _points(reader)


def theirs(spans: list[Ended], **profile: Any) -> dict[Any, Any]:
    reader = InMemoryMetricReader()
    sink = InstrumentSink(MeterProvider([reader], shutdown_on_exit=False).get_meter(semconv.SCOPE))
    for number, span in enumerate(spans):
        sink.record(read(client(**profile), span), context(number))
    return _points(reader)


def _points(reader: InMemoryMetricReader) -> dict[Any, Any]:
    data = reader.get_metrics_data()
    found: dict[Any, Any] = {}
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics if scope.scope.name == semconv.SCOPE else ():
                for point in metric.data.data_points:
                    shown: Any = point
                    key: Any = (metric.name, metric.unit, frozenset(shown.attributes.items()))
                    if hasattr(shown, "value"):
                        found[key] = shown.value
                    else:
                        found[key] = (
                            shown.count,
                            pytest.approx(shown.sum),
                            tuple(shown.bucket_counts),
                            tuple(shown.explicit_bounds),
                            (shown.min, shown.max),
                        )
    return found


def test_series_of_one_metric_may_have_bounds_of_their_own() -> None:
    whole = Instrument("of.scores", "1", "", (1.0, 2.0), labels=("name",))
    few = Instrument("of.scores", "1", "", (0.5,), labels=("name",), of=whole)
    keys: tuple[Key, ...] = ((whole, ("wide",), None), (few, ("narrow",), None))

    def of(_: Values, seconds: float) -> list[Measurement]:
        return [(seconds, key) for key in keys]

    measure = Measure((), of)
    reading = [measure, (), 0, 700_000_000]
    sink, reader = SeriesSink(), InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    attach(reader, sink, SCOPE, Resource.get_empty)
    sink.record(reading, context(0))
    data: Any = reader.get_metrics_data()
    provider.shutdown()
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    bounds = {point.attributes["name"]: point.explicit_bounds for point in metric.data.data_points}
    assert bounds == {"wide": (1.0, 2.0), "narrow": (0.5,)}

    given = InMemoryMetricReader()
    theirs = InstrumentSink(MeterProvider([given], shutdown_on_exit=False).get_meter(semconv.SCOPE))
    theirs.record(reading, context(0))
    assert {labels for _, _, labels in _points(given)} == {
        frozenset({("name", "wide")}),
        frozenset({("name", "narrow")}),
    }


@pytest.mark.parametrize("profile", [{}, {"stable": False, "latest": True}, {"stable": True, "latest": True}])
def test_series_and_instruments_agree(profile: dict[str, bool]) -> None:
    @given(some.lists(SPANS, max_size=12))
    @settings(max_examples=60, deadline=None)
    def agree(spans: list[Ended]) -> None:
        assert ours(spans, **profile) == theirs(spans, **profile)

    agree()


@given(some.lists(SPANS, max_size=12))
@settings(max_examples=60, deadline=None)
def test_labels_come_from_a_closed_set_and_are_short(spans: list[Ended]) -> None:
    allowed = {*LABELS, semconv.TOKEN_TYPE, semconv.TOKEN_MODALITY, semconv.FINISH_REASON}
    reasons = {*semconv.NORMAL_FINISH_REASON.values(), semconv.OTHER}
    for labels in [dict(key[2]) for key in ours(spans, latest=True)]:
        assert labels.keys() <= allowed
        assert all(len(value) <= 128 for value in labels.values() if isinstance(value, str))
        assert labels.get(semconv.FINISH_REASON, semconv.OTHER) in reasons
        "".join(map(str, labels.values())).encode()


def test_labels_beyond_the_limit_fold_into_one_series_and_nothing_is_lost() -> None:
    spans = [
        Ended({semconv.OPERATION_NAME: "chat", semconv.REQUEST_MODEL: f"m{number}"}) for number in range(5000)
    ]
    points = ours(spans, limit=100)
    durations = {labels: point for (name, _, labels), point in points.items() if name.endswith("duration")}
    assert len(durations) == 100
    assert durations[frozenset(OVERFLOW.items())][0] == 5000 - 99
    assert sum(point[0] for point in durations.values()) == 5000


def test_what_is_not_a_number_of_tokens_is_not_measured() -> None:
    for odd in (None, -1, 2**63, 2**70, 1.5, True, "12", float("nan")):
        span = Ended({semconv.OPERATION_NAME: "chat", semconv.USAGE_INPUT_TOKENS: odd})
        assert [key[0].name for _, key in measured(read(client(), span))] == [
            "gen_ai.client.operation.duration"
        ]


def test_exemplars_are_of_sampled_spans_only() -> None:
    sink, reader = SeriesSink(), InMemoryMetricReader()
    MeterProvider([reader], shutdown_on_exit=False)
    attach(reader, sink, SCOPE, Resource.get_empty)
    for number in range(4):
        end = 10**18 + number
        span = Ended({semconv.OPERATION_NAME: "chat"}, start=end - 10 ** (7 + number % 2), end=end)
        sink.record(read(client(), span), context(number))
    data: Any = reader.get_metrics_data()
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert [(one.value, one.time_unix_nano, one.trace_id) for one in point.exemplars] == [
        (0.01, 10**18 + 2, 3)
    ]
