"""What this room writes to: put together by ``setup()``, one per process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from genai_otel.processing.keys import NO_KEYS, MetricKeys

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.trace import SpanContext, Tracer

    from genai_otel.processing.measure import Reading
    from genai_otel.processing.owner import Counted


class Sink(Protocol):
    """Where readings are measured."""

    def record(self, reading: Reading, context: SpanContext) -> None: ...


class Open(Protocol):
    """A call that goes on, or a step of the program's own."""

    attributes: dict[str, Any]
    span_context: SpanContext
    is_step: bool


@dataclass(frozen=True)
class Connected:
    """Where results go; None for a signal that is off.

    ``recent`` gives the calls that were counted last, the latest first; ``stream`` the open call of a stream, if any;
    ``going_on`` all open calls and steps.
    ``spans`` makes a span of each result where the user asked for that.  ``content_on_events`` and ``content_on_spans``
    say where explanations may stand, and ``value_bytes`` how long they may be.  ``labels`` are those that the user
    allows.  The first of ``keys`` signs references, each of them is good for one.
    """

    recent: Callable[[], Sequence[Counted]]
    stream: Callable[[Any], Open | None]
    going_on: Callable[[], Sequence[Open]] = tuple
    sink: Sink | None = None
    events: Logger | None = None
    spans: Tracer | None = None
    content_on_events: bool = False
    content_on_spans: bool = False
    value_bytes: int = 16_384
    labels: MetricKeys = NO_KEYS
    keys: tuple[str, ...] = ()


active: Connected | None = None

wait: Callable[[float], int] | None = None
"""Waits some seconds for evaluations that are going on, and says how many still are; None before the first."""


def connect(connected: Connected | None) -> None:
    """Send results to ``connected``; None before ``setup()``."""
    global active  # noqa: PLW0603 - one per process, as the providers are
    active = connected
