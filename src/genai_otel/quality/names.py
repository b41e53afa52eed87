"""Names of this room: the event of the convention, its attributes and ours, and the metrics."""

from __future__ import annotations

from typing import Final

from genai_otel import semconv
from genai_otel.metrics import Instrument

# --- of the convention (gen_ai.evaluation.*, in development) ---------------------------------------
EVENT: Final = "gen_ai.evaluation.result"
NAME: Final = "gen_ai.evaluation.name"
SCORE: Final = "gen_ai.evaluation.score.value"
LABEL: Final = "gen_ai.evaluation.score.label"
EXPLANATION: Final = "gen_ai.evaluation.explanation"
USER_HASH: Final = "user.hash"

# --- ours ------------------------------------------------------------------------------------------
EVALUATOR: Final = "genai_otel.evaluation.evaluator"
ID: Final = "genai_otel.evaluation.id"
"""Of one result, whoever writes it and however often; where a program gave something to tell it by."""
EVALUATOR_NAME: Final = "genai_otel.evaluation.evaluator.name"
SCORE_LOWEST: Final = "genai_otel.evaluation.score.min"
SCORE_HIGHEST: Final = "genai_otel.evaluation.score.max"
SPAN_NAME: Final = "genai_otel.evaluation"
FEEDBACK: Final = "user_feedback"
"""The name of an evaluation by the user himself."""

OTHER: Final = "__other__"
"""A label that was not declared, or one too many."""

# --- metrics ---------------------------------------------------------------------------------------
FRACTIONS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
RATINGS: Final = (1.0, 2.0, 3.0, 4.0, 5.0)

_OF: Final = (EVALUATOR, semconv.REQUEST_MODEL, semconv.AGENT_NAME)
RESULTS: Final = Instrument(
    "genai_otel.evaluation.results", "{result}", "Results of evaluations.", labels=(NAME, *_OF, LABEL)
)
SCORES: Final = Instrument(
    "genai_otel.evaluation.score",
    "1",
    "Scores that evaluations gave.",
    (*FRACTIONS, *RATINGS[1:]),  # where the MeterProvider takes one list for all of them
    labels=(NAME, *_OF),
)
ERRORS: Final = Instrument(
    "genai_otel.evaluation.errors",
    "{error}",
    "Evaluations that failed and have no result.",
    labels=(NAME, *_OF, semconv.ERROR_TYPE),
)
