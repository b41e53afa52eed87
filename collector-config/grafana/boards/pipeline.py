"""The pipeline itself: what genai-otel says of itself in the processes, and the Collector's own metrics."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import SERVICES, assembled, choices
from boards.panels import Ask, Panels
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
    return [
        show.lines(
            "Processes by version",
            show.COUNT,
            Ask(q.total(q.now(_INFO, q.SERVICE), "service_name", "version"), "{{service_name}} {{version}}"),
        ),
        show.lines(
            "Telemetry lost in the processes",
            show.CALLS,
            Ask(q.total(dropped, "signal", "reason"), "{{signal}} {{reason}}"),
            about="Zero, or there is a reason to look: results and spans that the processes could not send.",
        ),
        show.lines(
            "Errors inside genai-otel",
            show.CALLS,
            Ask(q.total(errors, "service_name", component), f"{{{{service_name}}}} {{{{{component}}}}}"),
            about="No call was affected.",
        ),
    ]


def _each(name: str, by: str) -> list[Ask]:
    return [
        Ask(q.total(q.rate(f"otelcol_{name}_{signal}_total"), by), f"{{{{{by}}}}} {signal.replace('_', ' ')}")
        for signal in _SIGNALS
    ]


def _collector() -> Panels:
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
            *_each("exporter_send_failed", "exporter"),
            about="Lost, except lines of logs: Loki keeps the good ones of a batch that it refuses.",
        ),
        show.lines(
            "Not taken by a queue",
            show.CALLS,
            *_each("exporter_enqueue_failed", "exporter"),
            about="Lost: the queue of a back end was full.",
        ),
        show.lines(
            "Traces by decision of the sampler",
            show.CALLS,
            Ask(
                q.total(
                    q.rate("otelcol_processor_tail_sampling_global_count_traces_sampled_total"), "sampled"
                ),
                "sampled: {{sampled}}",
            ),
        ),
    ]


def _health() -> Panels:
    size, most = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
    by = "exporter, data_type"
    return [
        show.lines(
            "Queues, share used",
            show.SHARE,
            Ask(f"max by ({by}) ({size} / {most})", "{{exporter}} {{data_type}}"),
            about="At 100 % what comes is lost.",
        ),
        show.lines(
            "Memory",
            show.BYTES,
            Ask("max by (service_name) (otelcol_process_memory_rss_bytes)", "{{service_name}}"),
        ),
        show.lines(
            "Processors",
            show.SHARE,
            Ask(q.total(q.rate("otelcol_process_cpu_seconds_total"), "service_name"), "{{service_name}}"),
            about="100 % is one core.",
        ),
    ]
