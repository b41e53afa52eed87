"""What Transformers is asked for and what comes of it: generation settings, tensors of tokens.

Tensors are read when the model has run, so that nothing waits for a device that would not have waited anyway, and by
their own methods, so that a large batch costs what a small one costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import compress
from operator import is_not, itemgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._parts import items
from genai_otel.spec import Facts

MODEL: Final = "genai_otel.model"
"""Where the settings of a generation hold the model."""

PIPELINE: Final = "genai_otel.pipeline"
"""Where the arguments of a pipeline hold the pipeline."""

# --- requests -------------------------------------------------------------------------------------

_ASKED: Final = "genai_otel.asked"
_SAMPLING: Final = frozenset({"temperature", "top_p", "top_k"})
_OTHERS: Final = frozenset({"max_new_tokens", "num_return_sequences", "stop_strings"})
_read = requests.request(
    {
        "temperature": requests.CHAT["temperature"],
        "top_p": requests.CHAT["top_p"],
        "top_k": semconv.REQUEST_TOP_K,
        "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
        "num_return_sequences": requests.CHAT["n"],
        "stop_strings": requests.CHAT["stop"],
    }
)
_is_set: Final = partial(is_not, None)


def settings(model: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is set of a generation: by an argument, where there is none by a configuration, else as the model's own."""
    found = _stored(getattr(model, "generation_config", None))
    given = arguments.get("generation_config")
    if given is not None:
        found = {**found, **_set(_stored(given))}
    return {**_set({**found, **arguments}), _ASKED: arguments, MODEL: model}


def _stored(configuration: Any) -> dict[str, Any]:
    return getattr(configuration, "__dict__", {})


def _set(values: dict[str, Any]) -> dict[str, Any]:
    """Those that are not None."""
    return dict(compress(values.items(), map(_is_set, values.values())))


def request(settings: Mapping[str, Any]) -> Facts:
    """The settings that count.  How to sample counts where the model samples, or where the call itself says it."""
    sampling = settings if settings.get("do_sample") else settings[_ASKED]
    names = (_SAMPLING & sampling.keys() | _OTHERS) & settings.keys()
    facts = _read({name: settings[name] for name in names})
    if "streamer" in settings:
        facts[semconv.REQUEST_STREAM] = True
    return facts


def streams(arguments: Mapping[str, Any]) -> Facts:
    """Whether somebody is given the tokens as they come."""
    return {} if arguments.get("streamer") is None else {semconv.REQUEST_STREAM: True}


# --- results --------------------------------------------------------------------------------------

_REASONS: Final = ("length", "stop")


def generated(settings: Mapping[str, Any], result: Any) -> Facts:
    """Tokens of the prompts without their padding, tokens that the model made, why each answer ended."""
    facts: Facts = {}
    prompts = _prompts(settings)
    tokens = _prompt_tokens(settings, prompts)
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    sequences = getattr(result, "sequences", result)
    if len(getattr(sequences, "shape", ())) != 2:  # not of tokens
        return facts
    told = settings.get
    made = sequences[:, _given(settings, prompts, sequences) :]
    # What stands behind an answer's end was filled in; without one only other criteria can have ended it.
    criteria = told("stop_strings") or told("stopping_criteria")
    facts[semconv.USAGE_OUTPUT_TOKENS], stopped = _counted(
        made, _ids(told("eos_token_id")), _ids(told("pad_token_id")) if criteria else ()
    )
    most = told("max_new_tokens")
    if sequences.shape[1] < (told("max_length") or 0) if most is None else made.shape[1] < most:
        stopped = (True,) * len(stopped)
    facts[semconv.RESPONSE_FINISH_REASONS] = tuple(map(_REASONS.__getitem__, stopped))
    return facts


def _prompts(settings: Mapping[str, Any]) -> Any:
    """The tensor of the prompts' tokens, if there is one."""
    for name in ("input_ids", "inputs"):
        found: Any = settings.get(name)
        if len(getattr(found, "shape", ())) == 2 and not found.is_floating_point():
            return found
    return None


def _prompt_tokens(settings: Mapping[str, Any], prompts: Any) -> int | None:
    embedded = settings.get("inputs_embeds") if prompts is None else prompts
    if embedded is None:
        return None
    mask = settings.get("attention_mask")
    if mask is not None and len(mask.shape) == 2:
        return int(mask.sum())
    return int(embedded.shape[0] * embedded.shape[1])


def _given(settings: Mapping[str, Any], prompts: Any, sequences: Any) -> int:
    """How many tokens of each sequence the model did not make: a decoder's prompt, or what a decoder starts with."""
    if settings[MODEL].config.is_encoder_decoder:
        start = settings.get("decoder_input_ids")
        return int(start.shape[1]) if start is not None else 1
    if prompts is not None:
        return int(prompts.shape[1])
    return 0 if settings.get("inputs_embeds") is not None else min(1, int(sequences.shape[1]))


def _ids(value: Any) -> Sequence[int]:
    return (value,) if isinstance(value, int) else items(value)


def _counted(tokens: Any, ends: Sequence[int], pads: Sequence[int]) -> tuple[int, Sequence[bool]]:
    """How many tokens belong to the answers, up to the first that ends one, or to pads; which of these have an end."""
    ended = _one_of(ends, tokens)
    own = ended.cumsum(1) == ended
    if pads:
        filled = (_one_of(pads, tokens).flip(1).cumprod(1) > 0).flip(1)  # to the last token
        own &= ~filled | ended.any(1, keepdim=True)
    return int(own.sum()), (ended.any(1) | ~own.all(1)).tolist()


def _one_of(ids: Sequence[int], tokens: Any) -> Any:
    """Where a tensor has one of the tokens."""
    found = tokens < 0  # none is
    for each in ids:
        found |= tokens == each
    return found


# --- features -------------------------------------------------------------------------------------


def features(arguments: Mapping[str, Any], result: Any) -> Facts:
    """The dimensions of embeddings, and the tokens of texts where each has a vector and none was filled up."""
    pipeline = arguments[PIPELINE]
    results = result if isinstance(arguments.get("inputs"), list) else [result]
    shape = _shape(results[0]) if results else ()  # of the first, as of all
    facts: Facts = {semconv.EMBEDDINGS_DIMENSION_COUNT: shape[-1]} if len(shape) >= 2 else {}
    batch = arguments.get("batch_size") or getattr(pipeline, "_batch_size", None) or 1
    if len(shape) == 3 and batch == 1 and pipeline.task == "feature-extraction":
        facts[semconv.USAGE_INPUT_TOKENS] = sum(map(len, map(itemgetter(0), results)))
    return facts


def _shape(value: Any) -> Sequence[int]:
    if hasattr(value, "shape"):
        return tuple(value.shape)
    found: list[int] = []
    while isinstance(value, list) and value:
        found.append(len(value))  # pyright: ignore[reportUnknownArgumentType] - numbers, however deep
        value = value[0]  # pyright: ignore[reportUnknownVariableType] - see above
    return found
