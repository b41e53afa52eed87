"""The table of metrics: what the official SDK recorded, readable in one screen."""

from __future__ import annotations

import random

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from genai_otel.console import metrics_table
from genai_otel.console.table import quantile

BUCKETS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28]
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.provider.name": "openai",
    "server.port": 8080,
}


@pytest.fixture
def reader() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture
def provider(reader: InMemoryMetricReader) -> MeterProvider:
    return MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False)


def point_of(reader: InMemoryMetricReader) -> HistogramDataPoint:
    data = reader.get_metrics_data()
    assert data is not None
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert isinstance(point, HistogramDataPoint)
    return point


def test_shows_each_series_in_one_line(provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    meter = provider.get_meter("tests")
    duration = meter.create_histogram(
        "gen_ai.client.operation.duration", "s", explicit_bucket_boundaries_advisory=BUCKETS
    )
    for seconds in (0.1, 0.1, 0.3, 1.0):
        duration.record(seconds, CHAT)
    duration.record(0.05, {**CHAT, "error.type": "429"})
    meter.create_counter("genai_otel.calls").add(3)
    tokens = meter.create_histogram(
        "gen_ai.client.token.usage", "{token}", explicit_bucket_boundaries_advisory=[1000]
    )
    tokens.record(1200, {**CHAT, "gen_ai.token.type": "input", "gen_ai.response.model": "gpt-4o-mini-2024"})

    assert metrics_table(reader.get_metrics_data()) == (
        "common labels: provider.name=openai server.port=8080\n"
        "                                      count       sum      mean       p50       p95\n"
        "gen_ai.client.operation.duration\n"
        "  chat gpt-4o-mini                        4    1.50 s    375 ms    160 ms    928 ms\n"
        "  chat gpt-4o-mini error.type=429         1   50.0 ms   50.0 ms   50.0 ms   50.0 ms\n"
        "gen_ai.client.token.usage\n"
        "  chat gpt-4o-mini-2024 input             1     1,200     1,200     1,200     1,200\n"
        "genai_otel.calls\n"
        "  -                                                 3\n"
    )


def test_labels_that_differ_are_shown_with_each_series(
    provider: MeterProvider, reader: InMemoryMetricReader
) -> None:
    counter = provider.get_meter("tests").create_counter("gen_ai.calls")
    for provider_name in ("openai", "azure.ai.openai"):
        counter.add(1, {"gen_ai.provider.name": provider_name})
    table = metrics_table(reader.get_metrics_data())
    assert "  provider.name=openai " in table
    assert "  provider.name=azure.ai.openai " in table
    assert "common labels" not in table


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_quantiles_fall_into_the_bucket_of_the_true_value(
    provider: MeterProvider, reader: InMemoryMetricReader, share: float
) -> None:
    histogram = provider.get_meter("tests").create_histogram("h", explicit_bucket_boundaries_advisory=BUCKETS)
    values = sorted(random.Random(7).lognormvariate(-2.0, 0.8) for _ in range(2_000))
    for value in values:
        histogram.record(value)
    true = values[int(share * len(values)) - 1]
    edges = [0.0, *BUCKETS, float("inf")]
    low = max(edge for edge in edges if edge <= true)
    high = min(edge for edge in edges if edge >= true)
    estimate = quantile(point_of(reader), share)
    assert estimate is not None
    assert low <= estimate <= high
    assert estimate == pytest.approx(true, rel=0.15)


def test_quantiles_stay_between_the_smallest_and_the_largest_value(
    provider: MeterProvider, reader: InMemoryMetricReader
) -> None:
    histogram = provider.get_meter("tests").create_histogram("h", explicit_bucket_boundaries_advisory=BUCKETS)
    for value in (5.0, 7.0):
        histogram.record(value)
    assert [quantile(point_of(reader), share) for share in (0.0, 0.5, 1.0)] == [5.0, 6.0, 7.0]


def test_an_exponential_histogram_shows_what_it_knows(reader: InMemoryMetricReader) -> None:
    view = View(instrument_name="gen_ai.h", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource=Resource({}), views=[view], shutdown_on_exit=False)
    provider.get_meter("tests").create_histogram("gen_ai.h").record(3)
    line = metrics_table(reader.get_metrics_data()).splitlines()[-1]
    assert line.split() == ["-", "1", "3", "3"]


def test_a_label_cannot_break_the_table(provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    provider.get_meter("tests").create_counter("gen_ai.c").add(1, {"model": "a\x1b[2J\n" + "日本" * 100})
    lines = metrics_table(reader.get_metrics_data()).splitlines()
    assert len(lines) == 3
    assert "\x1b" not in lines[-1]
    assert len(lines[-1]) < 110


def test_other_metrics_are_shown_when_asked_for(
    provider: MeterProvider, reader: InMemoryMetricReader
) -> None:
    provider.get_meter("tests").create_counter("http.requests").add(3)
    data = reader.get_metrics_data()
    assert metrics_table(data) == ""
    assert metrics_table(data, prefixes=("http.",)).splitlines()[1] == "http.requests"


def test_nothing_recorded_is_no_table(provider: MeterProvider, reader: InMemoryMetricReader) -> None:
    assert metrics_table(reader.get_metrics_data()) == ""
    assert metrics_table(None) == ""
