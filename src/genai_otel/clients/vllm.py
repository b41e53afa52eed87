"""vLLM in the program's own process: ``LLM`` and ``AsyncLLM``.

A call of many prompts is one span with their sum.  Classification and rewards are no operations of the conventions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _vllm_messages as messages
from genai_otel.clients._local import model_name
from genai_otel.clients._parts import items
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer, Streaming

# --- requests ------------------------------------------------------------------------------------

_DOUBLES: Final = {
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
}
_doubles: Final = attrgetter(*_DOUBLES)
_others: Final = attrgetter("max_tokens", "seed", "n", "top_k", "stop")


def _request(arguments: Mapping[str, Any]) -> Facts:
    asked: Any = arguments.get("sampling_params")
    several = items(asked)  # one for each prompt
    if several:
        asked = several[0] if all(each == several[0] for each in several) else None
    if asked is None:
        return {}
    facts: Facts = dict(zip(_DOUBLES.values(), map(float, _doubles(asked)), strict=True))
    most, seed, count, top_k, stop = _others(asked)
    if most is not None:
        facts[semconv.REQUEST_MAX_TOKENS] = most
    if seed is not None:
        facts[semconv.REQUEST_SEED] = seed
    if count != 1:
        facts[semconv.REQUEST_CHOICE_COUNT] = count
    if top_k > 0:  # else all are
        facts[semconv.REQUEST_TOP_K] = top_k
    if stop:
        facts[semconv.REQUEST_STOP_SEQUENCES] = (stop,) if isinstance(stop, str) else tuple(stop)
    return facts


_read_beams = requests.request(
    {"temperature": requests.CHAT["temperature"], "max_tokens": semconv.REQUEST_MAX_TOKENS}
)


def _beams(arguments: Mapping[str, Any]) -> Facts:
    asked = arguments.get("params")
    return _read_beams({name: getattr(asked, name, None) for name in ("temperature", "max_tokens")})


def _streamed(arguments: Mapping[str, Any]) -> Facts:
    return {**_request(arguments), semconv.REQUEST_STREAM: True}


# --- results -------------------------------------------------------------------------------------


_prompt: Final = attrgetter("prompt_token_ids")
_encoded: Final = attrgetter("encoder_prompt_token_ids")
_cached: Final = attrgetter("num_cached_tokens")
_outputs: Final = attrgetter("outputs")
_tokens: Final = attrgetter("token_ids")
_reason: Final = attrgetter("finish_reason")


def _response(result: Any) -> Facts:
    """Facts of the answers to all prompts of a call, of whatever kind; all of one, so that many cost what one costs."""
    facts: Facts = {}
    answers = items(result)
    if not answers:
        return facts
    first = answers[0]
    _asked(facts, answers)
    if isinstance(first.outputs, list):
        _made(facts, list(chain.from_iterable(map(_outputs, answers))))
    else:
        vector = getattr(first.outputs, "embedding", None)
        if vector is not None:
            facts[semconv.EMBEDDINGS_DIMENSION_COUNT] = len(vector)
    if len(answers) == 1:
        facts[semconv.RESPONSE_ID] = first.request_id
    return facts


def _asked(facts: Facts, answers: Sequence[Any]) -> None:
    encodes = getattr(answers[0], "encoder_prompt_token_ids", None)
    tokens = sum(map(len, filter(bool, map(_encoded if encodes else _prompt, answers))))
    if tokens:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    cached = sum(filter(bool, map(_cached, answers)))
    if cached:
        facts[semconv.USAGE_CACHE_READ_INPUT_TOKENS] = cached


def _made(facts: Facts, outputs: Sequence[Any]) -> None:
    tokens = sum(map(len, map(_tokens, outputs)))
    if tokens:
        facts[semconv.USAGE_OUTPUT_TOKENS] = facts.get(semconv.USAGE_OUTPUT_TOKENS, 0) + tokens
    reasons = tuple(filter(bool, map(_reason, outputs)))
    if reasons:
        facts[semconv.RESPONSE_FINISH_REASONS] = (*facts.get(semconv.RESPONSE_FINISH_REASONS, ()), *reasons)


# --- chunks: what is new, or all there is so far ---------------------------------------------------


def _first(facts: Facts, chunk: Any) -> None:
    facts[semconv.RESPONSE_ID] = chunk.request_id
    _asked(facts, (chunk,))


def _new(facts: Facts, chunk: Any) -> None:
    _made(facts, chunk.outputs)


def _so_far(facts: Facts, chunk: Any) -> None:
    facts.pop(semconv.USAGE_OUTPUT_TOKENS, None)
    _new(facts, chunk)


def _when_done(facts: Facts, chunk: Any) -> None:
    """Several answers, each in chunks of its own: only at its end is one known to be whole."""
    for output in chunk.outputs:
        if output.finish_reason is not None:
            _made(facts, (output,))


_stream: Final[dict[str, Any]] = {
    "operation": semconv.TEXT_COMPLETION,
    "model": None,
    "stream_argument": None,
    "request": _streamed,
    "first": _first,
}
_DELTAS: Final = Endpoint("", **_stream, chunk=_new, content=messages.DELTAS)
_ONE: Final = Endpoint("", **_stream, chunk=_so_far, content=messages.CUMULATIVE)
_SEVERAL: Final = Endpoint("", **_stream, chunk=_when_done, content=messages.CUMULATIVE)


def _generate(_: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]]:
    asked = arguments.get("sampling_params")
    if getattr(getattr(asked, "output_kind", None), "name", "") == "DELTA":
        return _DELTAS, arguments
    return (_ONE if getattr(asked, "n", 1) == 1 else _SEVERAL), arguments


# --- the endpoints -------------------------------------------------------------------------------

_answered: Final[dict[str, Any]] = {"model": None, "response": _response}
_whole: Final[dict[str, Any]] = {**_answered, "request": _request}
_EMBED: Final = Endpoint("", semconv.EMBEDDINGS, **_answered)
_OTHER_TASKS: Final = frozenset({"classify", "token_classify", "score", "plugin"})


def _encode(_: Any, arguments: Mapping[str, Any]) -> tuple[Endpoint, Mapping[str, Any]] | None:
    return None if arguments.get("pooling_task") in _OTHER_TASKS else (_EMBED, arguments)


def _connection(engine: Any) -> object:
    return engine.model_config.model


def _peer(engine: Any) -> Peer:
    config = engine.model_config
    served = config.served_model_name
    return Peer("vllm", model=model_name(served if isinstance(served, str) else config.model))


_LLM: Final = "vllm.entrypoints.llm:LLM."
_ASYNC: Final = "vllm.v1.engine.async_llm:AsyncLLM."
_PROMPTS: Final = ("prompts", "sampling_params")

SPEC: Final = ClientSpec(
    name="vllm",
    requires="vllm >= 0.12, < 1",
    connection=_connection,
    peer=_peer,
    streaming=Streaming(),
    endpoints=(
        Endpoint(
            f"{_LLM}generate",
            semconv.TEXT_COMPLETION,
            **_whole,
            content=messages.PROMPTS,
            positional=_PROMPTS,
        ),
        Endpoint(
            f"{_LLM}chat",
            semconv.CHAT,
            **_whole,
            content=messages.CHAT,
            positional=("messages", "sampling_params"),
        ),
        # Its results hold all tokens that were tried, and in old versions it calls ``generate`` for each.
        Endpoint(
            f"{_LLM}beam_search",
            semconv.TEXT_COMPLETION,
            model=None,
            request=_beams,
            content=messages.BEAMS,
            positional=("prompts", "params"),
        ),
        Endpoint(f"{_LLM}wait_for_completion", semconv.TEXT_COMPLETION, **_answered),
        Endpoint(f"{_LLM}encode", "", route=_encode, routes=(_EMBED,), positional=("prompts",)),
        Endpoint(f"{_LLM}embed", semconv.EMBEDDINGS, **_answered),
        Endpoint(f"{_LLM}score", semconv.RERANK, **_answered),
        Endpoint(
            f"{_ASYNC}generate",
            "",
            route=_generate,
            routes=(_DELTAS, _ONE, _SEVERAL),
            positional=("prompt", "sampling_params", "request_id"),
        ),
        Endpoint(
            f"{_ASYNC}encode",
            semconv.EMBEDDINGS,
            model=None,
            stream_argument=None,
            first=_first,
            chunk=lambda _, __: None,
        ),
    ),
)
