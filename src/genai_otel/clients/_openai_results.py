"""Results and chunks of the OpenAI API, and of the many that speak it: the client's objects → facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_fees as fees
from genai_otel.clients._fields import TICK, fields, kinds, put
from genai_otel.clients._openai_refusals import in_response
from genai_otel.clients._parts import get, items
from genai_otel.clients._stainless import errors as api_errors
from genai_otel.clients._stainless import is_mapping
from genai_otel.spec import Facts, StreamFailed

_Put = Callable[[Facts, Any], object]

# --- usage: OpenAI's totals include cached and reasoning tokens, as the convention's do ----------

_INPUT_DETAILS: Final = {
    "cached_tokens": semconv.USAGE_CACHE_READ_INPUT_TOKENS,
    "cache_write_tokens": semconv.USAGE_CACHE_WRITE_INPUT_TOKENS,
    "audio_tokens": semconv.USAGE_AUDIO_INPUT_TOKENS,
    "image_tokens": semconv.USAGE_IMAGE_INPUT_TOKENS,
    "text_tokens": semconv.USAGE_TEXT_INPUT_TOKENS,
}
_OUTPUT_DETAILS: Final = {
    "reasoning_tokens": semconv.USAGE_REASONING_OUTPUT_TOKENS,
    "audio_tokens": semconv.USAGE_AUDIO_OUTPUT_TOKENS,
    "image_tokens": semconv.USAGE_IMAGE_OUTPUT_TOKENS,
    "text_tokens": semconv.USAGE_TEXT_OUTPUT_TOKENS,
}
_COSTS: Final = ("cost", "cost_in_usd_ticks")
_OLDER: Final = (
    *("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"),
    *_COSTS,
)
_NEWER: Final = (
    *("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
    *_COSTS,
)
_REASONS: Final = semconv.RESPONSE_FINISH_REASONS
_ASKED: Final = semconv.USAGE_INPUT_TOKENS
_ANSWERED: Final = semconv.USAGE_OUTPUT_TOKENS
_THOUGHT: Final = semconv.USAGE_REASONING_OUTPUT_TOKENS


def usage_facts(facts: Facts, usage: Any) -> Mapping[str, Any]:
    """Usage of any endpoint; older ones say prompt and completion where newer ones say input and output.

    Gives the fields that it was read from.
    """
    told = fields(usage)
    names = _NEWER if told.get("prompt_tokens") is None else _OLDER
    asked, answered, asked_parts, answered_parts, cost, ticks = map(told.get, names)
    if asked is not None:
        facts[_ASKED] = asked
    if answered is None:  # nobody answers embeddings; who does may say it in the other words
        answered = told.get("completion_tokens", told.get("output_tokens"))
    if answered is not None:
        facts[_ANSWERED] = answered
    if asked_parts is None:  # audio has no plural, and a vendor a mixture
        asked_parts = told.get("input_token_details") or told.get("prompt_token_details")
    if asked_parts is not None:
        put(facts, fields(asked_parts), _INPUT_DETAILS)
    if answered_parts is None:
        answered_parts = told.get("output_token_details")
    if answered_parts is not None:
        put(facts, fields(answered_parts), _OUTPUT_DETAILS)
        if _THOUGHT in facts:
            _beside(facts, asked, answered, told.get("total_tokens"))
    if cost is not None or ticks is not None:
        _cost(facts, told, cost, ticks)
    return told


def _cost(facts: Facts, told: Mapping[str, Any], cost: Any, ticks: Any) -> None:
    """What OpenRouter and other gateways, Perplexity in parts, and xAI in ticks, say that it cost, in US dollars."""
    amount = cost if isinstance(cost, (int, float)) else get(cost, "total_cost")
    if isinstance(ticks, int):
        amount = ticks * TICK
    elif (
        told.get("is_byok") is True
    ):  # OpenRouter's own charge; the vendor bills the key's owner for the rest
        upstream = get(told.get("cost_details"), "upstream_inference_cost")
        amount = amount + upstream if isinstance(upstream, (int, float)) else None
    if amount is not None:
        facts[semconv.COST_REPORTED] = amount


def _beside(facts: Facts, asked: Any, answered: Any, total: Any) -> None:
    """Some vendors count reasoning beside what was answered, which nothing but their total tells."""
    try:
        answered += facts[semconv.USAGE_REASONING_OUTPUT_TOKENS]
        if total == asked + answered:
            facts[semconv.USAGE_OUTPUT_TOKENS] = answered
    except TypeError:  # a count that is missing, or is none
        pass


def compute_time(facts: Facts, *seconds: Any) -> None:
    """Put how long the model was at it, in parts where the vendor tells it in parts."""
    try:
        facts[semconv.COMPUTE_TIME] = float(sum(seconds))
    except (TypeError, OverflowError):  # a part that is not told, or no number
        return


# --- results -------------------------------------------------------------------------------------


IDENTITY: Final = {
    "id": semconv.RESPONSE_ID,
    "model": semconv.RESPONSE_MODEL,
    "service_tier": semconv.OPENAI_RESPONSE_SERVICE_TIER,
    "system_fingerprint": semconv.OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
}


def identity(facts: Facts, result: Any) -> None:
    """Who answered: id, model, tier and fingerprint, as far as they are there."""
    put(facts, fields(result), IDENTITY)


def request_id(facts: Facts, result: Any) -> None:
    """The vendor's request id, where the client hangs it on its results."""
    found = getattr(result, "_request_id", None)
    if found:
        facts[semconv.REQUEST_ID] = found


