"""Requests, predictions and chunks of Replicate: what a model takes is its own affair, many agree on some words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._jobs import first_look
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Facts

# --- requests ------------------------------------------------------------------------------------------------------

_SAMPLING: Final = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty"),
    *("max_tokens", "max_completion_tokens", "seed", "reasoning_effort"),
)
_inputs: Final = requests.request(
    {
        **{name: requests.CHAT[name] for name in _SAMPLING},
        "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
        "top_k": semconv.REQUEST_TOP_K,
        "stop_sequences": requests.CHAT["stop"],
        "num_outputs": requests.CHAT["n"],
    }
)


def request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of what a model is given."""
    given = arguments.get("input")
    return _inputs(given) if is_mapping(given) else {}


def stream_request(arguments: Mapping[str, Any]) -> Facts:
    """Facts of what a model is given whose output is streamed."""
    return {**request(arguments), semconv.REQUEST_STREAM: True}


# --- predictions ---------------------------------------------------------------------------------------------------

_STATUS: Final = {
    "starting": "queued",
    "processing": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
    "aborted": "cancelled",
}
ENDED: Final = frozenset({"succeeded", "failed", "canceled", "aborted"})
"""Of a prediction that will not change any more."""
_ENDED: Final = frozenset({"completed", "failed", "cancelled"})


_PREDICTION: Final = ("status", "id", "model")
_METRICS: Final = (
    *("input_token_count", "output_token_count", "predict_time"),
    *("token_input_count", "token_output_count"),  # models of other vendors say it the other way round
)


def _prediction(result: Any) -> Facts:
    status, identity, model = map(result.__dict__.get, _PREDICTION)
    facts: Facts = {semconv.RESPONSE_STATUS: _STATUS.get(status, status)} if status else {}
    if identity:
        facts[semconv.RESPONSE_ID] = identity
    if model:
        facts[semconv.RESPONSE_MODEL] = model
    if status == "failed":
        facts[semconv.ERROR_TYPE] = "failed"
    return facts


def _measured(facts: Facts, result: Any) -> None:
    metrics: Any = result.__dict__.get("metrics")
    if not metrics:
        return
    read, written, seconds, also_read, also_written = map(metrics.get, _METRICS)
    tokens = also_read if read is None else read
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    tokens = also_written if written is None else written
    if tokens is not None:
        facts[semconv.USAGE_OUTPUT_TOKENS] = tokens
    if seconds is not None:
        facts[semconv.COMPUTE_TIME] = float(seconds)


def made(result: Any) -> Facts:
    """Facts of a prediction that was just made, which may have ended at once."""
    facts = _prediction(result)
    _measured(facts, result)
    if facts.get(semconv.RESPONSE_STATUS) in _ENDED:
        first_look(facts.get(semconv.RESPONSE_ID, ""))
    return facts


def looked_at(result: Any) -> Facts:
    """Facts of a prediction that was looked at: what it took counts once, when it is seen to have ended."""
    facts = _prediction(result)
    facts.pop(semconv.ERROR_TYPE, None)  # looking at it did not fail
    if facts.get(semconv.RESPONSE_STATUS) in _ENDED and first_look(facts.get(semconv.RESPONSE_ID, "")):
        _measured(facts, result)
    return facts


def chunk(facts: Facts, event: Any) -> None:
    """The last event of a stream says that it was the last, or why there will be no more."""
    if event.event._value_ == "done":
        facts[semconv.RESPONSE_STATUS] = "cancelled" if "cancel" in event.data else "completed"


def errors(error: BaseException) -> Facts:
    """The HTTP status of an error of the API; the prediction of an error of the model."""
    status = getattr(error, "status", None)
    facts: Facts = {semconv.HTTP_STATUS: status} if isinstance(status, int) else {}
    prediction = getattr(error, "prediction", None)
    return (
        facts if prediction is None else {**_prediction(prediction), semconv.ERROR_TYPE: type(error).__name__}
    )
