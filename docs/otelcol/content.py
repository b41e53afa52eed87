"""30-content.yaml: what may leave, by the same lists of names as :mod:`genai_otel.guard`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from genai_otel import semconv
from genai_otel.guard import content
from otelcol.ottl import Group, alternatives, listed, of, put, scalar, text

HEADER: Final = """\
# The second net: what was said to a model and what it said, and secrets, of any service and library.
#
# OTELCOL_CONTENT=keep lets content pass.  Without it, attributes and events that hold content go, by the same lists of
# names as in a process with genai-otel; texts of exceptions of GenAI spans go too, because they quote requests.
# Secrets are masked in any case.
#
# Written by `make docs` from src/genai_otel/guard/content.py and docs/otelcol/content.py.
processors:
  transform/content:
    error_mode: ignore
"""

_OFF: Final = '"${env:OTELCOL_CONTENT:-drop}" != "keep"'
_MARK: Final = "genai_otel.quotes"  # while the processor is at work
_SCOPES: Final = tuple(f"instrumentation_scope.name {sign} {text(semconv.SCOPE)}" for sign in ("==", "!="))
_TEXTS: Final = text(alternatives(content.EXCEPTION_TEXTS))
_KIND: Final = of("error.type")
_NAMING: Final = ("task_description", "crewai.task.description", "crewai.task.name")
"""What some name a span by."""
_INFO: Final = 9  # SEVERITY_NUMBER_INFO; below it clients of models quote whole requests

_NAMED: Final = (
    r"(?:(?:api|secret|access|account|private|subscription)[-_. ]?key(?:id)?"
    r"|(?:access|refresh|id|auth|session|security|api)[-_. ]?token|(?:client|app)[-_. ]?secret|passw(?:or)?d"
    r"|[^a-z]pwd|authorization)"
)
_START: Final = r"(?:\b|\\[nrt]|\\u[0-9a-fA-F]{4}|%20)"  # an escape is no letter
_QUOTED: Final = r"[\\\"']{1,4}\s{0,3}[:=]\s{0,3}[\\\"']{1,4}"  # a quoted name has a quoted value
# What Go's regular expressions can say of genai_otel.safe.secrets: no look-behind, so what stands before goes, too.
_SECRETS: Final = (
    rf"(?i:{_START}(?:csk|sk|rk)-[a-z0-9_*-]{{8,}})",
    rf"(?i:{_START}(?:gsk|pcsk|sk|rk)_[a-z0-9_]{{16,}})",
    rf"(?i:{_START}(?:xai-|pplx-|nvapi-|hf_|gh[pousr]_|github_pat_)[a-z0-9_-]{{20,}})",
    rf"{_START}AIza[A-Za-z0-9_-]{{20,}}",
    rf"{_START}AKIA[A-Z0-9]{{16}}\b",
    r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?i:bearer\s{1,3}[a-z0-9_.~+/%-]{6,}=*)",
    r"\b[Bb]asic [A-Za-z0-9+/]*[A-Z0-9+/=][A-Za-z0-9+/]{7,}={0,2}",
    rf"(?i:{_START}xox[a-z]-[a-z0-9-]{{10,}})",
    r"(?i:private key-----[a-z0-9+/=\\\s]*)",
    r"""://[^/?#\s@"'<>]+@""",
    r"(?i:[?&;](?:key|token|secret|pwd|sig|(?:x-(?:amz|goog)-)?signature)=[^\s&;#]+)",
    rf"(?i:{_NAMED}(?:{_QUOTED}|\s{{0,3}}[:=]\s{{0,3}}[\"']?)[^\s\"'&;,()\[\]{{}}<>\\]+)",
)
_SECRET_NAMES: Final = (
    r"(?i)(?:^|[._-])(?:authorization|(?:api|secret|access|account|private)[-_]?key|password|passwd"
    r"|(?:client[-_])?secret|(?:access|refresh|id|auth|session|security|bearer)[-_]token|(?:set[-_])?cookie)$"
)


_GENAI: Final = alternatives(name.rstrip(".") for name in content.GENAI).removesuffix("$") + r"\b"
_EXACT: Final = alternatives(content.NAMES)
_CONVENTIONAL: Final = {
    value
    for name, value in vars(semconv).items()
    if name.isupper() and isinstance(value, str) and "." in value
}
_KNOWN: Final = alternatives(name for name in _CONVENTIONAL if not content.is_content(name))
_FACT: Final = alternatives(content.FACTS)


