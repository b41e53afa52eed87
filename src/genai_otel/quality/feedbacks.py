"""Feedback by the users of an application: thumbs, ratings, words; a client that sends it twice counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from genai_otel import fence, safe
from genai_otel.quality import names
from genai_otel.quality.definitions import Evaluation, evaluation
from genai_otel.quality.reference import Target
from genai_otel.quality.results import Outcome, Result, as_number, record, refuse, resolved

_REMEMBERED: Final = 10_000
_SENT: Final = ("ref", "value", "comment", "idempotency_key")
_seen: dict[str, None] = {}


def record_feedback(
    ref: Any,
    value: bool | float | str,
    comment: str | None = None,
    user_hash: str | None = None,
    idempotency_key: str | None = None,
    *,
    name: str = names.FEEDBACK,
) -> bool:
    """Record what a user thinks of a response; whether it was recorded.

    ``ref`` is the text that :func:`response_ref` gave, or a span, a pair of ids or a response object of this process;
    a text that is no valid reference is refused, so that ``ref`` may come from outside.  ``value`` is True or False
    (thumbs), a number from 1 to 5 (a rating, on the scale that :func:`define_evaluation` declares for ``name``) or a
    word.  ``comment`` is content: it is recorded where content is switched on.  ``user_hash`` tells users apart
    without naming them.  A second result for the same response with the same ``idempotency_key`` is not recorded, as
    far as this process remembers (the last 10,000); in another process it has the same ``genai_otel.evaluation.id``,
    by which a store can tell.

    What cannot be recorded is counted in ``genai_otel.dropped`` and named once in the log.  Never raises.
    """
    with fence.contain("quality"):
        return _told(ref, value, comment, user_hash, idempotency_key, name) == "recorded"
    return False


def feedback(payload: Mapping[str, Any]) -> int:
    """Record what a browser has sent; the HTTP status to answer with.

    ``payload`` is the parsed JSON or form: ``ref``, ``value`` and, as the user likes, ``comment`` and
    ``idempotency_key``; values of forms are texts, ``true``, ``4`` or a word.  204 is also the answer to what was sent
    before.  400 is a value that is none, 403 a reference that is none, 503 a process without ``setup()``.  Set
    ``GENAI_OTEL_FEEDBACK_KEY`` where the route is public.  Never raises.
    """
    with fence.contain("quality"):
        if not isinstance(payload, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - a body may be any JSON
            return STATUS["invalid_result"]
        ref, value, comment, key = map(payload.get, ("ref", "value", "comment", "idempotency_key"))
        return STATUS[
            _told(ref if isinstance(ref, str) else "", _typed(value), comment, None, key, names.FEEDBACK)
        ]
    return 500


STATUS: Final[dict[Outcome, int]] = {
    "recorded": 204,
    "repeated": 204,
    "invalid_result": 400,
    "invalid_target": 403,
    "not_set_up": 503,
}


def _typed(value: Any) -> Any:
    """A value of a form as what it says."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word in ("true", "false"):
        return word == "true"
    return float(word) if word.replace(".", "", 1).isdecimal() else value


def _told(  # noqa: PLR0917 - what a user may say
    ref: Any, value: Any, comment: Any, user_hash: Any, key: Any, name: str
) -> Outcome:
    target = resolved(ref, trusted=False)
    if isinstance(target, str):
        return target
    about: dict[str, Any] = {} if user_hash is None else {names.USER_HASH: safe.label(user_hash)}
    if key is not None:
        about[names.ID] = _identity(target, name, key)
    result = _result(target, evaluation(name), value, comment, about)
    if result is None:
        return refuse(
            "invalid_result",
            f"feedback {name!r} was refused: it is True or False, a number on its scale, or a word",
        )
    if key is not None and _is_repeated(about[names.ID]):
        return "repeated"
    record(result)
    return "recorded"


def _result(
    target: Target, meant: Evaluation, value: Any, comment: str | None, more: dict[str, Any]
) -> Result | None:
    if isinstance(value, str) and value:
        return Result(target, meant, None, meant.label(value), "human", comment, more=more)
    if isinstance(value, bool):
        score, label, usual, ends = float(value), meant.verdict(value=value), names.FRACTIONS, (0.0, 1.0)
    else:
        score, label, usual = as_number(value), None, meant.buckets or names.RATINGS
        ends = usual[0], usual[-1]
        if score is None or not ends[0] <= score <= ends[1]:
            return None
    meant.on_scale(*ends)
    more = {**more, names.SCORE_LOWEST: ends[0], names.SCORE_HIGHEST: ends[1]}
    return Result(target, meant, score, label, "human", comment, more=more, usual=usual)


def _identity(target: Target, name: str, key: object) -> str:
    """What any process makes of the same key for the same response."""
    about = target.context.span_id if target.context is not None else target.response_id
    return hashlib.sha256(repr((about, name, str(key))).encode("utf-8", "replace")).hexdigest()[:32]


def _is_repeated(identity: str) -> bool:
    """Whether this was recorded before.  Each step is atomic: a lock could be held by a thread that a fork lost."""
    before = len(_seen)
    repeated = _seen.pop(identity, _NEW) is not _NEW
    _seen[identity] = None
    if before >= _REMEMBERED:
        _seen.pop(next(iter(_seen)), None)
    return repeated


_NEW: Final = object()
