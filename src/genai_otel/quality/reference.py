"""A reference to a response: short text that another process, or a browser, gives back with its feedback.

It holds the ids of the span, whether it is sampled, the response's id, the model, the agent and the labels that the
user allows, and a code over all of that.  All of it can be read.  With a key nobody else can make one; without a key
the code finds damage and nothing else.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from opentelemetry.trace import SpanContext, TraceFlags

PREFIX: Final = "gr1."
_LONGEST: Final = 4096
_CODE_BYTES: Final = 16


class Target(NamedTuple):
    """A response that is evaluated: the context of its span, and what its results are labelled by; None is unknown.

    ``told`` are names and values that the program said of the context and allows as labels.
    """

    context: SpanContext | None
    response_id: str | None = None
    model: str | None = None
    agent: str | None = None
    told: tuple[tuple[str, str], ...] = ()


def encode(target: Target, keys: Sequence[str]) -> str:
    """``target`` as text for headers, forms and URLs, signed with the first of ``keys``."""
    context = target.context
    span = None if context is None else [f"{context.trace_id:032x}", f"{context.span_id:016x}"]
    sampled = context is not None and context.trace_flags.sampled
    facts = [span, int(sampled), *target[1:]]
    said = _text(json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{PREFIX}{said}.{_code(said, keys[0] if keys else '')}"


def decode(reference: str, keys: Sequence[str]) -> Target | None:
    """The target of a reference; None for one that is damaged, or signed with none of ``keys``."""
    if not reference.startswith(PREFIX) or len(reference) > _LONGEST or not reference.isascii():
        return None
    said, _, code = reference.removeprefix(PREFIX).partition(".")
    if not any(hmac.compare_digest(_code(said, key), code) for key in keys or ("",)):
        return None
    try:
        return _target(*json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))))
    except (ValueError, TypeError, RecursionError):  # without a key anybody can give anything its code
        return None


def _target(span: Any, sampled: Any, *said: Any) -> Target | None:
    context = None
    if span is not None:
        trace_id, span_id = (int(each, 16) for each in span)
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)
        if not context.is_valid:
            return None
    *facts, told = said
    if len(facts) != 3 or not all(fact is None or isinstance(fact, str) for fact in facts):
        return None
    pairs = tuple((name, value) for name, value in told if isinstance(name, str) and isinstance(value, str))
    return Target(context, *facts, told=pairs)


def _code(said: str, key: str) -> str:
    return _text(
        hmac.digest(key.encode("utf-8", "replace"), (PREFIX + said).encode(), "sha256")[:_CODE_BYTES]
    )


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
