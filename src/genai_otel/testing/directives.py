"""What a test asks of the model server, written into the model name: `gpt-4o-mini+slow-first-500ms+length`.

The model name travels with every request of every client, so the server needs no state and no set-up, and
parallel tests do not disturb each other. A name is `model[+directive]*`; a directive alone (`error-429`) is a
name too. `Plan` is the table of all directives: one field each, with its form, its meaning and its reader.
An unknown or malformed directive is answered with status 400 and this table's forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

DEFAULT_MODEL = "gpt-4o-mini"

_PATTERNS = {"STATUS": r"[1-5]\d\d", "N": r"\d+", "TIME": r"\d+(?:\.\d+)?(?:ms|s)", "FIELD": r"[a-z_]+"}


def _seconds(text: str) -> float:
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


_READERS: dict[str, Callable[[str], object]] = {"STATUS": int, "N": int, "TIME": _seconds, "FIELD": str}


def _directive(form: str, meaning: str, default: object = None, *, bare: object = True) -> Any:
    """One row of the table. `bare` is the value of a directive whose bracketed argument is left out."""
    return field(default=default, metadata={"form": form, "meaning": meaning, "bare": bare})


@dataclass(frozen=True)
class Plan:
    """How one request shall be answered; the defaults are a plain good answer."""

    # What the model says
    chunks: int | None = _directive("chunks-N", "the text comes in N pieces")
    echo: bool = _directive("echo", "the text is the last user message, if any", False)
    refusal: bool = _directive("refusal", "the model refuses", False)
    length: bool = _directive("length", "the answer stops at the token limit", False)
    content_filter: bool = _directive("content-filter", "the answer stops at the content filter", False)
    failed: bool = _directive("failed", "the answer has status failed (Responses API)", False)
    tool_calls: int = _directive("tool-calls-N", "N parallel tool calls per round (tools in the request)", 1)
    rounds: int = _directive("rounds-N", "N rounds of tool calls before the final text", 1)
    input: int | None = _directive("input-N", "the usage says N input tokens (12)")
    output: int | None = _directive("output-N", "the usage says N output tokens (7)")
    cached: int | None = _directive("cached-N", "the usage says N cached input tokens (4)")
    written: int | None = _directive("written-N", "the usage says that N input tokens were cached (2)")
    written_1h: int | None = _directive("written-1h-N", "N of these are kept for an hour")
    searches: int | None = _directive(
        "searches-N", "N searches of the web (in the usage, the output or the grounding)"
    )
    cost: int | None = _directive("cost-N", "the usage says that it cost N millionths of a dollar")
    surrogate: bool = _directive("surrogate", "the text ends with a lone surrogate", False)

    # What the payload looks like
    null: tuple[str, ...] = _directive(
        "null-FIELD", "FIELD is null wherever it occurs (fields: all values)", ()
    )
    no: tuple[str, ...] = _directive("no-FIELD", "FIELD is left out wherever it occurs", ())
    unknown_fields: bool = _directive("unknown-fields", "every object has one more field", False)
    unknown_events: bool = _directive("unknown-events", "streams carry events that no client knows", False)
    huge_usage: bool = _directive("huge-usage", "every number in a usage object is 2**70", False)
    malformed: bool = _directive("malformed", "half of the JSON body, or of the second event", False)
    empty: bool = _directive("empty", "a body, or a stream, without content", False)
    html: bool = _directive("html", "an HTML page in place of JSON", False)

    # Errors
    error: int | None = _directive("error-STATUS", "an HTTP error with the vendor's error body")
    fail: int | None = _directive(
        "fail-N", "the first N attempts fail (429, or error-STATUS), the next does not"
    )
    leak: bool = _directive("leak", "error messages repeat the user's text and the API key", False)
    midstream_error: int | None = _directive(
        "midstream-error[-N]", "after N events (2) an error event", bare=2
    )

    # Time
    slow_first: float = _directive(
        "slow-first-TIME", "TIME before the first event, or before the response", 0.0
    )
    slow_chunk: float = _directive("slow-chunk-TIME", "TIME before each further event", 0.0)
    slow_body: float = _directive(
        "slow-body[-TIME]", "the JSON body in 8 pieces, TIME (20ms) apart", 0.0, bare=0.02
    )
    hang: bool = _directive("hang", "no answer at all until the client goes away", False)
    hang_after: int | None = _directive("hang-after-N", "N events, then silence until the client goes away")

    # The connection
    reset: bool = _directive("reset", "TCP reset in place of a response", False)
    cut_after: int | None = _directive("cut-after-N", "TCP reset after N events (or bytes of a JSON body)")
    drop_after: int | None = _directive(
        "drop-after-N", "the stream ends well-formed after N events, no [DONE]"
    )


class UnknownDirective(ValueError):
    """A part of a model name after `+` that is in no form of the table."""


def _compile(form: str) -> tuple[re.Pattern[str], Callable[[str], object]]:
    placeholder = re.search("[A-Z]+", form)
    kind = placeholder.group() if placeholder else "N"
    pattern = re.escape(form).replace(r"\[", "(?:").replace(r"\]", ")?")
    return re.compile(pattern.replace(kind, f"({_PATTERNS[kind]})")), _READERS[kind]


_TABLE = [(row, *_compile(row.metadata["form"])) for row in fields(Plan)]


def table() -> list[tuple[str, str]]:
    """Form and meaning of every directive, for documentation and error messages."""
    return [(row.metadata["form"], row.metadata["meaning"]) for row in fields(Plan)]


def _read(part: str) -> tuple[str, object] | None:
    for row, pattern, reader in _TABLE:
        if match := pattern.fullmatch(part):
            argument = match.group(1) if match.groups() else None
            return row.name, row.metadata["bare"] if argument is None else reader(argument)
    return None


def parse(model: str) -> tuple[str, Plan]:
    """Split a model name into the plain model and the plan. Raises UnknownDirective."""
    first, *parts = model.split("+")
    if _read(first) is not None:
        first, parts = DEFAULT_MODEL, [first, *parts]
    values: dict[str, Any] = {}
    for part in parts:
        found = _read(part)
        if found is None:
            known = ", ".join(form for form, _ in table())
            raise UnknownDirective(f"unknown directive {part!r} in model {model!r}; known are {known}")
        name, value = found
        values[name] = (*values.get(name, ()), value) if name in ("null", "no") else value
    return first, Plan(**values)
