"""vLLM in the program's own process: ``LLM`` and ``AsyncLLM``.

A call of many prompts is one span with their sum.  Classification and rewards are no operations of the conventions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients import _vllm_messages as messages
from genai_otel.clients._local import model_name
from genai_otel.clients._parts import items
from genai_otel.spec import ClientSpec, Endpoint, Facts, Peer, Streaming

# --- requests ------------------------------------------------------------------------------------

_SETTINGS: Final = {
    **{
        name: requests.CHAT[name]
        for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "n")
    },
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
}


def _stop(facts: Facts, value: Any) -> None:
    if value:
        facts[semconv.REQUEST_STOP_SEQUENCES] = (value,) if isinstance(value, str) else tuple(value)


def _top_k(facts: Facts, value: Any) -> None:
    if value > 0:  # else all are
        facts[semconv.REQUEST_TOP_K] = value


_read = requests.request({**_SETTINGS, "top_k": _top_k, "stop": _stop})
_NAMES: Final = (*_SETTINGS, "top_k", "stop")


def _request(arguments: Mapping[str, Any]) -> Facts:
    asked: Any = arguments.get("sampling_params") or arguments.get("params")
    several = items(asked)  # one for each prompt
    if several:
        asked = several[0] if all(each == several[0] for each in several) else None
    return {} if asked is None else _read({name: getattr(asked, name, None) for name in _NAMES})


def _streamed(arguments: Mapping[str, Any]) -> Facts:
    return {**_request(arguments), semconv.REQUEST_STREAM: True}


# --- results -------------------------------------------------------------------------------------


def _response(result: Any) -> Facts:
    """Facts of the answers to all prompts of a call, of whatever kind."""
    facts: Facts = {}
    answers = items(result)
    for answer in answers:
        _asked(facts, answer)
        for output in items(answer.outputs):
            _made(facts, output)
        vector = getattr(answer.outputs, "embedding", None)
        if vector is not None:
            facts[semconv.EMBEDDINGS_DIMENSION_COUNT] = len(vector)
    if len(answers) == 1:
        facts[semconv.RESPONSE_ID] = answers[0].request_id
    return facts


def _asked(facts: Facts, answer: Any) -> None:
    prompt = getattr(answer, "encoder_prompt_token_ids", None) or answer.prompt_token_ids
    if prompt is not None:
        _count(facts, semconv.USAGE_INPUT_TOKENS, len(prompt))
    cached = getattr(answer, "num_cached_tokens", None)
    if cached:
        _count(facts, semconv.USAGE_CACHE_READ_INPUT_TOKENS, cached)


def _made(facts: Facts, output: Any) -> None:
    _count(facts, semconv.USAGE_OUTPUT_TOKENS, len(output.token_ids))
    if output.finish_reason is not None:
        reasons = facts.get(semconv.RESPONSE_FINISH_REASONS, ())
        facts[semconv.RESPONSE_FINISH_REASONS] = (*reasons, output.finish_reason)


def _count(facts: Facts, name: str, tokens: int) -> None:
    facts[name] = facts.get(name, 0) + tokens


# --- chunks: what is new, or all there is so far ---------------------------------------------------


def _first(facts: Facts, chunk: Any) -> None:
    facts[semconv.RESPONSE_ID] = chunk.request_id
    _asked(facts, chunk)


def _new(facts: Facts, chunk: Any) -> None:
    for output in chunk.outputs:
        _made(facts, output)


def _so_far(facts: Facts, chunk: Any) -> None:
    facts.pop(semconv.USAGE_OUTPUT_TOKENS, None)
    _new(facts, chunk)


def _when_done(facts: Facts, chunk: Any) -> None:
    """Several answers, each in chunks of its own: only at its end is one known to be whole."""
    for output in chunk.outputs:
        if output.finish_reason is not None:
            _made(facts, output)


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

_whole: Final[dict[str, Any]] = {"model": None, "request": _request, "response": _response}
_EMBED: Final = Endpoint("", semconv.EMBEDDINGS, **_whole)
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
            request=_request,
            content=messages.BEAMS,
            positional=("prompts", "params"),
        ),
        Endpoint(f"{_LLM}wait_for_completion", semconv.TEXT_COMPLETION, **_whole),
        Endpoint(f"{_LLM}encode", "", route=_encode, routes=(_EMBED,), positional=("prompts",)),
        Endpoint(f"{_LLM}embed", semconv.EMBEDDINGS, **_whole),
        Endpoint(f"{_LLM}score", semconv.RERANK, **_whole),
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
