"""Stages and iterations of a program: what its steps and calls are told without a span of its own."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from genai_otel import ambient, safe, semconv
from genai_otel.context_keys import STEP_KEY, Handed
from genai_otel.inside import Entering, Inside

_NOTHING = Handed({}, INVALID_SPAN_CONTEXT)


class Stage(Entering):
    """See :func:`stage`."""

    def __init__(self, **facts: object) -> None:
        super().__init__()
        known = {name: safe.attribute(value) for name, value in facts.items()}
        self._facts = {name: value for name, value in known.items() if value is not None}

    def _inside(self) -> Inside:
        context = get_current()
        above: Any = context.get(STEP_KEY, _NOTHING)
        ambient.use()
        handed = Handed({**above.attributes, **self._facts}, above.span)
        return Inside(Context({**context, STEP_KEY: handed}))


def stage(name: str, *, iteration: int | None = None) -> Stage:
    """Say in which stage the program is: the steps and calls of models inside have ``genai_otel.stage``.

    >>> for number in range(1, 4):
    ...     with genai_otel.stage("revision", iteration=number):
    ...         revise(paper)

    A context manager and a decorator; it makes no span.
    """
    return Stage(**{semconv.STAGE: name, semconv.ITERATION: iteration})


def iteration(number: int) -> Stage:
    """Say how often a loop has gone round: the steps and calls of models inside have ``genai_otel.iteration``."""
    return Stage(**{semconv.ITERATION: number})
