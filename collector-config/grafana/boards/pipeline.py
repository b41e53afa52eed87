"""The pipeline itself: what genai-otel says of itself in the processes, and the Collector's own metrics."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import SERVICES, assembled, choices
from boards.panels import Ask, Panels, legend
from genai_otel import metrics, semconv

_INFO = q.named(metrics.INFO, "1", "gauge")
_SIGNALS = ("spans", "metric_points", "log_records")


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "pipeline",
        "The pipeline itself",
        "What genai-otel says of itself in the processes, and what the Collector takes, keeps and gives.",
        choices(_INFO, *SERVICES),
        (
            ("In the processes", _processes()),
            ("The Collector", _collector()),
            ("Its queues and memory", _health()),
        ),
    )


def _processes() -> Panels:
    component = q.label(semconv.COMPONENT)
    dropped = q.rate(q.named(metrics.DROPPED, "{item}", "counter"), q.SERVICE)
    errors = q.rate(q.named(metrics.INTERNAL_ERRORS, "{error}", "counter"), q.SERVICE)
    there = q.total(q.now(_INFO, q.SERVICE), "service_name")
    return [
        show.lines(
            "Processes by version",
            show.COUNT,
            Ask(q.total(q.now(_INFO, q.SERVICE), "service_name", "version"), "{{service_name}} {{version}}"),
        ),
        show.lines(
            "Telemetry lost in the processes",
            show.CALLS,
            Ask(
                q.or_zero(q.total(dropped, "service_name", "signal", "reason"), there),
                "{{service_name}} {{signal}} {{reason}}",
            ),
            about="Zero, or there is a reason to look: results and spans that the processes could not send.",
        ),
        show.lines(
            "Errors inside genai-otel",
            show.CALLS,
            Ask(
                q.or_zero(q.total(errors, "service_name", component), there),
                legend("service_name", component),
            ),
            about="No call was affected.",
        ),
    ]


def _own(name: str, suffix: str = "total") -> str:
    """A metric of the Collector's: its suffix depends on the format in which Prometheus asks for it."""
    return f'{{__name__=~"otelcol_{name}(_{suffix})?"}}'


def _each(name: str, by: str) -> list[Ask]:
    """Of the Collector, and of Jaeger, which is made of the same parts."""
    return [
        Ask(
            q.total(f"rate({_own(f'{name}_{signal}')}[$__rate_interval])", "job", by),
            f"{legend('job', by)} {signal.replace('_', ' ')}",
        )
        for signal in _SIGNALS
    ]


def _lost(name: str) -> list[Ask]:
    """Counters that are there from the first loss on."""
    there = q.total("otelcol_exporter_queue_size", "job", "exporter")
    return [Ask(q.or_zero(ask.expr, there), ask.legend) for ask in _each(name, "exporter")]


def _collector() -> Panels:
    sampled = f"rate({_own('processor_tail_sampling_global_count_traces_sampled')}[$__rate_interval])"
    spans = q.total(f"rate({_own('receiver_accepted_spans')}[$__rate_interval])")
    return [
        show.lines("Taken", show.CALLS, *_each("receiver_accepted", "receiver")),
        show.lines(
            "Refused",
            show.CALLS,
            *_each("receiver_refused", "receiver"),
            about="The sender tries again: back pressure.",
        ),
        show.lines("Given", show.CALLS, *_each("exporter_sent", "exporter")),
        show.lines(
            "Failed for good",
            show.CALLS,
            *_lost("exporter_send_failed"),
            about="Lost, except lines of logs: Loki keeps the good ones of a batch that it refuses.",
        ),
        show.lines(
            "Not taken by a queue",
            show.CALLS,
            *_lost("exporter_enqueue_failed"),
            about="Lost: the queue of a back end was full.",
        ),
        show.lines(
            "Traces by decision of the sampler",
            show.CALLS,
            Ask(q.or_zero(q.total(sampled, "sampled"), spans), "sampled: {{sampled}}"),
            about="Zero where no sampler is configured: every trace is kept then.",
        ),
    ]


def _health() -> Panels:
    by = "exporter, data_type"
    return [
        show.lines(
            "Queues, share used",
            show.SHARE,
            Ask(
                f"max by (job, {by}) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity)",
                "{{exporter}} {{data_type}}",
            ),
            about="At 100 % what comes is lost.",
            width=show.QUARTER,
        ),
        show.lines(
            "Memory",
            show.BYTES,
            Ask(f"max by (job) ({_own('process_memory_rss', 'bytes')})", "{{job}}"),
            about="Of the program with the most, of each kind.",
            width=show.QUARTER,
        ),
        show.lines(
            "Processors",
            show.SHARE,
            Ask(f"max by (job) (rate({_own('process_cpu_seconds')}[$__rate_interval]))", "{{job}}"),
            about="Of the busiest program of each kind; 100 % is one core.",
            width=show.QUARTER,
        ),
        show.lines(
            "Programs there",
            show.COUNT,
            Ask("min by (job) (up)", "{{job}}"),
            about="1 where all programs of a kind answer Prometheus.",
            width=show.QUARTER,
        ),
    ]
