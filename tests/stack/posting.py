"""Requests of OTLP over HTTP by hand: what was acknowledged is known of each, and a request costs the sender little."""

from __future__ import annotations

import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_SAID: Final[Mapping[str, str | int]] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": "chatcmpl-example",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "server.address": "api.openai.com",
    "server.port": 443,
}
_OURS: Final = {"telemetry.distro.name": "genai-otel"}


class Batch:
    """Spans of calls, a root and its children per trace, that can be sent once or again with other ids."""

    def __init__(
        self,
        service: str,
        traces: int,
        *,
        spans: int = 1,
        seconds: float = 0.02,
        failed: bool = False,
        ours: bool = False,
        said: Mapping[str, str | int] | None = None,
    ) -> None:
        self._nanoseconds = int(seconds * 1e9)
        self._request: Any = ExportTraceServiceRequest()  # generated, without types
        group = self._request.resource_spans.add()
        _put(group.resource.attributes, {"service.name": service, **(_OURS if ours else {})})
        scoped = group.scope_spans.add()
        scoped.scope.name = "genai_otel" if ours else "posted"
        self._traces = [[scoped.spans.add() for _ in range(spans)] for _ in range(traces)]
        for trace in self._traces:
            for span in trace:
                span.name, span.kind = "chat gpt-4o-mini", 3
                span.status.code = 2 if failed else 0
                _put(span.attributes, {**_SAID, **(said or {})})

    def renewed(self) -> bytes:
        """The request with ids of its own and the times of now."""
        now = time.time_ns()
        for trace in self._traces:
            trace_id, root = secrets.token_bytes(16), b""
            for span in trace:
                span.trace_id, span.parent_span_id, span.span_id = trace_id, root, secrets.token_bytes(8)
                span.start_time_unix_nano, span.end_time_unix_nano = now - self._nanoseconds, now
                root = root or span.span_id
        return self._request.SerializeToString()

    @property
    def span_ids(self) -> set[str]:
        """Those of the last request."""
        return {span.span_id.hex() for trace in self._traces for span in trace}

    @property
    def trace_ids(self) -> list[str]:
        """Those of the last request."""
        return [trace[0].trace_id.hex() for trace in self._traces]


def _put(attributes: Any, values: Mapping[str, str | int]) -> None:
    for name, value in values.items():
        pair = attributes.add(key=name)
        setattr(pair.value, "int_value" if isinstance(value, int) else "string_value", value)


def post(endpoint: str, body: bytes, *, timeout: float = 10) -> int:
    """Send spans; the status of the answer, 0 where there is none."""
    request = urllib.request.Request(
        f"{endpoint}/v1/traces", body, {"content-type": "application/x-protobuf"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
