"""Puts everything together once per process: providers, pipeline, engine, other people's instrumentations, the end.

The only module that knows all rooms.  ``setup()`` and the launcher give the same result; whoever comes second finds
it there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from genai_otel import fence
from genai_otel.config import Config, SettingError
from genai_otel.runtime.objects import OBJECTS, problems
from genai_otel.runtime.standard import correct

if TYPE_CHECKING:
    from genai_otel.runtime.handle import Handle

_lock = threading.RLock()
_handle: Handle | None = None
_first: dict[str, Any] = {}


def setup(**settings: Any) -> Handle:
    """Switch tracing on for this process and return its handle.

    Without arguments everything follows the standard ``OTEL_*`` variables: OTLP where an endpoint is configured, a
    live view on stderr where nothing is.  Settings of our own are in ``genai_otel.config.SETTINGS``; beside them:

    - ``service_name``, ``resource_attributes``: the resource (``OTEL_SERVICE_NAME``, ``OTEL_RESOURCE_ATTRIBUTES``);
    - ``endpoint``: base URL of an OTLP receiver (``OTEL_EXPORTER_OTLP_ENDPOINT``);
    - ``sampler``: a sampler of the SDK (``OTEL_TRACES_SAMPLER``);
    - ``tracer_provider``, ``meter_provider``, ``logger_provider``: providers of your own, used and never shut down;
    - ``span_exporters``, ``metric_readers``, ``log_exporters``: objects that get telemetry beside the configured ones.

    Idempotent and thread-safe: a second call returns the same handle and names in one warning what it ignored.
    Raises :class:`genai_otel.config.SettingError` for an unknown setting or a value that one cannot have.
    """
    return _setup(settings, lenient=False)


def setup_from_launcher() -> Handle:
    """As :func:`setup` without arguments; a bad variable is one warning, because nobody is there to catch an error."""
    return _setup({}, lenient=True)


def current() -> Handle | None:
    """The handle of this process, or None before :func:`setup`."""
    return _handle


def flush(timeout: float = 5.0) -> bool:
    """Send what is there within ``timeout`` seconds; whether all of it was taken.  True before :func:`setup`."""
    return _handle is None or _handle.flush(timeout)


def shutdown(timeout: float | None = None) -> bool:
    """End the telemetry of this process within ``timeout`` seconds; whether everything was sent."""
    return _handle is None or _handle.shutdown(timeout)


def _setup(settings: Mapping[str, Any], *, lenient: bool) -> Handle:
    global _handle  # noqa: PLW0603 - one set-up per process is the point
    with _lock:
        given = {name: value for name, value in settings.items() if value is not None}
        objects = {name: value for name, value in given.items() if name in OBJECTS}
        config = _load({name: given[name] for name in given.keys() - objects}, objects, lenient=lenient)
        if _handle is not None:
            _tell_what_is_ignored(given)
            _filter_headers_again(_handle)
            return _handle
        config = replace(config, problems=(*config.problems, *correct(os.environ)))
        for problem in config.problems:
            fence.warn(problem)
        from genai_otel.runtime.build import build
        from genai_otel.runtime.greenlets import gentle_forks

        _first.update(given)
        with gentle_forks():
            _handle = build(config, objects)
        return _handle


def _load(plain: Mapping[str, Any], objects: Mapping[str, Any], *, lenient: bool) -> Config:
    """The settings; all that is wrong with them is in one :class:`SettingError`."""
    wrong = problems(objects)
    try:
        config = Config.load(plain, os.environ, lenient=lenient)
    except SettingError as error:
        wrong.append(str(error).replace("; it has ", f"; it has {', '.join(sorted(OBJECTS))}, ", 1))
    else:
        if not wrong:
            return config
    raise SettingError("; ".join(wrong))


def _filter_headers_again(handle: Handle) -> None:
    """The program may have set another global propagator since; its headers are for the same hosts."""
    if handle.pipeline is not None and not handle.ended:
        from genai_otel import propagate

        with fence.contain("runtime.propagate"):
            propagate.install(handle.config.propagate_to, handle.config.accept_baggage)


def _tell_what_is_ignored(given: Mapping[str, Any]) -> None:
    if _handle is not None and _handle.ended:
        fence.warn(
            "setup() after shutdown() switches nothing on: OpenTelemetry's providers can be set once per process"
        )
    ignored = [name for name, value in given.items() if not _same(_first.get(name), value)]
    if ignored:
        fence.warn(
            f"setup() has run in this process already; ignored: {', '.join(sorted(ignored))}. "
            f"Start the process (or the notebook's kernel) anew to change them"
        )


def _same(first: Any, second: Any) -> bool:
    if type(first) in _LISTS and type(second) in _LISTS:
        return len(first) == len(second) and all(map(_same, first, second))
    # Anything but plain values may have an equality of its own.
    return first is second or (type(second) in _PLAIN and type(first) is type(second) and first == second)


_LISTS = (list, tuple)
_PLAIN = frozenset({str, bool, int, float, dict})