def chat_response(result: Any, *, own: _Put = request_id) -> Facts:
    """Facts of a completion; ``own`` puts what a vendor, or its client, has of its own."""
    facts: Facts = {}
    if not hasattr(result, "choices"):  # a body that is no JSON, or is not of the declared type
        refused(facts, result)
        return facts
    identity(facts, result)
    own(facts, result)
    if result.choices:
        facts[_REASONS] = tuple([choice.finish_reason or "error" for choice in result.choices])
    else:
        refused(facts, result)
    if result.usage is not None:
        usage_facts(facts, result.usage)
    return facts


def counted(facts: Facts, chunk: Any) -> None:
    """The usage in a chunk that has one."""
    usage_facts(facts, chunk.usage)


def chat_chunk(
    facts: Facts,
    chunk: Any,
    *,
    ended: _Put = identity,
    without: Callable[[Facts, Any], tuple[()]] = lambda _, chunk: no_choices(chunk),
    usage: _Put = counted,
) -> None:
    """Facts of one chunk of a completion.

    ``ended`` reads a chunk that ends a choice, ``without`` one that has no choices, ``usage`` one that has usage: what
    vendors have of their own stands there.
    """
    for choice in chunk.choices or without(facts, chunk):
        if choice.finish_reason is not None:
            finished(facts, choice)
            ended(facts, chunk)
    if chunk.usage is not None:
        usage(facts, chunk)


def no_choices(chunk: Any) -> tuple[()]:
    """The choices of a chunk that has none; some clients hand the vendor's error on as such a chunk."""
    error = fields(chunk).get("error")
    if error:
        raise StreamFailed(kind_of(error))
    return ()


def refused(facts: Facts, result: Any) -> None:
    """Put the error that an answer without choices tells of: some clients hand it on as if it were one."""
    error = get(result, "error")
    if error:
        facts[semconv.ERROR_TYPE] = kind_of(error)


def kind_of(error: Any) -> str:
    """The type of an error in a body, or its code; the vendor's message is none."""
    kind = get(error, "type") or get(error, "code")
    return kind if isinstance(kind, str) else "error"


def finished(facts: Facts, choice: Any) -> None:
    """Why one choice of a stream ended, in the place of that choice."""
    reasons = list(facts.get(semconv.RESPONSE_FINISH_REASONS, ()))
    index = get(choice, "index") or 0
    if index < 1024:  # the index is the vendor's word; a choice that never finishes stays an "error"
        reasons += ["error"] * (index + 1 - len(reasons))
        reasons[index] = get(choice, "finish_reason")
        facts[semconv.RESPONSE_FINISH_REASONS] = tuple(reasons)


