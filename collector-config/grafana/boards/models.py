"""Models and vendors beside each other, what HTTP says of them, and model servers of one's own."""

from __future__ import annotations

from typing import Literal

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import assembled, of_calls, traced
from boards.panels import Ask, Column, Panels, legend
from genai_otel import metrics, semconv

_BY = (q.VENDOR, q.MODEL)
_NAMES = {q.VENDOR: "vendor", q.MODEL: "model"}
_LEGEND = legend(q.MODEL)
_REASON = q.label(semconv.FINISH_REASON)
_STATUS = q.label(semconv.HTTP_STATUS)
_HTTP = q.named("http.client.request.duration", "s", "histogram")
_LIMITED = f'{_STATUS}="429"'


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "models",
        "Models and vendors",
        "Models and their vendors beside each other; attempts over HTTP; model servers of one's own.",
        (*of_calls(), traced()),
        (
            ("Models", _models()),
            ("Over time", _over_time()),
            ("Tokens", _tokens()),
            ("Attempts over HTTP", _attempts()),
            ("Model servers of one's own", _servers()),
        ),
    )


def _models() -> Panels:
    calls = q.calls(over="increase")
    return [
        show.rows(
            "Models in the time shown",
            _NAMES,
            Column("calls", show.COUNT, q.total(calls, *_BY)),
            Column("failed", show.SHARE, q.share(q.calls(q.FAILED, over="increase"), calls, *_BY)),
            Column("p95", show.SECONDS, q.quantile(0.95, q.durations(over="increase"), *_BY)),
            Column("first chunk, p95", show.SECONDS, q.quantile(0.95, q.first_chunks(over="increase"), *_BY)),
            Column("input tokens", show.COUNT, q.total(q.tokens("input", "increase"), *_BY)),
            Column("output tokens", show.COUNT, q.total(q.tokens("output", "increase"), *_BY)),
            Column("cost", show.USD, q.total(q.cost(over="increase"), *_BY)),
        )
    ]


def _over_time() -> Panels:
    calls, failed = q.calls(), q.calls(q.FAILED)
    short = q.rate(q.of(metrics.FINISH_REASONS), q.CALLS, f'{_REASON}=~"refusal|content_filter|length"')
    return [
        show.lines(
            "Calls by vendor", show.CALLS, Ask(q.total(calls, q.VENDOR), legend(q.VENDOR)), stacked=True
        ),
        show.lines("Calls by model", show.CALLS, Ask(q.total(calls, *_BY), _LEGEND), stacked=True),
        show.lines("Failed calls by model", show.SHARE, Ask(q.share(failed, calls, *_BY), _LEGEND)),
        show.lines(
            "Duration, p95", show.SECONDS, Ask(q.quantile(0.95, q.durations(), *_BY), _LEGEND, exemplars=True)
        ),
        show.lines(
            "Refusals and answers cut short",
            show.CALLS,
            Ask(q.total(short, *_BY, _REASON), legend(q.MODEL, _REASON)),
        ),
        show.traces("Slow calls, newest traces", "", width=show.THIRD, longer="1s"),
    ]


def _tokens() -> Panels:
    def per_call(kind: Literal["input", "output"]) -> show.Built:
        mean = q.ratio(q.tokens(kind), q.tokens(kind, part="count"), *_BY)
        return show.lines(
            f"{kind.capitalize()} tokens per call", show.COUNT, Ask(mean, _LEGEND), width=show.QUARTER
        )

    def share(part: metrics.Instrument, kind: Literal["input", "output"], name: str) -> Ask:
        return Ask(q.ratio(q.rate(q.of(part), q.CALLS), q.tokens(kind), *_BY), f"{_LEGEND} {name}")

    newer = "Of the newer names only (OTEL_SEMCONV_STABILITY_OPT_IN); the older ones do not tell."
    return [
        per_call("input"),
        per_call("output"),
        show.lines(
            "Caches, share of the input",
            show.SHARE,
            share(metrics.INFERENCE_CACHE_READ_TOKENS, "input", "read"),
            share(metrics.INFERENCE_CACHE_WRITE_TOKENS, "input", "written"),
            about=newer,
            width=show.QUARTER,
        ),
        show.lines(
            "Reasoning, share of the output",
            show.SHARE,
            share(metrics.INFERENCE_REASONING_TOKENS, "output", ""),
            about=newer,
            width=show.QUARTER,
        ),
    ]


def _attempts() -> Panels:
    attempts = q.rate(f"{_HTTP}_count", q.SERVICE)
    probed = q.now(q.named(metrics.MODEL_PROBE, "1", "gauge"), q.SERVICE)
    return [
        show.lines(
            "Answers by status",
            show.CALLS,
            Ask(q.total(attempts, _STATUS), legend(_STATUS)),
            about="Every attempt counts, so that retries show; of clients that go over httpx.",
            stacked=True,
            width=show.QUARTER,
        ),
        show.lines(
            "Rate limited",
            show.SHARE,
            Ask(
                q.share(q.rate(f"{_HTTP}_count", q.SERVICE, _LIMITED), attempts, "service_name"),
                "{{service_name}}",
            ),
            about="Share of the attempts that a vendor answered with 429.",
            width=show.QUARTER,
        ),
        show.lines(
            "Requests per call",
            show.COUNT,
            Ask(
                f"max by (service_name, server_address) ({q.now('genai:requests_per_call:ratio15m', q.SERVICE)})",
                "{{service_name}} {{server_address}}",
            ),
            about="More than one: the clients retry. Recorded by a rule, over 15 minutes.",
            width=show.QUARTER,
        ),
        show.lines(
            "Models that answer",
            show.COUNT,
            Ask(f"min by (service_name, {q.MODEL}) ({probed})", legend("service_name", q.MODEL)),
            about="1 where a model answered the probe of a process, 0 where it did not: probe_models().",
            width=show.QUARTER,
        ),
    ]


def _servers() -> Panels:
    def p95(title: str, instrument: metrics.Instrument) -> show.Built:
        buckets = q.rate(f"{q.of(instrument)}_bucket", q.CALLS)
        return show.lines(title, show.SECONDS, Ask(q.quantile(0.95, buckets, *_BY), _LEGEND, exemplars=True))

    def here(name: str) -> str:
        return q.total(q.now(q.named(name, "{request}", "up_down_counter"), q.CALLS))

    spent = q.rate(q.of(metrics.SERVER_COST), q.CALLS)
    return [
        p95("Requests, p95", metrics.SERVER_REQUEST_DURATION),
        p95("First token, p95", metrics.SERVER_TIME_TO_FIRST_TOKEN),
        p95("Time per token, p95", metrics.SERVER_TIME_PER_OUTPUT_TOKEN),
        p95("Wait in the queue, p95", metrics.SERVER_QUEUE_TIME),
        show.lines(
            "Requests here",
            show.COUNT,
            Ask(here(metrics.SERVER_ACTIVE_REQUESTS), "all"),
            Ask(here(metrics.SERVER_QUEUE_LENGTH), "waiting"),
        ),
        show.lines(
            "Cost of serving per hour",
            show.USD,
            Ask(f"{q.total(spent, *_BY)} * 3600", _LEGEND),
            about="What serving costs, by prices of your own; it is not among what clients pay.",
            stacked=True,
        ),
    ]
