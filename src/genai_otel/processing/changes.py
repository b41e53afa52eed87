"""An ended span is read-only in Python: what a step changes is handed on as a public copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits


class Change(NamedTuple):
    """What becomes of an ended span: attributes that are new or have a new value, and names that go."""

    changed: Mapping[str, Any]
    gone: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.changed or self.gone)


class Limits:
    """The span limits of the standard variables, applied to copies only when the user has set any."""

    def __init__(self, limits: SpanLimits | None) -> None:
        self._count = None if limits is None else limits.max_span_attributes
        self._length = None if limits is None else limits.max_span_attribute_length
        self.most = -1 if self._length is not None else 1 << 62 if self._count is None else self._count
        """As many attributes can be kept as they are."""

    def of(self, attributes: Mapping[str, Any]) -> Any:
        """As many of ``attributes`` as may be, each as long as it may be."""
        if len(attributes) <= self.most:
            return attributes
        return BoundedAttributes(self._count, attributes, immutable=True, max_value_len=self._length)


def with_change(span: ReadableSpan, change: Change, limits: Limits) -> ReadableSpan:
    """``span`` as the next one gets it; the very same object where nothing changes."""
    if not change:
        return span
    kept = {name: value for name, value in (span.attributes or {}).items() if name not in change.gone}
    return _copy(span, limits.of({**kept, **change.changed}), dropped=span.dropped_attributes)


def _copy(span: ReadableSpan, attributes: Any, dropped: int = 0) -> ReadableSpan:
    if dropped:
        attributes = BoundedAttributes(None, attributes)
        attributes.dropped = dropped
    inner: Any = span  # its events and links as the SDK's own lists, which know how many were dropped
    return ReadableSpan(
        span.name,
        span.context,
        span.parent,
        span.resource,
        attributes,
        inner._events,  # noqa: SLF001
        inner._links,  # noqa: SLF001
        span.kind,
        None,
        span.status,
        span.start_time,
        span.end_time,
        span.instrumentation_scope,
    )