def document() -> str:
    """The whole file."""
    lines = (
        *("    trace_statements:", *listed(_of_spans())),
        *("    log_statements:", *listed(_of_logs())),
        *_filter(),
        *_redaction(),
    )
    return HEADER + "\n".join(lines) + "\n"


def _word(choices: frozenset[str]) -> str:
    """One of the words in a name, between dots, underscores and where a capital begins the next."""
    small, large = sorted(choices), sorted(map(str.capitalize, choices))
    end = "(?:$|[._A-Z])"
    return f"(?:^|[._])(?:{'|'.join(small)}){end}|[a-z](?:{'|'.join(large)}){end}"


_SAYS: Final = _word(content.SAID | content.ALWAYS)
_ABOUT: Final = _word(content.ABOUT)
_NO_DOUBT: Final = f"{_EXACT}|{_GENAI}.*(?:{_word(content.ALWAYS)})"


def _without_content(where: str) -> Iterator[str]:
    """Statements that take content from ``where``: names that tell something of it are put aside first.

    So are the conventions' own, which most are: a look at every word of a name costs more than all else here.
    """
    context = where.partition(".")[0]
    known, about = f'{context}.cache["known"]', f'{context}.cache["about"]'
    yield put(known, where)
    yield f"keep_matching_keys({known}, {text(_KNOWN)})"
    yield f"delete_matching_keys({where}, {text(_KNOWN)})"
    yield put(about, where)
    yield f"keep_matching_keys({about}, {text(_ABOUT)})"
    yield f"delete_matching_keys({about}, {text(_NO_DOUBT)})"
    yield f"delete_matching_keys({where}, {text(f'{_EXACT}|{_GENAI}(?:.*(?:{_SAYS}))')})"
    yield f'merge_maps({where}, {about}, "insert")'
    yield f'merge_maps({where}, {known}, "insert")'


def _of_spans() -> Iterator[Group]:
    mark = of(_MARK)
    ours, others = (f"{_OFF} and {which}" for which in _SCOPES)
    theirs, either = [f'{_OFF} and {mark} == "theirs"'], [f"{_OFF} and {mark} != nil"]
    gone = f"delete_matching_keys(spanevent.attributes, {_TEXTS})"
    yield Group("our own spans have these names, and no others", "span", [ours], [*_of_ours("span")])
    yield Group("spans of other GenAI libraries", "span", [others], [*_unsaid(), *_recognised("span")])
    yield Group("spans that their exceptions pass through", "spanevent", [others], [
        *_passed("spanevent.attributes", mark),
        put(mark, '"theirs"', f"IsMatch(spanevent.name, {text(_GENAI)})"),
    ])  # fmt: skip
    yield Group("their content, and texts that quote requests", "span", theirs, [
        *_without_content("span.attributes"),
        *_arguments(),
        f"delete_matching_keys(span.attributes, {_TEXTS})",
    ])  # fmt: skip
    yield Group("content of events", "spanevent", theirs, [*_without_content("spanevent.attributes")])
    yield Group("exceptions that quote requests", "spanevent", either, [gone])
    yield Group("what is no attribute", "span", either, [
        put("span.status.message", _KIND, 'span.status.message != ""', f"{_KIND} != nil"),
        put("span.status.message", '""', f"{_KIND} == nil"),
        f"delete_key(span.attributes, {text(_MARK)})",
    ])  # fmt: skip
    yield Group("secrets in it", "span", [], [
        f"replace_pattern(span.status.message, {text('|'.join(_SECRETS))}, {text('****')})",
        f"replace_pattern(span.name, {text('|'.join(_SECRETS))}, {text('****')})",
    ])  # fmt: skip


def _of_logs() -> Iterator[Group]:
    mark = f"log.attributes[{text(_MARK)}]"
    ours, others = (f"{_OFF} and {which}" for which in _SCOPES)
    theirs, either = [f'{_OFF} and {mark} == "theirs"'], [f"{_OFF} and {mark} != nil"]
    clients = text(f"^(?:{content.CLIENTS})(?:[.]|$)")
    yield Group("our own records have these names, and no others", "log", [ours], [*_of_ours("log")])
    yield Group("records of other GenAI libraries", "log", [others], [
        *_recognised("log"), *_passed("log.attributes", mark),
        put(mark, '"theirs"', f"IsMatch(log.event_name, {text(_GENAI)})"),
    ])  # fmt: skip
    yield Group("their content", "log", theirs, [*_without_content("log.attributes")])
    yield Group("events that are content, and exceptions that quote requests", "log", either, [
        put("log.body", '""', f"IsMatch(log.event_name, {text(f'{_EXACT}|{_GENAI}(?:.*(?:{_SAYS}))')})"),
        f"delete_matching_keys(log.attributes, {_TEXTS})",
        f"delete_key(log.attributes, {text(_MARK)})",
    ])  # fmt: skip
    yield Group("debug lines of clients quote whole requests", "log", [_OFF], [
        put("log.body", '"[REDACTED]"', "log.severity_number > 0", f"log.severity_number < {_INFO}",
            f"IsMatch(instrumentation_scope.name, {clients})"),
    ])  # fmt: skip


