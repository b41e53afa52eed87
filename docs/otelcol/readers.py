"""How a value of another vocabulary is read: what :mod:`genai_otel.processing.dialects.values` does, as statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from genai_otel import semconv
from genai_otel.processing.dialects.values import COUNTS, LISTS, NUMBERS, TEXTS
from otelcol.ottl import of, put

Reader = Callable[[str, str], list[str]]
"""Where the value shall stand, and where it is; both are paths."""

_FAILED: Final = f"span.status.code == STATUS_CODE_ERROR and {of(semconv.RESPONSE_ID)} == nil"


def say(name: str, value: str, *, serves: bool = False) -> list[str]:
    """Note a value under its conventional name, unless the span has one there; ``serves`` as a dialect does."""
    if serves and name == semconv.RESPONSE_TIME_TO_FIRST_CHUNK:
        return _number(of(name), value)
    return _READERS.get(name, _any)(of(name), value)


def _any(target: str, value: str) -> list[str]:
    return [put(target, value, f"{target} == nil", f"{value} != nil")]


def _count(target: str, value: str) -> list[str]:
    whole = f"(IsInt({value}) or IsDouble({value})) and {value} >= 0"
    return [put(target, f"Int({value})", f"{target} == nil", whole)]


def _number(target: str, value: str) -> list[str]:
    return [put(target, value, f"{target} == nil", f"(IsInt({value}) or IsDouble({value}))")]


def _text(target: str, value: str) -> list[str]:
    return [put(target, value, f"{target} == nil", f"IsString({value})", f'{value} != ""')]


def _list(target: str, value: str) -> list[str]:
    empty, is_text = f"{target} == nil", f"IsString({value})"
    return [
        put(target, value, empty, f"IsList({value})"),
        put(target, f"ParseJSON({value})", empty, is_text, f'IsMatch({value}, "^\\\\[")'),
        put(target, f'[Trim({value}, "\\"")]', empty, is_text, f'{value} != ""'),
    ]


def _provider(target: str, value: str) -> list[str]:
    return [
        put(
            target,
            f'ConvertCase({value}, "lower")',
            f"{target} == nil",
            f"IsString({value})",
            f'{value} != ""',
        )
    ]


def _stream(target: str, value: str) -> list[str]:
    return [put(target, "true", f"{target} == nil", f'IsMatch({value}, "(?i)^true$$")')]


def _first(target: str, value: str) -> list[str]:
    """There is one in a stream; a model server makes one for every request."""
    streams = f"({of(semconv.REQUEST_STREAM)} == true or span.kind == SPAN_KIND_SERVER)"
    return [f"{each} and {streams}" for each in _number(target, value)]


def _answered(target: str, value: str) -> list[str]:
    """Where nobody answered it is the model that was asked."""
    asked = of(semconv.REQUEST_MODEL)
    return [
        *(f"{each} and {_FAILED}" for each in _text(asked, value)),
        *(f"{each} and not ({_FAILED})" for each in _text(target, value)),
    ]


_READERS: Final[dict[str, Reader]] = {
    **dict.fromkeys(COUNTS, _count),
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(LISTS, _list),
    **dict.fromkeys(TEXTS, _text),
    semconv.RESPONSE_MODEL: _answered,
    semconv.PROVIDER_NAME: _provider,
    semconv.REQUEST_STREAM: _stream,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: _first,
}
