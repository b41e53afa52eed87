"""30-content.yaml: what may leave, by the same lists of names as :mod:`genai_otel.guard`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

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
_QUOTES: Final = of(_MARK)
_KIND: Final = of("error.type")
_NAMING: Final = ("task_description", "crewai.task.description", "crewai.task.name")
"""What some name a span by."""
_DEBUG: Final = 9  # SEVERITY_NUMBER_INFO; below it clients of models quote whole requests

_NAMED: Final = (
    r"(?:(?:api|secret|access|account|private|subscription)[-_. ]?key(?:id)?"
    r"|(?:access|refresh|id|auth|session|security|api)[-_. ]?token|(?:client|app)[-_. ]?secret|passw(?:or)?d"
    r"|[^a-z]pwd|authorization)"
)
# What Go's regular expressions can say of genai_otel.safe.secrets: no look-behind, so what stands before goes, too.
_SECRETS: Final = (
    r"(?i:\b(?:csk|sk|rk)-[a-z0-9_*-]{8,})",
    r"(?i:\b(?:gsk|pcsk|sk|rk)_[a-z0-9_]{16,})",
    r"(?i:\b(?:xai-|pplx-|nvapi-|hf_|gh[pousr]_|github_pat_)[a-z0-9_-]{20,})",
    r"\bAIza[A-Za-z0-9_-]{20,}",
    r"\bAKIA[A-Z0-9]{16}\b",
    r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?",
    r"(?i:bearer\s{1,3}[a-z0-9_.~+/%-]{6,}=*)",
    r"\b[Bb]asic [A-Za-z0-9+/]*[A-Z0-9+/=][A-Za-z0-9+/]{7,}={0,2}",
    r"(?i:\bxox[a-z]-[a-z0-9-]{10,})",
    r"(?i:private key-----[a-z0-9+/=\\\s]*)",
    r"""://[^/?#\s@"'<>]+@""",
    r"(?i:[?&;](?:key|token|secret|pwd|sig|signature)=[^\s&;#]+)",
    r"(?i:" + _NAMED + r")[\\\"']{0,4}\s{0,3}[:=]\s{0,3}[\\\"']{0,4}[^\s\"'&;,()\[\]{}<>\\]+",
)
_SECRET_NAMES: Final = (
    r"(?i)(?:^|[._-])(?:authorization|(?:api|secret|access|account|private)[-_]?key|password|passwd"
    r"|(?:client[-_])?secret|(?:access|refresh|id|auth|session|security|bearer)[-_]token|(?:set[-_])?cookie)$"
)


_GENAI: Final = alternatives(name.rstrip(".") for name in content.GENAI).removesuffix("$") + r"\b"
_EXACT: Final = alternatives(content.NAMES)
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
    """Statements that take content from ``where``: names that tell something of it are put aside first."""
    context = where.partition(".")[0]
    about = f'{context}.cache["about"]'
    yield put(f"{context}.cache", "{}")
    yield put(about, where)
    yield f"keep_matching_keys({about}, {text(_ABOUT)})"
    yield f"delete_matching_keys({about}, {text(_NO_DOUBT)})"
    yield f"delete_matching_keys({where}, {text(f'{_EXACT}|{_GENAI}(?:.*(?:{_SAYS}))')})"
    yield f'merge_maps({where}, {about}, "insert")'


def _of_spans() -> Iterator[Group]:
    quotes = [f"{_OFF} and {_QUOTES} == true"]
    texts = text(alternatives(content.EXCEPTION_TEXTS))
    yield Group("spans that may quote a request: those of GenAI libraries", "span", [_OFF], [*_genai()])
    yield Group("and those that their exceptions pass through", "spanevent", [_OFF], [*_passed()])
    yield Group("content of spans", "span", [_OFF], [*_unsaid(), *_without_content("span.attributes")])
    yield Group("arguments, and texts that quote requests", "span", quotes, [
        *_arguments(),
        f"delete_matching_keys(span.attributes, {texts})",
        put("span.status.message", _KIND, 'span.status.message != ""', f"{_KIND} != nil"),
        put("span.status.message", '""', f"{_KIND} == nil"),
    ])  # fmt: skip
    yield Group("content of events", "spanevent", [_OFF], [*_without_content("spanevent.attributes")])
    gone = f"delete_matching_keys(spanevent.attributes, {texts})"
    yield Group("exceptions of such spans", "spanevent", quotes, [gone])
    yield Group("secrets in what is no attribute", "span", [], [
        f"delete_key(span.attributes, {text(_MARK)})",
        f"replace_pattern(span.status.message, {text('|'.join(_SECRETS))}, {text('****')})",
        f"replace_pattern(span.name, {text('|'.join(_SECRETS))}, {text('****')})",
    ])  # fmt: skip


def _genai() -> Iterator[str]:
    yield put('span.cache["genai"]', "span.attributes")
    yield f'keep_matching_keys(span.cache["genai"], {text(_GENAI)})'
    yield put(_QUOTES, "true", 'Len(span.cache["genai"]) > 0')


def _passed() -> Iterator[str]:
    clients = content.CLIENTS
    pattern = f"(?:^|\\n)(?:{clients})(?:[.]|$)|[/\\\\](?:{clients})[/\\\\]"
    for name in (content.EXCEPTION_TYPE, content.EXCEPTION_STACKTRACE):
        yield put(_QUOTES, "true", f"IsMatch(spanevent.attributes[{text(name)}], {text(pattern)})")


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


def _of_logs() -> Iterator[Group]:
    yield Group("content of records and events", "log", [_OFF], [
        *_without_content("log.attributes"),
        put("log.body", '""', f"IsMatch(log.event_name, {text(f'{_EXACT}|{_GENAI}(?:.*(?:{_SAYS}))')})"),
    ])  # fmt: skip
    clients = text(f"^(?:{content.CLIENTS})(?:[.]|$)")
    yield Group("debug lines of clients quote whole requests", "log", [_OFF], [
        put("log.body", '"[REDACTED]"', "log.severity_number > 0", f"log.severity_number < {_DEBUG}",
            f"IsMatch(instrumentation_scope.name, {clients})"),
    ])  # fmt: skip


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