_FINISH: Final = {"completed": "stop", "failed": "error", "cancelled": "cancelled"}
_INCOMPLETE: Final[dict[str | None, str]] = {"max_output_tokens": "length"}
_STOPPED: Final = ("stop",)
_CALLED: Final = ("tool_call",)
TERMINAL: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)
"""The last events of a response, which carry it."""
EVENTFUL: Final = TERMINAL | {"error", None}
"""The events that tell of a response's end; the oldest clients know no error's type."""


def responses_response(result: Any) -> Facts:
    """Facts of a response with its usage."""
    facts = fetched_response(result)
    usage = getattr(result, "usage", None)
    if usage is not None:
        usage_facts(facts, usage)
        fees.in_response(facts, result)
    return facts


def fetched_response(result: Any, *, own: _Put = request_id) -> Facts:
    """A response without its usage: the convention counts that where the response was made, not where it is read."""
    facts: Facts = {}
    try:
        status = result.status
    except AttributeError:
        return facts
    identity(facts, result)
    own(facts, result)
    if status:
        facts[semconv.RESPONSE_STATUS] = status
    if status == "completed":
        output = items(getattr(result, "output", None))
        if "function_call" in kinds(output):
            facts[_REASONS] = _CALLED
        else:
            facts[_REASONS] = _STOPPED
            in_response(facts, output)
    else:
        reason = finish(status, get(get(result, "incomplete_details"), "reason"))
        if reason is not None:
            facts[_REASONS] = (reason,)
        if status == "failed":
            facts[semconv.ERROR_TYPE] = get(result.error, "code") or "failed"
    return facts


def finish(status: Any, why: Any, *, called: bool = False) -> str | None:
    """Why a response finished, from its status and what that says of itself; None where it has not."""
    if status == "incomplete":
        return _INCOMPLETE.get(why, why) or "length"
    reason = _FINISH.get(status)
    return "tool_call" if called and reason == "stop" else reason


def responses_first(facts: Facts, event: Any) -> None:
    """Who answers, from a stream's first event."""
    response = getattr(event, "response", None)
    if hasattr(response, "id"):  # a dict where the client does not know one of its fields
        identity(facts, response)


def responses_chunk(response: Callable[[Any], Facts]) -> Callable[[Facts, Any], None]:
    """The reader of one event of a response's stream; ``response`` reads the whole response in the last event."""

    def chunk(facts: Facts, event: Any) -> None:
        if event.type not in EVENTFUL:
            return
        if event.type in TERMINAL:
            whole = event.response
            # A client that does not know one of its fields takes the event for another, with a dictionary in it.
            facts.update(response(SimpleNamespace(**whole) if type(whole) is dict else whole))
        else:
            _failed(facts, event)

    return chunk


def _failed(facts: Facts, event: Any) -> None:
    # To the oldest clients an error is another event, with its data beside.
    if event.type is not None or getattr(event, "event", None) == "error":
        data = getattr(event, "data", None)
        code = data.get("code") if is_mapping(data) else getattr(event, "code", None)
        facts[semconv.ERROR_TYPE] = code or "error"


def plain_response(result: Any, *, own: _Put = request_id) -> Facts:
    """Model and usage of embeddings, images, transcriptions and moderations."""
    facts: Facts = {}
    model = getattr(result, "model", None)
    if isinstance(model, str) and model:
        facts[semconv.RESPONSE_MODEL] = model
    own(facts, result)
    _plain_usage(facts, getattr(result, "usage", None))
    return facts


def plain_chunk(facts: Facts, event: Any) -> None:
    """Usage in the last event of an image's or a transcription's stream."""
    _plain_usage(facts, getattr(event, "usage", None))


def _plain_usage(facts: Facts, usage: Any) -> None:
    """Tokens, or for older models how long the sound was."""
    if usage is not None:
        seconds = usage_facts(facts, usage).get("seconds")
        if seconds is not None:
            facts[semconv.USAGE_AUDIO_SECONDS] = seconds


def errors(error: BaseException) -> Facts:
    """What an exception tells; ``parse`` raises some that carry the completion that was paid for."""
    completion = getattr(error, "completion", None)
    return {**chat_response(completion), **api_errors(error)} if completion is not None else api_errors(error)
