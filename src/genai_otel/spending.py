"""What has been spent: the question that a program may ask while it runs."""

from __future__ import annotations

from opentelemetry.trace import SpanContext

from genai_otel.runtime import current


def spent(*, trace: int | str | SpanContext | None = None, tenant: str | None = None) -> float:
    """US dollars that calls of models have cost so far: of a ``trace``, of a ``tenant``, or of this process.

    A trace is named by its id, as a number or in hexadecimal as :func:`genai_otel.trace_id` gives it, or by a span's
    context; a tenant as in ``genai_otel.context(tenant=…)``.  What is known is what this process has priced since it
    started or was forked, of the last 4,096 traces and 1,000 tenants: 0 for others, for what other processes spent, for
    calls that go on, and for those whose cost is not known (``genai_otel.client.cost.unpriced``).

    Raises:
        ValueError: both a trace and a tenant are given, or the trace is no id of one.
    """
    if trace is not None and tenant is not None:
        raise ValueError("spent() takes a trace or a tenant, not both")
    number = None if trace is None else _number(trace)
    handle = current()
    return 0.0 if handle is None else handle.spent(trace=number, tenant=tenant)


def _number(trace: int | str | SpanContext) -> int:
    if isinstance(trace, SpanContext):
        return trace.trace_id
    try:
        return int(trace, 16) if isinstance(trace, str) else int(trace)
    except ValueError:
        raise ValueError(f"{trace!r} is no trace id: 32 hexadecimal digits, or a number") from None
