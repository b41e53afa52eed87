"""One result of an evaluation: the event of the convention in the evaluated span's context, metrics, a link."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final, Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan, set_span_in_context

from genai_otel import fence, safe, semconv
from genai_otel.processing.measure import Measure, Measurement, Values
from genai_otel.quality import connected, names
from genai_otel.quality.connected import Connected
from genai_otel.quality.definitions import Evaluation, evaluation
from genai_otel.quality.reference import PREFIX, Target
from genai_otel.quality.targets import resolve

EVALUATORS: Final = ("code", "llm", "human")

Outcome = Literal["recorded", "repeated", "invalid_result", "invalid_target", "not_set_up"]
"""What becomes of a result; the words are reasons of ``genai_otel.dropped`` where it is lost."""


def _measurements(values: Values, _: float) -> list[Measurement]:
    return list(values)


_MEASURE: Final = Measure((), _measurements)
"""Results come measured; the series take them as they take a call's."""


@dataclass(frozen=True)
class Result:
    """What an evaluation found.  ``more`` are further attributes of its event; ``usual`` the bounds of such scores."""

    target: Target
    evaluation: Evaluation
    score: float | None
    label: str | None
    evaluator: str
    explanation: str | None = None
    error: str | None = None
    more: Mapping[str, Any] | None = None
    usual: tuple[float, ...] = names.FRACTIONS


def record_evaluation(  # noqa: PLR0913 - what the convention says of a result
    target: Any,
    name: str,
    score: float | bool | None = None,
    label: str | None = None,
    explanation: str | None = None,
    *,
    evaluator: str = "code",
    evaluator_name: str | None = None,
    error: BaseException | str | None = None,
) -> bool:
    """Record what an evaluation found out about a response; whether it was recorded.

    ``target`` is the response: a reference (:func:`response_ref`), a span, live or ended, a ``SpanContext``, a pair
    ``(trace_id, span_id)`` of numbers or hex texts, a response's id, or the client's response object.  It wins over
    whatever span is current; only None means the last call of this thread or task, else the current span.

    ``score`` is a number on the evaluation's own scale, ``label`` its verdict in a word; True and False are a score of
    1 and 0 with a label.  ``explanation`` is content: it is recorded where content is switched on.  ``evaluator`` is
    ``code``, ``llm`` or ``human``, ``evaluator_name`` which one.  ``error`` says that the evaluation itself failed: it
    has no result then, and counts as an error of the evaluation.

    What cannot be recorded (a reference that is damaged or forged, a score that is no number) is counted in
    ``genai_otel.dropped`` and named once in the log.  Never raises.

    Source: the event ``gen_ai.evaluation.result`` of the OpenTelemetry conventions for generative AI.
    """
    with fence.contain("quality"):
        found = resolved(target)
        if isinstance(found, str):
            return False
        if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance] - programs pass what they have
            refuse("invalid_result", "an evaluation without a name was not recorded; its name is a text")
            return False
        meant = evaluation(name)
        failed = None if error is None else _error_type(error)
        verdict = (None, None) if failed is not None else _verdict(meant, score, label)
        if verdict is None:
            refuse("invalid_result", f"the evaluation {meant.name!r} gave neither a number nor a label")
            return False
        by = evaluator if evaluator in EVALUATORS else _unknown_evaluator()
        more = {} if evaluator_name is None else {names.EVALUATOR_NAME: safe.label(evaluator_name)}
        record(Result(found, meant, *verdict, by, explanation, failed, more))
        return True
    return False


def resolved(target: Any, *, trusted: bool = True) -> Target | Outcome:
    """The response that is meant, or that there is none, counted and said.

    What comes from outside is not ``trusted``: of texts only references count then, and nothing is not the last call.
    """
    if connected.active is None:
        return refuse(
            "not_set_up", "results are recorded from genai_otel.setup() on; what came before is lost"
        )
    guessed = target is None or (isinstance(target, str) and not target.startswith(PREFIX))
    found = None if guessed and not trusted else resolve(target)
    return found or refuse(
        "invalid_target",
        "a result was refused, because what it is about is neither a response nor a valid reference to one: "
        "a reference is a text of response_ref(), unchanged and signed with a key that this process has",
    )


def refuse(reason: Outcome, message: str) -> Outcome:
    """Count a result that is not recorded, and say why, once."""
    fence.dropped("evaluations", reason)
    fence.warn(message)
    return reason


