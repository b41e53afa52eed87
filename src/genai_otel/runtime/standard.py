"""Standard variables that have a value which they cannot have: named in one warning each, and the default holds.

The SDK treats them in every way there is: some are ignored with a log line, some with a traceback, some fail the
signal, and some fail the import of the SDK itself.  So they are looked at before the SDK is imported, and a bad one
is taken out of ``os.environ``, because the SDK reads the environment again whenever it makes something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, MutableMapping
from typing import Final

SPAN_QUEUE: Final = 8_192
"""Spans that wait for an exporter: the SDK's 2,048 empty in 10 s of a stalled back end at 200 spans/s."""
_LOG_QUEUE: Final = 2_048
_BATCH: Final = 512
_SIGNALS: Final = ("", "TRACES_", "METRICS_", "LOGS_")


def correct(environ: MutableMapping[str, str]) -> list[str]:
    """Take bad values out of ``environ``; one sentence for each: the variable, its value and what is allowed."""
    found: list[str] = []
    for name, allowed, holds in _rules():
        text = environ.get(name, "").strip()
        if not text:
            environ.pop(
                name, None
            )  # set to nothing is not set, as the specification says and not all of the SDK does
        elif not holds(text):
            value = "not shown here" if name.endswith("HEADERS") else repr(text)  # a header is often a secret
            found.append(f"{name} is {value}; allowed is {allowed}; its default holds")
            del environ[name]
    return [*found, *_correct_ratio(environ), *_correct_batches(environ)]


def _correct_ratio(environ: MutableMapping[str, str]) -> Iterator[str]:
    """The argument of a sampler is a ratio only for the samplers that take one."""
    name = "OTEL_TRACES_SAMPLER_ARG"
    text = environ.get(name, "").strip()
    ratio = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower().endswith("traceidratio")
    if ratio and text and not _number(0, 1)(text):
        yield f"{name} is {text!r}; allowed is a number from 0 to 1; everything is sampled"
        environ[name] = "1.0"


def _correct_batches(environ: MutableMapping[str, str]) -> Iterator[str]:
    """A batch that is larger than its queue fails the signal in the SDK, the default batch of 512 as well."""
    for kind, default in (("BSP", SPAN_QUEUE), ("BLRP", _LOG_QUEUE)):
        size, queue = f"OTEL_{kind}_MAX_EXPORT_BATCH_SIZE", f"OTEL_{kind}_MAX_QUEUE_SIZE"
        most = int(environ.get(queue) or default)
        if int(environ.get(size) or _BATCH) > most:
            if environ.get(size):
                yield f"{size} is {environ[size]!r}; allowed is at most {queue}, which is {most} and is used"
            environ[size] = str(most)


def _rules() -> Iterator[tuple[str, str, Callable[[str], bool]]]:
    for kind in ("BSP", "BLRP"):
        for what in ("MAX_QUEUE_SIZE", "SCHEDULE_DELAY", "MAX_EXPORT_BATCH_SIZE", "EXPORT_TIMEOUT"):
            yield f"OTEL_{kind}_{what}", "a whole number from 1", _whole(1)
    for what in ("", "SPAN_", "EVENT_", "LINK_", "LOGRECORD_"):
        yield f"OTEL_{what}ATTRIBUTE_COUNT_LIMIT", "a whole number from 0", _whole(0)
        yield f"OTEL_{what}ATTRIBUTE_VALUE_LENGTH_LIMIT", "a whole number from 0", _whole(0)
    for what in ("EVENT", "LINK"):
        yield f"OTEL_SPAN_{what}_COUNT_LIMIT", "a whole number from 0", _whole(0)
    for what in ("INTERVAL", "TIMEOUT"):
        yield f"OTEL_METRIC_EXPORT_{what}", "a number of milliseconds above 0", _number(0.001)
    for signal in _SIGNALS:
        start = f"OTEL_EXPORTER_OTLP_{signal}"
        yield f"{start}TIMEOUT", "a number of seconds above 0", _number(0.001)
        yield f"{start}PROTOCOL", "http/protobuf or grpc", _one_of("http/protobuf", "grpc")
        yield f"{start}COMPRESSION", "gzip, deflate or none", _one_of("gzip", "deflate", "none")
        yield f"{start}HEADERS", "key=value pairs with commas between them", _pairs
    yield (
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        "cumulative, delta or lowmemory",
        _one_of("cumulative", "delta", "lowmemory"),
    )
    filters = ("trace_based", "always_on", "always_off")
    yield "OTEL_METRICS_EXEMPLAR_FILTER", ", ".join(filters), filters.__contains__  # the SDK minds the case
    yield "OTEL_SDK_DISABLED", "true or false", _one_of("true", "false")


def _whole(low: int) -> Callable[[str], bool]:
    return lambda text: text.isascii() and text.isdecimal() and int(text) >= low


def _number(low: float, high: float = math.inf) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            return low <= float(text) <= high
        except ValueError:
            return False

    return holds


def _one_of(*allowed: str) -> Callable[[str], bool]:
    return lambda text: text.lower() in allowed


def _pairs(text: str) -> bool:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return all(part.partition("=")[1] and part.partition("=")[0].strip() for part in parts)
