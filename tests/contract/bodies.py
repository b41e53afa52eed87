"""Answers of OpenAI's chat as vendors who speak it send them, for what they have of their own."""

from __future__ import annotations

from typing import Any

COUNTS = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
FAILED: dict[str, Any] = {"error": {"message": "no", "type": "overloaded", "code": "c"}, "status_code": 503}
"""An error with a status that says nothing of it."""


def completion(*, usage: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A whole answer; ``usage`` is added to the counts, ``more`` to the body."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "one two"}, "finish_reason": "stop"}
    return {**_envelope("chat.completion"), "choices": [choice], "usage": {**COUNTS, **(usage or {})}, **more}


def chunks(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """The chunks of an answer, and those that a test adds: each a whole chunk but for what all have."""
    said = [_choice({"role": "assistant", "content": "one"}), _choice({"content": " two"})]
    return [{**_envelope("chat.completion.chunk"), **each} for each in (*said, *more)]


def ending(**more: Any) -> dict[str, Any]:
    """The chunk that says why the answer ends."""
    return {**_choice({}, "stop"), **more}


def _choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": "cmpl-1", "object": kind, "created": 1, "model": "m-1"}


def usage(span: Any) -> dict[str, Any]:
    """The usage that a span tells, by the end of its name."""
    head = "gen_ai.usage."
    return {
        name.removeprefix(head): value for name, value in span.attributes.items() if name.startswith(head)
    }