def record(result: Result) -> None:
    """Write a result everywhere where it goes."""
    active = connected.active
    if active is None:
        return
    if result.label is not None:
        result.evaluation.note(result.label)
    at = time.time_ns()
    attributes = _attributes(result)
    _emit(active, result, attributes, at)
    _measure(active, result, at)
    _link(result)
    _span(active, result, attributes, at)


def _verdict(meant: Evaluation, score: Any, label: Any) -> tuple[float | None, str | None] | None:
    """The score and the label as they are recorded; None where they say nothing, or one is what it cannot be."""
    if isinstance(score, bool):
        label = meant.verdict(value=score) if label is None else label
    number = as_number(score)
    if (number is None and (score is not None or label is None)) or not (
        label is None or isinstance(label, str)
    ):
        return None
    return number, None if label is None else meant.label(label)


def as_number(score: Any) -> float | None:
    """A finite number as a float, also one of numpy's; None for anything else."""
    number = float(score) if isinstance(score, Real) else math.nan
    return number if math.isfinite(number) else None


def _error_type(error: Any) -> str:
    return type(error).__qualname__ if isinstance(error, BaseException) else safe.label(error)


def _unknown_evaluator() -> str:
    fence.warn(f"the evaluator of a result is one of {', '.join(EVALUATORS)}; another one is {names.OTHER}")
    return names.OTHER


def whereabouts(about: Any) -> tuple[dict[str, Any], Context] | None:
    """What is known of the response that something is about, and a context at its span; None, and said, if none is."""
    target = resolved(about, trusted=False)
    return None if isinstance(target, str) else (_known(_facts(target)), _around(target))


def _facts(target: Target) -> dict[str, Any]:
    return {
        semconv.RESPONSE_ID: target.response_id,
        semconv.REQUEST_MODEL: target.model,
        semconv.AGENT_NAME: target.agent,
        **dict(target.told),
    }


def _attributes(result: Result) -> dict[str, Any]:
    found = {
        names.NAME: result.evaluation.name,
        names.SCORE: result.score,
        names.LABEL: result.label,
        names.EVALUATOR: result.evaluator,
        semconv.ERROR_TYPE: result.error,
        **_facts(result.target),
        **(result.more or {}),
    }
    return _known(found)


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _around(target: Target) -> Context:
    """A context in which the evaluated span is the current one; none is where it is not known."""
    return set_span_in_context(NonRecordingSpan(target.context or INVALID_SPAN_CONTEXT), Context())


def _emit(active: Connected, result: Result, attributes: dict[str, Any], at: int) -> None:
    if active.events is None:
        return
    from opentelemetry._logs import SeverityNumber  # the signal's API has no public name yet

    active.events.emit(
        event_name=names.EVENT,
        timestamp=at,
        severity_number=SeverityNumber.INFO,
        context=_around(result.target),
        attributes=_with_explanation(active, result, attributes, allowed=active.content_on_events),
    )


def _with_explanation(
    active: Connected, result: Result, attributes: dict[str, Any], *, allowed: bool
) -> dict[str, Any]:
    if not allowed or not isinstance(result.explanation, str):
        return attributes
    return {**attributes, names.EXPLANATION: safe.cut(result.explanation, active.value_bytes)}


def _measure(active: Connected, result: Result, at: int) -> None:
    if active.sink is None:
        return
    target = result.target
    of = (result.evaluation.name, result.evaluator, target.model, target.agent)
    told = active.labels.labels(tuple(map(dict(target.told).get, active.labels.names))) or None
    found: list[Measurement] = []
    if result.error is not None:
        found.append((1, (names.ERRORS, (*of, result.error), told)))
    else:
        found.append((1, (names.RESULTS, (*of, result.label), told)))
    if result.score is not None:
        found.append((result.score, (result.evaluation.scores(result.usual), of, told)))
    active.sink.record([_MEASURE, tuple(found), at, at], target.context or INVALID_SPAN_CONTEXT)


def _link(result: Result) -> None:
    """Lead from where the result is recorded to what it is about."""
    current, target = trace.get_current_span(), result.target.context
    if target is not None and current.is_recording() and current.get_span_context().span_id != target.span_id:
        current.add_link(target, {names.NAME: result.evaluation.name})


def _span(active: Connected, result: Result, attributes: dict[str, Any], at: int) -> None:
    if active.spans is None or result.target.context is None:
        return
    span = active.spans.start_span(
        f"{names.SPAN_NAME} {result.evaluation.name}",
        _around(result.target),
        attributes=_with_explanation(active, result, attributes, allowed=active.content_on_spans),
        start_time=at,
    )
    span.end(at)
