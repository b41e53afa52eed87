"""20-dialects.yaml: the tables of :mod:`genai_otel.processing.dialects` as statements of the Collector's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from genai_otel import finish_reasons, semconv
from genai_otel.processing.dialects.dialect import CACHED, Dialect
from genai_otel.processing.dialects.translate import DIALECTS
from genai_otel.processing.dialects.values import APIS, LONGEST, PROVIDERS
from otelcol.ottl import NOT_OURS, Group, kept, listed, of, put, text, words
from otelcol.readers import say

HEADER: Final = """\
# What other libraries say, in the conventions' names: OpenInference, OpenLLMetry, the older `gen_ai.*` and others.
#
# Written by `make docs` from src/genai_otel/processing/dialects, the tables by which a process that runs genai-otel
# translates the same spans.  Change those.  What a library said stays beside what it means.
processors:
  transform/dialects:
    error_mode: silent # an attribute of another kind than the table expects is not translated
    trace_statements:
"""

_OPERATION: Final = of(semconv.OPERATION_NAME)
_ERROR: Final = of(semconv.ERROR_TYPE)
_STREAM: Final = of(semconv.REQUEST_STREAM)
_FIRST: Final = of(semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
_MOST_CHOICES: Final = 8


def document() -> str:
    """The whole file."""
    groups = [group for dialect in DIALECTS for group in _groups(dialect)]
    return HEADER + "\n".join(listed([*groups, *_repairs()])) + "\n"


def _groups(dialect: Dialect) -> Iterator[Group]:
    conditions = _spoken(dialect.marks, dialect.within)
    statements = [
        *_operations(dialect),
        *_inside(dialect.inside),
        *(
            line
            for name, meant in dialect.renamed.items()
            for line in say(meant, of(name), serves=dialect.serves)
        ),
        *(put(of(name), text(value), f"{of(name)} == nil") for name, value in dialect.implied.items()),
        *_indexed(dialect),
        *_words(dialect),
        *_time_of_day(dialect.first_chunk),
        *_uncounted(dialect),
        *_total(dialect.total),
        *_named(dialect.entity),
    ]
    yield Group(dialect.name, "span", conditions, statements)
    if dialect.first_chunk is not None:
        yield Group(f"{dialect.name}: the first chunk", "spanevent", conditions, _event(dialect.first_chunk))


def _spoken(marks: Iterable[str], within: Iterable[str] = ()) -> list[str]:
    found = "".join(f" and {of(name)} != nil" for name in sorted(within))
    return [f"{of(mark)} != nil{found} and {NOT_OURS}" for mark in sorted(marks)]


def _operations(dialect: Dialect) -> Iterator[str]:
    for name, operations in dialect.operations:
        by_operation: defaultdict[str, list[str]] = defaultdict(list)
        for word, operation in operations.items():
            by_operation[operation].append(word)
        for operation, meaning in by_operation.items():
            pattern = text(f"(?i)^({'|'.join(map(_quoted, meaning))})$")
            free = [f"{_OPERATION} == nil"] if name != semconv.OPERATION_NAME else []
            yield put(_OPERATION, text(operation), *free, f"IsMatch({of(name)}, {pattern})")
    for name, prefixes in dialect.prefixes:
        for begins, operation in prefixes.items():
            yield put(
                _OPERATION, text(operation), f"{_OPERATION} == nil", f"HasPrefix({of(name)}, {text(begins)})"
            )


def _quoted(word: str) -> str:
    return "".join(f"\\{sign}" if sign in r".\{}()[]*+?|^$" else sign for sign in word)


def _inside(inside: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name, parts in inside.items():
        if set(parts) == {""}:
            yield from _itself(name, parts[""])
            continue
        found = of(name)
        yield put(kept("in"), "{}")
        yield put(kept("in"), found, f"IsMap({found})")
        short = f"Len({found}) <= {LONGEST}"
        yield put(kept("in"), f"ParseJSON({found})", f"IsString({found})", short, f'HasPrefix({found}, "{{")')
        for path, meant in parts.items():
            *above, last = path.split(".")
            # The only lists that are stepped into are those of choices.
            steps = [
                step
                for each in above
                for step in ((f'["{each}"]', "[0]") if each == "choices" else (f'["{each}"]',))
            ]
            yield from say(meant, kept("in") + "".join(steps) + f'["{last}"]')


def _itself(name: str, meant: str) -> Iterator[str]:
    """A value that is JSON by itself: a word in quotes, or a number."""
    found = of(name)
    yield put(kept("it"), found, f"not IsString({found})")
    yield put(kept("it"), f'Trim({found}, "\\"")', f"IsString({found})")
    yield put(kept("it"), f"Double({found})", f"IsString({found})", f'IsMatch({found}, "^-?[0-9.]+$$")')
    yield from say(meant, kept("it"))
    yield f'delete_key({kept()}, "it")'


def _indexed(dialect: Dialect) -> Iterator[str]:
    for (before, behind), meant in dialect.indexed.items():
        for index in range(_MOST_CHOICES):
            found = of(f"{before}{index}{behind}")
            yield f"append({kept('each')}, {found}) where {found} != nil"
        yield from say(meant, kept("each"))


def _words(dialect: Dialect) -> Iterator[str]:
    for name, meanings in dialect.words.items():
        yield put(kept("words"), words(dict(meanings)))
        found = f"{kept('words')}[{of(name)}]"
        yield put(of(name), found, f"IsString({of(name)})", f"{found} != nil")


def _time_of_day(name: str | None) -> Iterator[str]:
    if name is None:
        return
    found = f'Trim({of(name)}, "\\"")'
    for form in (
        "%Y-%m-%dT%H:%M:%S.%fZ",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S.%f%j",
        "%Y-%m-%dT%H:%M:%S%j",
    ):
        seconds = f"Seconds(Time({found}, {text(form)}) - span.start_time)"
        yield put(kept("first"), seconds, f"IsString({of(name)})", f"{kept('first')} == nil")
    known = (f"IsDouble({kept('first')})", f"{kept('first')} >= 0.0")
    yield put(_FIRST, kept("first"), *known, f"{_FIRST} == nil")
    yield put(_STREAM, "true", *known)


def _event(name: str) -> list[str]:
    here = f"spanevent.name == {text(name)} and spanevent.time >= span.start_time"
    return [
        put(_FIRST, "Seconds(spanevent.time - span.start_time)", f"{_FIRST} == nil", here),
        put(_STREAM, "true", here),
    ]


def _uncounted(dialect: Dialect) -> Iterator[str]:
    for provider, totals in dialect.uncounted.items():
        of_provider = [] if provider == "*" else [f"{of(semconv.PROVIDER_NAME)} == {text(provider)}"]
        for total, parts in totals.items():
            for part in parts:
                yield put(
                    of(total),
                    f"{of(total)} + {of(part)}",
                    f"IsInt({of(total)})",
                    f"IsInt({of(part)})",
                    *of_provider,
                )


def _total(name: str | None) -> Iterator[str]:
    if name is None:
        return
    read, written = (of(part) for part in CACHED[semconv.USAGE_INPUT_TOKENS])
    tokens, answered = of(semconv.USAGE_INPUT_TOKENS), of(semconv.USAGE_OUTPUT_TOKENS)
    yield put(kept("cached"), "0")
    for part in (read, written):
        yield put(kept("cached"), f"{kept('cached')} + {part}", f"IsInt({part})")
    both = f"{of(name)} != nil and IsInt({tokens}) and IsInt({answered}) and {kept('cached')} > 0"
    yield put(kept("all"), f"{tokens} + {answered} + {kept('cached')}", both)
    yield put(tokens, f"{tokens} + {kept('cached')}", f"{kept('all')} != nil", f"{kept('all')} == {of(name)}")


def _named(entity: str | None) -> Iterator[str]:
    for operation, name in semconv.NAME_OF_STEP.items():
        doing = f"{_OPERATION} == {text(operation)}"
        if entity is not None:
            yield put(of(name), of(entity), f"{of(name)} == nil", f"{of(entity)} != nil", doing)


def _repairs() -> Iterator[Group]:
    """Conventional names with values that the conventions do not allow, and what only the outcome tells."""
    ours_not = _spoken({mark for dialect in DIALECTS for mark in dialect.marks})
    yield Group("errors that only their event names", "spanevent", ours_not, [
        put(_ERROR, 'spanevent.attributes["exception.type"]', f"{_ERROR} == nil",
            "span.status.code == STATUS_CODE_ERROR", 'spanevent.attributes["exception.type"] != nil'),
    ])  # fmt: skip
    yield Group("names of steps, and values that the conventions do not allow", "span", ours_not, [
        *_names_of_steps(), *_providers(), *_servers(), *_reasons(), *_errors(),
    ])  # fmt: skip


def _names_of_steps() -> Iterator[str]:
    for operation, name in semconv.NAME_OF_STEP.items():
        begins = f"{operation} "
        yield put(
            of(name),
            f"TrimPrefix(span.name, {text(begins)})",
            f"{of(name)} == nil",
            f"HasPrefix(span.name, {text(begins)})",
        )


def _providers() -> Iterator[str]:
    provider = of(semconv.PROVIDER_NAME)
    yield put(provider, f'ConvertCase({provider}, "lower")', f"IsString({provider})")
    behind = text(r"^(.+)\.(?:" + "|".join(sorted(APIS)) + ")$")
    yield f"replace_pattern({provider}, {behind}, {text('$1')})"
    yield put(kept("providers"), words(dict(PROVIDERS)))
    found = f"{kept('providers')}[{provider}]"
    yield put(provider, found, f"IsString({provider})", f"{found} != nil")


def _servers() -> Iterator[str]:
    address, port = of(semconv.SERVER_ADDRESS), of(semconv.SERVER_PORT)
    url = f'IsMatch({address}, "^[a-z]+://")'
    parts = r"^(?P<scheme>[a-z]+)://(?:[^/@]*@)?(?P<host>\\[[^\\]]+\\]|[^:/?#]+)(?::(?P<port>[0-9]+))?"
    yield put(kept("url"), f'ExtractPatterns({address}, "{parts}")', url)
    plain = r"^(?P<host>[^:/]+):(?P<port>[0-9]+)$$"
    yield put(kept("url"), f'ExtractPatterns({address}, "{plain}")', f'IsMatch({address}, "{plain}")')
    host, number, scheme = (kept("url", part) for part in ("host", "port", "scheme"))
    yield put(port, f"Int({number})", f"{port} == nil", f"{number} != nil", f'{number} != ""')
    for name, default in (("https", 443), ("http", 80)):
        yield put(port, str(default), f"{port} == nil", f'{scheme} == "{name}"')
    yield put(address, f'Trim({host}, "[]")', f"{host} != nil")


def _reasons() -> Iterator[str]:
    reasons = of(semconv.RESPONSE_FINISH_REASONS)
    yield put(kept("said"), reasons, f"IsString({reasons})")
    yield put(reasons, f"ParseJSON({kept('said')})", f'HasPrefix({kept("said")}, "[")')
    yield put(
        reasons,
        f'[Trim({kept("said")}, "\\"")]',
        f"{kept('said')} != nil",
        f'not HasPrefix({kept("said")}, "[")',
    )
    yield put(kept("words"), words(dict(finish_reasons.WORDS)))
    for index in range(_MOST_CHOICES):
        reason = f"{reasons}[{index}]"
        some = f"Len({reasons}) > {index}"
        yield put(
            reason, f'ConvertCase(TrimPrefix({reason}, "FinishReason."), "lower")', f"IsList({reasons})", some
        )
        found = f"{kept('words')}[{reason}]"
        yield put(reason, found, f"IsList({reasons})", some, f"{found} != nil")


def _errors() -> Iterator[str]:
    failed = "span.status.code == STATUS_CODE_ERROR"
    yield put(_ERROR, text(semconv.OTHER), failed, f'({_ERROR} == nil or {_ERROR} == "")')
    pattern = r"^(?:<class ')?(?:[^.]*\\.)+(?P<name>[A-Za-z0-9_]*[A-Z][A-Za-z0-9_]*)(?:'>)?$$"
    yield put(
        _ERROR, f'ExtractPatterns({_ERROR}, "{pattern}")["name"]', failed, f'IsMatch({_ERROR}, "{pattern}")'
    )
