"""A Jaeger and a Prometheus as their documents describe their HTTP APIs, on real sockets of this machine.

Neither program is here; what they answer was written after Jaeger's own fixture of a translated trace, and
Prometheus' description of ``query_range``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from genai_otel.testing.directives import Plan
from genai_otel.testing.http_server import HttpServer
from genai_otel.testing.wire import Reply, Request
from tests.report.written import Json

_KINDS = ("", "internal", "server", "client", "producer", "consumer")
_CODES = ("", "OK", "ERROR")


class Answering(HttpServer):
    """Answers with JSON, or with what `broken` says; notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, str]] = []
        self.broken: tuple[bytes, int] | None = None

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        raise NotImplementedError

    def respond(self, request: Request) -> tuple[Reply, Plan]:
        self.asked.append(request.query)
        if self.broken is not None:
            return Reply(self.broken[0], self.broken[1]), Plan()
        found = self.answer(request.route, request.query)
        if found is None:
            return Reply(b'{"errors": [{"code": 404, "msg": "no such page"}]}', 404), Plan()
        return Reply(json.dumps(found).encode()), Plan()


class Jaeger(Answering):
    """Has traces of OTLP's form, by service."""

    def __init__(self, **services: Sequence[Json]) -> None:
        super().__init__()
        self.spans = services

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        if path == "/api/services":
            return _envelope([*self.spans, "jaeger"])
        if path != "/api/traces":
            return None
        start, end = (int(asked[name]) * 1000 for name in ("start", "end"))
        everything = [(service, span) for service, spans in self.spans.items() for span in spans]
        found = {
            span["traceId"]: None
            for service, span in everything
            if service == asked["service"] and start <= int(span["startTimeUnixNano"]) <= end
        }
        chosen = list(found)[: int(asked["limit"])]
        return _envelope(
            [
                trace(key, [(service, span) for service, span in everything if span["traceId"] == key])
                for key in chosen
            ]
        )


def trace(trace_id: str, spans: Sequence[tuple[str, Json]]) -> Json:
    """A trace as Jaeger shows it: tags in place of kind, status and scope, lists as JSON."""
    return {
        "traceID": trace_id,
        "spans": [_span(span, service) for service, span in spans],
        "processes": {
            service: {
                "serviceName": service,
                "tags": [{"key": "host.name", "type": "string", "value": "here"}],
            }
            for service, _ in spans
        },
        "warnings": None,
    }


def _envelope(data: Any) -> Json:
    return {"data": data, "total": 0, "limit": 0, "offset": 0, "errors": None}


def _span(span: Json, service: str) -> Json:
    tags = [_tag(pair["key"], pair["value"]) for pair in span["attributes"]]
    tags.append({"key": "span.kind", "type": "string", "value": _KINDS[span["kind"]]})
    tags.append({"key": "otel.scope.name", "type": "string", "value": span.get("scope", "genai_otel")})
    if code := span["status"].get("code"):
        tags.append({"key": "otel.status_code", "type": "string", "value": _CODES[code]})
        tags.append(
            {"key": "otel.status_description", "type": "string", "value": span["status"].get("message", "")}
        )
    if code == 2:
        tags.append({"key": "error", "type": "bool", "value": True})
    parent = {"refType": "CHILD_OF", "traceID": span["traceId"], "spanID": span["parentSpanId"]}
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    return {
        "traceID": span["traceId"],
        "spanID": span["spanId"],
        "operationName": span["name"],
        "references": [parent] if span["parentSpanId"] else [],
        "startTime": start // 1000,
        "duration": (end - start) // 1000,
        "tags": tags,
        "logs": [
            {
                "timestamp": int(event.get("timeUnixNano", 0)) // 1000,
                "fields": [
                    {"key": "event", "type": "string", "value": event["name"]},
                    *(_tag(pair["key"], pair["value"]) for pair in event["attributes"]),
                ],
            }
            for event in span.get("events", ())
        ],
        "processID": service,
        "warnings": None,
    }


def _tag(key: str, value: Json) -> Json:
    ((kind, plain),) = value.items()
    if kind == "arrayValue":
        plain = json.dumps([each["stringValue"] for each in plain["values"]], separators=(",", ":"))
    types = {"intValue": "int64", "doubleValue": "float64", "boolValue": "bool"}
    return {
        "key": key,
        "type": types.get(kind, "string"),
        "value": int(plain) if kind == "intValue" else plain,
    }


class Prometheus(Answering):
    """Fires alerts: (name, severity) to the times of firing, in seconds since the epoch."""

    def __init__(self, firing: Mapping[tuple[str, str], Sequence[tuple[float, float]]]) -> None:
        super().__init__()
        self.firing = firing

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        if path != "/api/v1/query_range" or not asked["query"].startswith('ALERTS{alertstate="firing"'):
            return None
        start, end, step = float(asked["start"]), float(asked["end"]), int(asked["step"])
        assert (end - start) / step <= 11_000
        moments = [start + place * step for place in range(int((end - start) // step) + 1)]
        series = [
            {
                "metric": {
                    "__name__": "ALERTS",
                    "alertname": name,
                    "alertstate": "firing",
                    "severity": severity,
                },
                "values": [[at, "1"] for at in moments if any(begin <= at < stop for begin, stop in times)],
            }
            for (name, severity), times in self.firing.items()
        ]
        found = [each for each in series if each["values"]]
        return {"status": "success", "data": {"resultType": "matrix", "result": found}}
