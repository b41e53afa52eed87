"""What Transformers is asked for and what comes of it: generation settings, tensors of tokens.

Tensors are read when the model has run, so that nothing waits for a device that would not have waited anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from genai_otel import semconv
from genai_otel.clients import _openai_requests as requests
from genai_otel.clients._parts import items
from genai_otel.spec import Facts

MODEL: Final = "genai_otel.model"
"""Where the arguments of ``generate`` hold the model."""

PIPELINE: Final = "genai_otel.pipeline"
"""Where the arguments of a pipeline hold the pipeline."""

# --- requests -------------------------------------------------------------------------------------

_SAMPLING: Final = ("temperature", "top_p", "top_k")
_SETTINGS: Final = (*_SAMPLING, "max_new_tokens", "num_return_sequences", "stop_strings")
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


def _setting(arguments: Mapping[str, Any], name: str) -> Any:
    """A setting of one generation: an argument, else as a configuration has it, else the model's own."""
    value = arguments.get(name)
    if value is None:
        value = getattr(arguments.get("generation_config"), name, None)
    return getattr(_own(arguments), name, None) if value is None else value


def _own(arguments: Mapping[str, Any]) -> Any:
    return getattr(arguments[MODEL], "generation_config", None)


def request(arguments: Mapping[str, Any]) -> Facts:
    """The settings that count.  How to sample counts where the model samples, or where the call itself says it."""
    samples = _setting(arguments, "do_sample")
    names = _SETTINGS if samples else (*(name for name in _SAMPLING if name in arguments), *_SETTINGS[3:])
    return {**_read({name: _setting(arguments, name) for name in names}), **streams(arguments)}


def streams(arguments: Mapping[str, Any]) -> Facts:
    """Whether somebody is given the tokens as they come."""
    return {} if arguments.get("streamer") is None else {semconv.REQUEST_STREAM: True}


# --- results --------------------------------------------------------------------------------------


def generated(arguments: Mapping[str, Any], result: Any) -> Facts:
    """Tokens of the prompts without their padding, tokens that the model made, why each answer ended."""
    facts: Facts = {}
    prompts = _prompts(arguments)
    tokens = _prompt_tokens(arguments, prompts)
    if tokens is not None:
        facts[semconv.USAGE_INPUT_TOKENS] = tokens
    sequences = getattr(result, "sequences", result)
    if len(getattr(sequences, "shape", ())) != 2:  # not of tokens
        return facts
    width = sequences.shape[1]
    rows: list[list[int]] = sequences[:, _given(arguments, prompts, sequences) :].tolist()
    ends = _ids(arguments, "eos_token_id")
    # What stands behind an answer's end was filled in; without one only other criteria can have ended it.
    criteria = _setting(arguments, "stop_strings") or arguments.get("stopping_criteria")
    pads = _ids(arguments, "pad_token_id") if criteria else frozenset[int]()
    answers = [_answer(row, ends, pads) for row in rows]
    facts[semconv.USAGE_OUTPUT_TOKENS] = sum(map(len, answers))
    most = _setting(arguments, "max_new_tokens")
    limited = width < (_setting(arguments, "max_length") or 0) if most is None else len(rows[0]) < most
    facts[semconv.RESPONSE_FINISH_REASONS] = tuple(
        "stop" if limited or len(answer) < len(row) or not ends.isdisjoint(answer[-1:]) else "length"
        for answer, row in zip(answers, rows, strict=True)
    )
    return facts


def _prompts(arguments: Mapping[str, Any]) -> Any:
    """The tensor of the prompts' tokens, if there is one."""
    for name in ("input_ids", "inputs"):
        found: Any = arguments.get(name)
        if len(getattr(found, "shape", ())) == 2 and not found.is_floating_point():
            return found
    return None


def _prompt_tokens(arguments: Mapping[str, Any], prompts: Any) -> int | None:
    embedded = arguments.get("inputs_embeds") if prompts is None else prompts
    if embedded is None:
        return None
    mask = arguments.get("attention_mask")
    if mask is not None and len(mask.shape) == 2:
        return int(mask.sum())
    return int(embedded.shape[0] * embedded.shape[1])


def _given(arguments: Mapping[str, Any], prompts: Any, sequences: Any) -> int:
    """How many tokens of each sequence the model did not make: a decoder's prompt, or what a decoder starts with."""
    if arguments[MODEL].config.is_encoder_decoder:
        start = arguments.get("decoder_input_ids")
        return int(start.shape[1]) if start is not None else 1
    if prompts is not None:
        return int(prompts.shape[1])
    return 0 if arguments.get("inputs_embeds") is not None else min(1, int(sequences.shape[1]))


def _ids(arguments: Mapping[str, Any], name: str) -> frozenset[int]:
    value = _setting(arguments, name)
    return frozenset((value,)) if isinstance(value, int) else frozenset(items(value))


def _answer(row: list[int], ends: frozenset[int], pads: frozenset[int]) -> list[int]:
    """The tokens of one answer: up to the first that ends it, without what fills the row."""
    ended = [row.index(end) for end in ends if end in row]
    if ended:
        return row[: min(ended) + 1]
    last = len(row)
    while last and row[last - 1] in pads:
        last -= 1
    return row[:last]


# --- features -------------------------------------------------------------------------------------


def features(arguments: Mapping[str, Any], result: Any) -> Facts:
    """The dimensions of embeddings, and the tokens of texts where each has a vector and none was filled up."""
    pipeline, inputs = arguments[PIPELINE], arguments.get("inputs")
    shapes = [_shape(each) for each in (result if isinstance(inputs, list) else [result])]
    facts: Facts = {}
    if shapes and len(shapes[0]) >= 2:
        facts[semconv.EMBEDDINGS_DIMENSION_COUNT] = shapes[0][-1]
    batch = arguments.get("batch_size") or getattr(pipeline, "_batch_size", None) or 1
    if pipeline.task == "feature-extraction" and batch == 1 and all(len(shape) == 3 for shape in shapes):
        facts[semconv.USAGE_INPUT_TOKENS] = sum(shape[0] * shape[1] for shape in shapes)
    return facts


def _shape(value: Any) -> Sequence[int]:
    if hasattr(value, "shape"):
        return tuple(value.shape)
    found: list[int] = []
    while isinstance(value, list) and value:
        found.append(len(value))  # pyright: ignore[reportUnknownArgumentType] - numbers, however deep
        value = value[0]  # pyright: ignore[reportUnknownVariableType] - see above
    return found
