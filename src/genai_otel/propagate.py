"""Trace headers and baggage go to hosts of ours only.

A propagator around the one that the user configured (``OTEL_PROPAGATORS``, or the default).  Extracting is left as
it is, but for baggage that a setting takes over.  Injecting happens only for an allowed destination: loopback and
private addresses, names that resolve inside (single-label, ``.local``, ``.internal``), and the hosts of the
``propagate_to`` setting.  A model vendor learns neither trace ids nor baggage, and no baggage of a user's leaves by a
call to a third party.

The destination is the model client's server inside an instrumented call, and everywhere the host of the current
client span, sampled or not, or else the carrier's ``host`` entry; every one that is known must be allowed.  Inside a
call an unknown one is not; elsewhere it is: messages and tasks have no host, the spans of gRPC name none, and without
``traceparent`` a service of ours would begin a trace of its own for every request that is sampled out.

Of a span that is sampled out only our sampler knows the host.  A program with a TracerProvider of its own adds it:
``TracerProvider(sampler=genai_otel.sampler(...))``.

``opentelemetry.propagate`` keeps one global propagator.  A program that replaces it after ``setup()`` replaces this
one too; ``install`` (or ``setup()``) called once more wraps the new one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, get_value
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, get_current_span, set_span_in_context

from genai_otel import ambient, destination, fence, imports
from genai_otel.context_keys import DESTINATION_KEY, OWNED_STATE

_INSIDE = (".localhost", ".local", ".internal")
_MAX_HOSTS = 1024

_allowed: tuple[str, ...] = ()
_accepted: tuple[str, ...] = ()


class HostFilter(TextMapPropagator):
    """Hands everything to ``inner``, except an injection for a destination that is not allowed."""

    def __init__(
        self, inner: TextMapPropagator, allowed: Iterable[str] = (), accepted: Collection[str] = ()
    ) -> None:
        self.inner = inner
        self._accepted = frozenset(accepted)
        self._allowed = tuple(pattern.strip().lower() for pattern in allowed)
        self._decided: dict[str, bool] = {}

    @property
    def fields(self) -> set[str]:
        return self.inner.fields

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        found = self.inner.extract(carrier, context, getter)
        if self._accepted:
            with fence.contain("propagate"):
                return ambient.accepted(found, self._accepted)
        return found

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        with fence.contain("propagate"):
            if self._goes_inside(carrier, context):
                self.inner.inject(carrier, _owned(context), setter)

    def allows(self, host: str) -> bool:
        """Whether trace headers may go to ``host``, a name or address without port."""
        decision = self._decided.get(host)
        if decision is None:
            if len(self._decided) >= _MAX_HOSTS:
                self._decided.clear()
            decision = self._decided[host] = is_inside(host) or matches(host, self._allowed)
        return decision

    def _goes_inside(self, carrier: object, context: Context | None) -> bool:
        called = get_value(DESTINATION_KEY, context)
        if isinstance(called, str) and not self.allows(called):
            return False
        host = destination.of(get_current_span(context))
        if host is None:
            host = _carrier_host(carrier)
        return host is None or self.allows(host)


def _owned(context: Context | None) -> Context | None:
    """Inside a call of ours the next service learns that the call is counted here, and does not count it again."""
    current = get_current_span(context).get_span_context()
    if get_value(DESTINATION_KEY, context) is None or not current.is_valid:
        return context
    state = current.trace_state.update(*OWNED_STATE)
    marked = SpanContext(current.trace_id, current.span_id, current.is_remote, current.trace_flags, state)
    return set_span_in_context(NonRecordingSpan(marked), context)


def install(allowed: Sequence[str] = (), accepted: Sequence[str] = ()) -> None:
    """Filter what the global propagator injects; ``allowed`` are hosts beside the inner ones.

    ``accepted`` is what is taken over of the baggage of callers.

    ``"name"`` allows that host, ``"*.name"`` every host below it, ``"*"`` all.  Called again, it takes the new list and
    wraps a propagator that the program has set meanwhile.  Nothing is imported before somebody propagates.
    """
    global _allowed, _accepted
    _allowed, _accepted = tuple(allowed), tuple(accepted)
    imports.when_imported("opentelemetry.propagate", _wrap)


def _wrap(module: ModuleType) -> None:
    current = module.get_global_textmap()
    inner = current.inner if isinstance(current, HostFilter) else current
    module.set_global_textmap(HostFilter(inner, _allowed, _accepted))


def is_inside(host: str) -> bool:
    """Whether ``host`` is a loopback, private or link-local address, or a name that only resolves inside."""
    name = host.lower().rstrip(".").strip("[]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if "." in name:
            return name.endswith(_INSIDE)
        # Not "2130706433" or "0x7f000001": resolvers read both as addresses, of any host.
        return name[:1].isalpha()
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:8.8.8.8 lies in a private range, 8.8.8.8 does not
    address = mapped or address
    return address.is_loopback or address.is_private or address.is_link_local


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Whether one of ``patterns`` (exact, ``*.suffix`` or ``*``, in lower case) allows ``host``."""
    name = host.lower().rstrip(".").strip("[]")
    return any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))
        for pattern in patterns
    )


def _carrier_host(carrier: Any) -> str | None:
    """The ``Host`` header, where the carrier is the whole header mapping."""
    if not hasattr(carrier, "get"):
        return None
    value = carrier.get("host") or carrier.get("Host")
    return destination.without_port(value) if isinstance(value, str) and value else None
