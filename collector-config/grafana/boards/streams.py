"""Streams: how soon they start, how fast they go on, and how they end."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import assembled, of_calls, traced
from boards.panels import Ask, Panels, legend, percentiles
from genai_otel import metrics

_LEGEND = legend(q.MODEL)


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "streams",
        "Streams",
        "How soon streams start, how fast they go on, and how they end.",
        (*of_calls(), traced()),
        (("Start", _start()), ("On the way", _way()), ("End", _end())),
    )


def _start() -> Panels:
    return [
        show.lines(
            "Time to first chunk",
            show.SECONDS,
            *percentiles(q.first_chunks(), 0.5, 0.95, 0.99),
            about="A dot is one stream; it leads to its trace.",
        ),
        show.lines(
            "Time to first chunk by model, p95",
            show.SECONDS,
            Ask(q.quantile(0.95, q.first_chunks(), q.MODEL), _LEGEND),
        ),
        show.heat("Times to first chunk", show.SECONDS, q.first_chunks()),
    ]


def _way() -> Panels:
    streams, calls = q.first_chunks("count"), q.calls()
    return [
        show.lines(
            "Streams", show.CALLS, Ask(q.total(streams, "service_name"), "{{service_name}}"), stacked=True
        ),
        show.lines(
            "Streams among the calls",
            show.SHARE,
            Ask(q.share(streams, calls, "service_name"), "{{service_name}}"),
        ),
        show.lines(
            "Time per chunk",
            show.SECONDS,
            *percentiles(q.chunk_times(), 0.5, 0.95),
            about="The mean of each stream after its first chunk.",
        ),
        show.lines(
            "Time per chunk by model, p95",
            show.SECONDS,
            Ask(q.quantile(0.95, q.chunk_times(), q.MODEL), _LEGEND),
        ),
        show.heat("Times per chunk", show.SECONDS, q.chunk_times()),
        show.lines(
            "Open calls",
            show.COUNT,
            Ask(
                q.total(
                    q.now(q.named(metrics.ACTIVE_OPERATIONS, "{operation}", "up_down_counter"), q.CALLS),
                    q.MODEL,
                ),
                _LEGEND,
            ),
        ),
    ]


def _end() -> Panels:
    return [
        show.lines(
            "Calls that the program left",
            show.CALLS,
            Ask(q.total(q.left(), q.OUTCOME), legend(q.OUTCOME)),
            about="closed: it stopped reading; abandoned: it forgot the stream; cancelled: its task was.",
            stacked=True,
        ),
        show.traces(
            "Cut streams, newest traces",
            "genai_otel.outcome=cut",
            about="The connection ended before the answer did.",
            width=show.THIRD,
        ),
        show.traces(
            "Closed streams, newest traces",
            "genai_otel.outcome=closed",
            about="The program stopped reading.",
            width=show.THIRD,
        ),
    ]
