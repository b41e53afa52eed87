"""Spans of services without genai-otel, in the Collector: they say and measure what our own pipeline makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.trace import SpanKind

from genai_otel import metrics, semconv
from tests.golden.recipes.recipe import SAID
from tests.golden.replay import SPANS, Recorded, Series, golden, happen, replayed, saying
from tests.harness.guarding import KEY
from tests.harness.otlp import Point
from tests.stack.observed import Running, Seen
from tests.stack.sending import chat, metering, texts, tracing

CASES: Final = [(path.stem, call) for path in sorted(SPANS.glob("*.json")) for call in golden(path.stem)]
_CORE: Final = {
    each.name: each
    for each in (
        *metrics.STABLE,
        metrics.INVOKE_AGENT_DURATION,
        metrics.INVOKE_WORKFLOW_DURATION,
        metrics.EXECUTE_TOOL_DURATION,
        metrics.SERVER_REQUEST_DURATION,
        metrics.SERVER_TIME_TO_FIRST_TOKEN,
        metrics.SERVER_TIME_PER_OUTPUT_TOKEN,
    )
}
_TOLD: Final = frozenset({
    *metrics.LABELS,
    semconv.RESPONSE_ID,
    semconv.RESPONSE_FINISH_REASONS,
    *(value for name, value in vars(semconv).items() if name.startswith("USAGE_")),
})  # fmt: skip


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Seen]:
    with Running(tmp_path) as seen:
        yield seen


def replay(endpoint: str, service: str, spans: list[Recorded]) -> None:
    with tracing(endpoint, service) as provider:
        happen(provider, spans)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """All recorded spans, each call of each package as a service of its own."""
    with Running(tmp_path_factory.mktemp("collector")) as seen:
        for name, call in CASES:
            replay(seen.collector.endpoint, f"{name}/{call}", [*golden(name)[call]])
        replay(seen.collector.endpoint, "last", [*golden("genai_openai")["chat"]])
        seen.others.wait_for(lambda _: seen.points("last"), timeout=30)
        yield seen


def _counted(points: list[Point]) -> dict[Series, tuple[int, float]]:
    """Count and sum by series, of durations the count alone; the last point of each series."""
    found: dict[Series, tuple[int, float]] = {}
    for point in points:
        assert point.kind == "histogram"
        assert point.cumulative
        key = (point.metric, frozenset(point.attributes.items()))
        found[key] = (point.count, 0 if point.unit == "s" else point.sum)
    return found


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_measures_what_our_pipeline_measures(everything: Seen, name: str, call: str) -> None:
    ours = replayed(golden(name)[call])
    wanted = {key: value for key, value in {**ours.measured, **ours.steps}.items() if key[0] in _CORE}
    assert _counted(everything.points(f"{name}/{call}")) == wanted


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_says_what_our_pipeline_says(everything: Seen, name: str, call: str) -> None:
    ours = {span.start_time: _told(span.attributes or {}) for span in replayed(golden(name)[call]).spans}
    assert {span.start: _told(span.attributes) for span in everything.spans(f"{name}/{call}")} == ours


def _told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: [*value] if isinstance(value, (list, tuple)) else value
        for name, value in attributes.items()
        if name in _TOLD
    }


def test_metrics_are_as_we_report_them(everything: Seen) -> None:
    points = everything.others.points()
    assert {point.metric for point in points} == _CORE.keys() - {
        "gen_ai.client.operation.time_per_output_chunk"
    }
    for point in points:
        assert (point.unit, point.bounds) == (_CORE[point.metric].unit, _CORE[point.metric].buckets)
        assert point.resource.keys() == {"service.name"}
        assert 0 < point.start < point.time


def test_nothing_that_was_said_leaves(everything: Seen) -> None:
    leaks = [span for span in everything.traces.spans() if SAID in repr(span)]
    assert not leaks
    assert SAID.encode() not in everything.others.everything()


def test_content_leaves_when_it_is_kept_and_secrets_do_not(tmp_path: Path) -> None:
    names = sorted({name for name, _ in CASES})
    recorded = {name: saying(name, f"my key is {KEY} .") for name in names}
    with Running(tmp_path, OTELCOL_CONTENT="keep") as seen:
        for name in names:
            for spans in recorded[name].values():
                replay(seen.collector.endpoint, name, [*spans])
        wanted = sum(len(spans) for calls in recorded.values() for spans in calls.values())
        seen.traces.wait_for(lambda sink: len(sink.spans()) == wanted, timeout=30)
        left = {name: texts(seen.spans(name)) for name in names}
    assert [name for name in names if KEY in left[name]] == []
    assert [
        name for name in names if ("my key is" in left[name]) != ("my key is" in str(recorded[name]))
    ] == []


def test_what_is_measured_elsewhere_is_not_measured_again(seen: Seen) -> None:
    """Each service but the last makes one call that somebody else counts, or that is none of a client."""
    endpoint = seen.collector.endpoint
    with tracing(endpoint, "ours", {"telemetry.distro.name": "genai-otel"}) as provider:
        chat(provider)
    with tracing(endpoint, "marked") as provider:
        chat(provider, genai_otel__measured=True)
        chat(provider, genai_otel__owner=False)
        chat(provider, scope=semconv.SCOPE)
    with tracing(endpoint, "served") as provider:
        said = {"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "x"}
        provider.get_tracer("x").start_span("embeddings", kind=SpanKind.SERVER, attributes=said).end()
    with tracing(endpoint, "counted") as provider:
        chat(provider)
    seen.others.wait_for(lambda _: seen.points("counted"))
    assert {point.resource["service.name"] for point in seen.others.points()} == {"counted"}
    assert len(seen.traces.spans()) == 6


def test_scopes_can_be_left_out(tmp_path: Path) -> None:
    with Running(tmp_path, GENAI_OTEL_UNMEASURED_SCOPES="^inner[.]") as seen:
        with tracing(seen.collector.endpoint, "twice") as provider:
            chat(provider, scope="outer")
            chat(provider, scope="inner.library")
        seen.others.wait_for(lambda _: seen.points("twice"))
        (duration,) = [
            point for point in seen.points("twice") if point.metric == metrics.OPERATION_DURATION.name
        ]
        assert duration.count == 1


@pytest.mark.parametrize("setting", ["drop", "keep"])
def test_metrics_of_calls_whose_spans_are_measured_are_dropped(tmp_path: Path, setting: str) -> None:
    duration, other = metrics.OPERATION_DURATION.name, "app.orders"
    with Running(tmp_path, GENAI_OTEL_FOREIGN_METRICS=setting) as seen:
        for service, resource, scope in (
            ("foreign", {}, "js.instrumentation"),
            ("ours", {"telemetry.distro.name": "genai-otel"}, "any"),
            ("of-the-user", {}, semconv.SCOPE),
        ):
            with metering(seen.collector.endpoint, service, resource) as provider:
                meter = provider.get_meter(scope)
                meter.create_histogram(duration, "s").record(1)
                meter.create_counter(other).add(1)
        services = ("foreign", "ours", "of-the-user")
        seen.others.wait_for(lambda _: all(seen.points(service) for service in services))
        reported = {service: {point.metric for point in seen.points(service)} for service in services}
    assert reported == {
        "foreign": {other} if setting == "drop" else {duration, other},
        "ours": {duration, other},
        "of-the-user": {duration, other},
    }


def test_many_senders_at_once_lose_no_count(seen: Seen) -> None:
    """Differences of one series that arrive at the same time are all in the total."""
    from concurrent.futures import ThreadPoolExecutor

    def send(_: int) -> None:
        with tracing(seen.collector.endpoint, "busy") as provider:
            for _ in range(20):
                chat(provider, gen_ai__usage__input_tokens=3)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(100)))
    seen.others.wait_for(lambda _: _total(seen) >= 2000, timeout=20)
    assert _total(seen) == 2000


def _total(seen: Seen) -> int:
    counts = [point.count for point in seen.points("busy") if point.metric == metrics.TOKEN_USAGE.name]
    return max(counts, default=0)
