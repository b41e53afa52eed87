"""The Prometheus reader: an option that survives a taken port and listens on loopback unless told otherwise."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader

    from genai_otel.runtime.providers import Built

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def serve(built: Built) -> MetricReader | None:
    """Serve metrics for scraping by ``OTEL_EXPORTER_PROMETHEUS_HOST`` and ``_PORT``; None when that cannot be."""
    from prometheus_client import start_http_server

    environ = built.asked.environ
    host = environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
    text = environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or "9464"
    if not text.isdecimal() or int(text) > 65_535:
        built.problem(f"OTEL_EXPORTER_PROMETHEUS_PORT is {text!r}; allowed is a number from 0 to 65535")
        return None
    reader, registry = _reader()
    try:
        server, _ = start_http_server(int(text), addr=host, registry=registry)
        if hasattr(os, "register_at_fork"):  # nobody answers there in a child, and it would keep the port
            os.register_at_fork(after_in_child=server.socket.close)
    except OSError as error:
        reader.shutdown()
        built.problem(
            f"metrics are not served on {host}:{text} ({error.strerror or error}); another process has the port. "
            f"Set OTEL_EXPORTER_PROMETHEUS_PORT, or send metrics by OTLP, which many workers can share"
        )
        return None
    if host not in _LOOPBACK:
        built.problem(
            f"metrics are served on {host}:{text} without TLS or a password, as OTEL_EXPORTER_PROMETHEUS_HOST says"
        )
    built.exporters.append(f"metrics: Prometheus on {host}:{server.server_port}")
    return reader


def _reader() -> tuple[Any, Any]:
    """The reader and the registry that it fills: ours, or the process's own with exporters that know no other."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from prometheus_client import REGISTRY, CollectorRegistry

    known = inspect.signature(PrometheusMetricReader).parameters
    if "registry" not in known:
        return PrometheusMetricReader(), REGISTRY
    registry = CollectorRegistry()
    # One label set per metric and none that a resource or a scope could change, so that no value gets a wrong label.
    return PrometheusMetricReader(scope_info_enabled=False, registry=registry), registry
