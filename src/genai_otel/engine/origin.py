"""What is the same for every call of one client instance with one model: name, identity attributes, server.

Building it costs more than the rest of a call's begin, so it is kept per (endpoint, connection, model) in a bounded
table.  An entry holds its connection object, so that the object's identity cannot be given to another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from genai_otel import fence, safe, semconv

if TYPE_CHECKING:
    from genai_otel.spec import ClientSpec, Endpoint, Native, Peer

_LIMIT: Final = 512

_origins: dict[tuple[Endpoint, int, object], Origin] = {}


class Origin:
    """The start of every call of one endpoint, connection and model, or of every run of one step of the program's.

    ``attributes`` are those that a span starts with; ``held`` is what may not be gone while this is here.
    """

    __slots__ = ("address", "attributes", "held", "kind", "name")

    def __init__(
        self,
        name: str,
        attributes: dict[str, Any],
        *,
        kind: SpanKind = SpanKind.CLIENT,
        address: str | None = None,
        held: object = None,
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.kind = kind
        self.address = address
        self.held = held


def _origin(spec: ClientSpec, endpoint: Endpoint, instance: Any, model: object) -> Origin:
    peer = spec.peer(instance)
    if model is None:
        model = peer.model
    if isinstance(model, str) and model.startswith(("http://", "https://")):
        peer, model = _at(model, peer), None
    attributes: dict[str, Any] = {
        semconv.OPERATION_NAME: endpoint.operation,
        semconv.PROVIDER_NAME: peer.provider,
    }
    if model is not None:
        attributes[semconv.REQUEST_MODEL] = safe.label(model)
    if peer.address is not None:
        attributes[semconv.SERVER_ADDRESS] = safe.label(peer.address)
        if peer.port is not None:
            attributes[semconv.SERVER_PORT] = peer.port
    if spec.native is not None:
        _tell_of_both(spec.name, spec.native, instance)
    name = attributes.get(semconv.REQUEST_MODEL)
    name = endpoint.operation if name is None else f"{endpoint.operation} {name}"
    return Origin(name, attributes, address=peer.address, held=spec.connection(instance))


def _at(url: str, peer: Peer) -> Peer:
    """Who is asked where a model is named by its address: that says where it is, not what it is called."""
    parts = urlsplit(url)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return peer._replace(address=parts.hostname, port=port, model=None)


def origin_of(spec: ClientSpec, endpoint: Endpoint, instance: Any, arguments: Mapping[str, Any]) -> Origin:
    """The origin of a call that ``instance`` makes with ``arguments``."""
    model: Any = arguments.get(endpoint.model) if endpoint.model else None
    if model.__class__ is not str:
        model = None if model is None else safe.attribute(model)
    key = (endpoint, id(spec.connection(instance)), model)
    origin = _origins.get(key)
    if origin is None:
        origin = _origin(spec, endpoint, instance, model)
        if len(_origins) >= _LIMIT:
            _origins.clear()
        _origins[key] = origin
    return origin


def _tell_of_both(client: str, native: Native, instance: Any) -> None:
    with fence.contain("engine.native"):
        if native.on(instance):
            fence.warn(
                f"a client of {client} traces itself, as the program told it; its spans stay and each call is still "
                f"counted once. To have only those, set GENAI_OTEL_CLIENTS_NATIVE={client}"
            )
