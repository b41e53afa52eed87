"""What evaluations and users think of answers."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from boards import panels as show
from boards import queries as q
from boards.board import SERVICES, assembled, choices
from boards.panels import Ask, Panels, legend
from genai_otel.quality import definitions, names

_NAME, _LABEL = q.label(names.NAME), q.label(names.LABEL)
_LEGEND = legend(_NAME)
_RESULTS, _SCORES, _ERRORS = q.of(names.RESULTS), q.of(names.SCORES), q.of(names.ERRORS)
_CHOSEN = q.where(q.SERVICE, f'{_NAME}=~"$evaluation"')
_FEEDBACK = q.where(q.SERVICE, f'{_NAME}="{names.FEEDBACK}"')


def board() -> Dashboard:
    """The dashboard."""
    return assembled(
        "quality",
        "Evaluations and feedback",
        "What evaluations and users think of answers.",
        choices(_RESULTS, *SERVICES, ("evaluation", "Evaluation", _NAME)),
        (("Evaluations", _evaluations()), ("Feedback by users", _feedback()), ("One by one", _look())),
    )


def _score(chosen: str, *by: str) -> str:
    return q.ratio(q.rate(f"{_SCORES}_sum", chosen), q.rate(f"{_SCORES}_count", chosen), *by)


def _evaluations() -> Panels:
    failed = f'{_LABEL}=~"(?i){"|".join(sorted(definitions.FAILURES))}"'
    results, errors = q.rate(_RESULTS, _CHOSEN), q.rate(_ERRORS, _CHOSEN)
    return [
        show.lines(
            "Results",
            show.CALLS,
            Ask(q.total(results, _NAME, _LABEL), legend(_NAME, _LABEL)),
            stacked=True,
        ),
        show.lines(
            "Failed",
            show.SHARE,
            Ask(q.share(q.rate(_RESULTS, _CHOSEN, failed), results, _NAME), _LEGEND),
            about="Share of the results with a label such as fail, false, incorrect or toxic.",
        ),
        show.lines("Mean score", show.COUNT, Ask(_score(_CHOSEN, _NAME), _LEGEND)),
        show.lines(
            "Mean score by model",
            show.COUNT,
            Ask(_score(_CHOSEN, _NAME, q.MODEL), legend(_NAME, q.MODEL)),
        ),
        show.heat("Scores", show.COUNT, q.rate(f"{_SCORES}_bucket", _CHOSEN)),
        show.lines(
            "Evaluations without a result",
            show.CALLS,
            Ask(q.total(errors, _NAME, q.ERROR), legend(_NAME, q.ERROR)),
            about="The evaluation itself failed.",
        ),
    ]


def _feedback() -> Panels:
    return [
        show.lines(
            "Feedback",
            show.CALLS,
            Ask(q.total(q.rate(_RESULTS, _FEEDBACK), _LABEL), legend(_LABEL)),
            width=show.HALF,
        ),
        show.lines(
            "Mean rating",
            show.COUNT,
            Ask(_score(_FEEDBACK, "service_name"), "{{service_name}}"),
            width=show.HALF,
        ),
    ]


def _look() -> Panels:
    return [
        show.log_lines(
            "Results, newest",
            f'{{{q.LOGS}}} | event_name="{names.EVENT}"',
            about="Each leads to the trace of what was evaluated.",
            width=show.FULL,
        ),
    ]
