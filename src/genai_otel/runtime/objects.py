"""What ``setup()`` takes beside plain settings, and what each must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from genai_otel.setting_values import shown


class _Kind(NamedTuple):
    allowed: str
    holds: Callable[[Any], bool]


def problems(given: Mapping[str, Any]) -> list[str]:
    """One sentence for each of ``given`` that is not what it must be."""
    return [
        f"setup({name}=…) is {shown(value)}; allowed is {OBJECTS[name].allowed}"
        for name, value in given.items()
        if not OBJECTS[name].holds(value)
    ]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and "://" in value


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _has(method: str) -> Callable[[Any], bool]:
    return lambda value: callable(getattr(value, method, None)) and not isinstance(value, type)


def _all_have(method: str) -> Callable[[Any], bool]:
    return lambda value: type(value) in (list, tuple) and all(map(_has(method), value))


OBJECTS: Final[dict[str, _Kind]] = {
    "endpoint": _Kind("a URL such as 'http://127.0.0.1:4318'", _is_url),
    "service_name": _Kind("a text", _is_text),
    "resource_attributes": _Kind("a mapping of names to values", _is_mapping),
    "sampler": _Kind("a sampler of the SDK", _has("should_sample")),
    "tracer_provider": _Kind("a TracerProvider", _has("get_tracer")),
    "meter_provider": _Kind("a MeterProvider", _has("get_meter")),
    "logger_provider": _Kind("a LoggerProvider", _has("get_logger")),
    "span_exporters": _Kind("a list of span exporters", _all_have("export")),
    "metric_readers": _Kind("a list of metric readers", _all_have("collect")),
    "log_exporters": _Kind("a list of log record exporters", _all_have("export")),
}