def _of_ours(context: str) -> Iterator[str]:
    for name in sorted(filter(content.is_content, _CONVENTIONAL)):
        yield f"delete_key({context}.attributes, {text(name)})"
    yield put(f"{context}.attributes[{text(_MARK)}]", '"ours"')


def _recognised(context: str) -> Iterator[str]:
    """Marks what is of a GenAI library, by the names of its attributes."""
    mark, genai = f"{context}.attributes[{text(_MARK)}]", f'{context}.cache["genai"]'
    yield put(genai, f"{context}.attributes")
    yield f"keep_matching_keys({genai}, {text(_GENAI)})"
    yield put(mark, '"theirs"', f"Len({genai}) > 0")
    yield f"delete_matching_keys({context}.attributes, {text(_EXACT)})"


def _passed(attributes: str, mark: str) -> Iterator[str]:
    """Marks what an exception has passed through that comes from a client of models."""
    clients = content.CLIENTS
    pattern = f"(?:^|\\n)(?:{clients})(?:[.]|$)|[/\\\\](?:{clients})[/\\\\]"
    for name in (content.EXCEPTION_TYPE, content.EXCEPTION_STACKTRACE):
        yield put(mark, '"theirs"', f"IsMatch({attributes}[{text(name)}], {text(pattern)})")


def _unsaid() -> Iterator[str]:
    """A span's name up to what was said."""
    for name in _NAMING:
        place = f"Index(span.name, {of(name)})"
        begins = f'Concat([Substring(span.name, 0, {place}), "[REDACTED]"], "")'
        yield put("span.name", '"[REDACTED]"', f"{of(name)} != nil", f"{place} == 0")
        yield put("span.name", begins, f"{of(name)} != nil", f"{place} > 0")


def _arguments() -> Iterator[str]:
    mlflow, crew = of(content.MLFLOW), of(content.CREWAI)
    free = "|".join(sorted(content.FREE))
    yield f"keep_matching_keys(span.attributes, {text(f'[.]|{_FACT}')}) where {mlflow} != nil"
    yield f"delete_key(span.attributes, {text('gen_ai.agent.description')}) where {crew} != nil"
    yield put('span.cache["facts"]', "span.attributes")
    yield f'keep_matching_keys(span.cache["facts"], {text(f"{_FACT}|^[^.]*$|^crewai[.]")})'
    told = f"{_FACT}|{_ABOUT}|^crewai[.].*(?:{_word(content.CREWAI_ABOUT)})"
    yield f'keep_matching_keys(span.cache["facts"], {text(told)})'
    yield f"delete_matching_keys(span.attributes, {text(f'^(?:{free})$|^[^.]*(?:{_SAYS})|^crewai[.]')})"
    yield f'delete_matching_keys(span.cache["facts"], {text(f"^(?:{free})$")})'
    yield 'merge_maps(span.attributes, span.cache["facts"], "insert")'


def _filter() -> Iterator[str]:
    yield "  filter/content:"
    yield "    error_mode: ignore"
    yield "    trace_conditions:"
    yield "      - context: spanevent"
    yield "        conditions:"
    says = f"IsMatch(spanevent.name, {text(f'{_EXACT}|{_GENAI}(?:.*(?:{_SAYS}))')})"
    about = f"IsMatch(spanevent.name, {text(_ABOUT)}) and not IsMatch(spanevent.name, {text(_NO_DOUBT)})"
    yield f"          - {scalar(f'{_OFF} and {says} and not ({about})')}"


def _redaction() -> Iterator[str]:
    yield "  redaction:"
    yield "    allow_all_keys: true"
    yield "    redact_all_types: true # what is structured is looked through, too"
    yield "    summary: silent"
    yield "    blocked_key_patterns:"
    yield f"      - {scalar(_SECRET_NAMES.replace('$', '$$'))}"
    yield "    blocked_values:"
    yield f"      - {scalar('|'.join(_SECRETS).replace('$', '$$'))}"
