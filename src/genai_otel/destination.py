"""Where a client span goes: the host that it names, by the new or the old conventions.

A span that is sampled out keeps no attributes, so nobody could ask it later.  Its sampler sees them, and all that
passes from a sampler to such a span is the trace state: the host travels with that object, and is no part of its
header.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.trace.sampling import SamplingResult
from opentelemetry.trace import Span, SpanKind, TraceState

_ADDRESS = ("server.address", "net.peer.name", "http.host")
_URL = ("url.full", "http.url")


class _Destined(TraceState):
    """The trace state of a client span that is sampled out."""

    def __init__(self, entries: list[tuple[str, str]], host: str) -> None:
        super().__init__(entries)
        self.host = host


def remembered(
    result: SamplingResult, kind: SpanKind | None, attributes: Mapping[str, Any] | None
) -> SamplingResult:
    """The decision to drop a span, with the host that it goes to; a child takes none over from its parent."""
    host = named(attributes) if kind is SpanKind.CLIENT and attributes else None
    state = result.trace_state
    if host is None and not isinstance(state, _Destined):
        return result
    entries = list(state.items()) if state else []
    return SamplingResult(
        result.decision, None, TraceState(entries) if host is None else _Destined(entries, host)
    )


def of(span: Span) -> str | None:
    """The host of a client span; None for spans of other kinds and where no host is known."""
    kind = getattr(span, "kind", None)
    if kind is None:  # not recorded
        state = span.get_span_context().trace_state
        return state.host if isinstance(state, _Destined) else None
    return named(getattr(span, "attributes", None) or {}) if kind is SpanKind.CLIENT else None


def named(attributes: Mapping[str, Any]) -> str | None:
    """The host that attributes of a client span name; "" where it cannot be read."""
    for name in _ADDRESS:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return without_port(value)
    for name in _URL:
        value = attributes.get(name)
        if isinstance(value, str) and value:
            return _hostname(value)
    return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # the sampler runs in the program's own call
        return ""


def without_port(authority: str) -> str:
    """The host of ``host:port``."""
    if authority.count(":") > 1 and not authority.startswith("["):
        return authority  # a bare IPv6 address
    return _hostname(f"//{authority}") or authority
