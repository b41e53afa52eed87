"""A TracerProvider that notes of each span what it has when it starts and what it has when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider


class Seen(SpanProcessor):
    """Every span of :attr:`provider`, in the order of their ends.

    ``began`` and ``ended`` are places in one order, ``parent`` is the place where the parent began.
    """

    def __init__(self) -> None:
        self.provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
        self.provider.add_span_processor(self)
        self._clock = 0
        self._live: dict[int, dict[str, Any]] = {}
        self._began: dict[int, int] = {}
        self.ended: list[dict[str, Any]] = []
        """The spans that have ended; a recipe of another language puts its own here."""
        self.packages: dict[str, str] = {}
        """Versions of packages that are none of Python's."""

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        own = span.context.span_id
        self._began[own] = self._tick()
        parent = None if span.parent is None else self._began.get(span.parent.span_id)
        began = {"began": self._began[own], "parent": parent, "start": _plain(span.attributes or {})}
        self._live[own] = {key: value for key, value in began.items() if value is not None}

    def on_end(self, span: Any) -> None:
        seen = self._live.pop(span.context.span_id)
        seen["ended"] = self._tick()
        self.ended.append(
            {
                **seen,
                "name": span.name,
                "kind": span.kind.name,
                "scope": span.instrumentation_scope.name,
                "status": span.status.status_code.name,
                "description": span.status.description,
                "end": _plain(span.attributes or {}),
                "events": [
                    {"name": event.name, "attributes": _plain(event.attributes or {})}
                    for event in span.events
                ],
            }
        )

    def taken(self) -> list[dict[str, Any]]:
        """The spans that have ended since this was asked last."""
        ended, self.ended = self.ended, []
        self._clock = 0
        self._began.clear()
        return ended


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool)) and not isinstance(value, (bool, int, float)):
        return str(getattr(value, "value", value))  # some frameworks give a member of an enumeration
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in cast("list[Any]", value)]
    return value
