"""Chooses the exporters that the standard variables name.  Each is made on its own; one that fails leaves the others.

OTLP over http/protobuf is the default where an endpoint is configured; gRPC is imported only when chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, Literal

from opentelemetry.util._importlib_metadata import (
    entry_points,  # pyright: ignore[reportUnknownVariableType] - cached by the API, without types
)

from genai_otel import fence

Signal = Literal["traces", "metrics", "logs"]

_CLASSES: Final = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}
_PROTOCOLS: Final = {"http/protobuf": "http", "grpc": "grpc"}


class ExporterError(Exception):
    """An exporter that was asked for cannot be made; the text says which and what to do."""


def chosen(signal: Signal, environ: Mapping[str, str], *, endpoint: str | None) -> list[str]:
    """Names of the exporters of a signal: what the variable says, else ``otlp`` where an endpoint is configured."""
    said = environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip()
    if said:
        return [
            name
            for name in dict.fromkeys(part.strip() for part in said.split(","))
            if name and name != "none"
        ]
    configured = endpoint or _otlp(signal, "ENDPOINT", environ)
    return ["otlp"] if configured else []


def make(name: str, signal: Signal, environ: Mapping[str, str], *, endpoint: str | None) -> tuple[Any, str]:
    """The exporter ``name`` of a signal and the words that describe it; raises :class:`ExporterError`."""
    if name in ("otlp", "otlp_proto_http", "otlp_proto_grpc"):
        protocol = {"otlp_proto_http": "http", "otlp_proto_grpc": "grpc"}.get(name) or _protocol(
            signal, environ
        )
        target = endpoint or _otlp(signal, "ENDPOINT", environ) or "its default endpoint"
        options: dict[str, Any] = {}
        if endpoint is not None:
            options["endpoint"] = endpoint if protocol == "grpc" else f"{endpoint.rstrip('/')}/v1/{signal}"
        if protocol == "grpc" and _otlp(signal, "COMPRESSION", environ).lower() == "none":
            options["compression"] = (
                _uncompressed()
            )  # a value that the exporter does not know from the variable
        return PerProcess(
            lambda: _make_otlp(protocol, signal, options)
        ), f"{signal}: OTLP/{protocol} to {target}"
    found = list(entry_points(group=f"opentelemetry_{signal}_exporter", name=name))
    if not found:
        raise ExporterError(
            f"OTEL_{signal.upper()}_EXPORTER names {name!r}, which is not installed; "
            f"allowed are otlp, console, none and the names that installed packages offer"
        )
    return found[0].load()(), f"{signal}: {name}"


def _protocol(signal: Signal, environ: Mapping[str, str]) -> str:
    said = _otlp(signal, "PROTOCOL", environ) or "http/protobuf"
    protocol = _PROTOCOLS.get(said)
    if protocol is None:
        raise ExporterError(f"OTEL_EXPORTER_OTLP_PROTOCOL is {said!r}; allowed are {', '.join(_PROTOCOLS)}")
    return protocol


def _otlp(signal: Signal, what: str, environ: Mapping[str, str]) -> str:
    own = environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", "").strip()
    return own or environ.get(f"OTEL_EXPORTER_OTLP_{what}", "").strip()


def _make_otlp(protocol: str, signal: Signal, options: Mapping[str, Any]) -> Any:
    module, name = _CLASSES[signal]
    exporter = getattr(import_module(f"opentelemetry.exporter.otlp.proto.{protocol}.{module}"), name)
    return exporter(**options)


def _uncompressed() -> Any:
    import grpc

    return grpc.Compression.NoCompression


class PerProcess:
    """An exporter that is made anew in a forked child, which must not share its parent's connection."""

    def __init__(self, make_exporter: Callable[[], Any]) -> None:
        self._make = make_exporter
        self._exporter = make_exporter()
        self._pid = os.getpid()
        self._inherited: list[Any] = []

    def export(self, *args: Any, **kwargs: Any) -> Any:
        if self._pid != os.getpid():
            # Kept, because its end would close a connection that the parent still uses.
            self._inherited.append(self._exporter)
            self._exporter, self._pid = self._make(), os.getpid()
        return self._exporter.export(*args, **kwargs)

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        if self._pid == os.getpid():
            self._exporter.shutdown(*args, **kwargs)

    def force_flush(self, *args: Any, **kwargs: Any) -> bool:
        return self._pid != os.getpid() or self._exporter.force_flush(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        # What a metric reader asks of its exporter beside exporting: preferred temporality and aggregation.
        return getattr(self._exporter, name)


class CountedMetrics:
    """A metric exporter whose failures are counted, in points; cumulative ones come again with the next export."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def export(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        taken = None
        try:
            taken = self._exporter.export(data, *args, **kwargs)
        finally:
            if getattr(taken, "name", "") != "SUCCESS":
                fence.dropped("metrics", fence.EXPORT_FAILED, _points(data))
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exporter, name)


def _points(data: Any) -> int:
    return sum(
        len(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
