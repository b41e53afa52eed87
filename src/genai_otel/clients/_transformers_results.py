"""What Transformers is asked for and what comes of it: generation settings, tensors of tokens.

Tensors are read when the model has run, so that nothing waits for a device that would not have waited anyway, and by
their own methods, so that a large batch costs what a small one costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._parts import items
from genai_otel.spec import Facts

ENCODES: Final = "genai_otel.encodes"
"""Where the settings of a generation say whether the model has an encoder for the prompt."""

PIPELINE: Final = "genai_otel.pipeline"
"""Where the arguments of a pipeline hold the pipeline."""

# --- requests -------------------------------------------------------------------------------------

_ASKED: Final = "genai_otel.asked"
_sampling = requests.request(
    {
        "temperature": requests.CHAT["temperature"],
        "top_p": requests.CHAT["top_p"],
        "top_k": semconv.REQUEST_TOP_K,
    }
)
_ALWAYS: Final = ("max_new_tokens", "num_return_sequences", "stop_strings", "streamer", "do_sample")


def settings(model: Any, encodes: bool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is set of a generation: by an argument, where there is none by a configuration, else as the model's own."""
    own = getattr(getattr(model, "generation_config", None), "__dict__", {})
    given = arguments.get("generation_config")
    if given is not None:
        own = {**own, **{name: value for name, value in given.__dict__.items() if value is not None}}
    return {**own, **arguments, _ASKED: arguments, ENCODES: encodes}


def request(settings: Mapping[str, Any]) -> Facts:
    """The settings that count.  How to sample counts where the model samples, or where the call itself says it."""
    most, answers, stop, streamer, samples = map(settings.get, _ALWAYS)
    facts = _sampling(settings if samples else settings[_ASKED])
    if most is not None:
        facts[semconv.REQUEST_MAX_TOKENS] = most
    if answers is not None and answers != 1:
        facts[semconv.REQUEST_CHOICE_COUNT] = answers
    if stop:
        facts[semconv.REQUEST_STOP_SEQUENCES] = (stop,) if isinstance(stop, str) else tuple(stop)
    if streamer is not None:
        facts[semconv.REQUEST_STREAM] = True
    return facts


# --- results --------------------------------------------------------------------------------------

_reason: Final = ("length", "stop").__getitem__
_ENDS: Final = (
    "max_new_tokens",
    "max_length",
    "eos_token_id",
    "pad_token_id",
    "stop_strings",
    "stopping_criteria",
)
_GIVEN: Final = ("input_ids", "inputs", "inputs_embeds", "attention_mask")


def generated(settings: Mapping[str, Any], result: Any) -> Facts:
    """Tokens of the prompts without their padding, tokens that the model made, why each answer ended."""
    facts: Facts = {}
    tokens, width = _prompts(settings)
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    sequences = getattr(result, "sequences", result)
    if getattr(sequences, "ndim", 0) != 2:  # not of tokens
        return facts
    if settings[ENCODES]:  # and decodes from what it is given, or a token
        start = settings.get("decoder_input_ids")
        width = 1 if start is None else start.shape[1]
    elif width is None:
        width = min(1, sequences.shape[1])
    made = sequences[:, width:]
    most, longest, ends, pads, stops, criteria = map(settings.get, _ENDS)
    # What stands behind an answer's end was filled in; without one only other criteria can have ended it.
    filled = _ids(pads) if stops or criteria else ()
    facts[semconv.USAGE_OUTPUT_TOKENS], stopped = _counted(made, _ids(ends), filled)
    if sequences.shape[1] < (longest or 0) if most is None else made.shape[1] < most:
        stopped = (True,) * len(stopped)
    facts[semconv.RESPONSE_FINISH_REASONS] = tuple(map(_reason, stopped))
    return facts


def _prompts(settings: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """How many tokens the prompts have without their padding, and how many with it each that stands in the result."""
    tokens, inputs, embedded, mask = map(settings.get, _GIVEN)
    if tokens is None and inputs is not None and not inputs.is_floating_point():
        tokens = inputs
    if tokens is not None and tokens.ndim == 2:
        width = tokens.shape[1]
    elif embedded is not None:
        tokens, width = embedded, 0
    else:
        return None, None
    if mask is not None and mask.ndim == 2:
        return int(mask.sum()), width
    return tokens.shape[0] * tokens.shape[1], width


def _ids(value: Any) -> Sequence[int]:
    return (value,) if isinstance(value, int) else items(value)


def _counted(tokens: Any, ends: Sequence[int], pads: Sequence[int]) -> tuple[int, Sequence[bool]]:
    """How many tokens belong to the answers, up to the first that ends one, or to pads; which of these have an end."""
    ended = _one_of(ends, tokens)
    own = ended.cumsum(1) == ended
    stopped = ended.any(1)
    if pads:
        filled = (_one_of(pads, tokens).flip(1).cumprod(1) > 0).flip(1)  # to the last token
        own &= ~filled | ended.any(1, keepdim=True)
        stopped = stopped | ~own.all(1)
    return int(own.sum()), stopped.tolist()


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
