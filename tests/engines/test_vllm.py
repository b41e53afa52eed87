"""What only vLLM has: `AsyncLLM`, whose engine is another process.

Here the real class hands on what a stand-in for that process makes.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genai_otel import semconv
from genai_otel.clients import _vllm_messages as messages
from tests.contract.recorded import Recorded, facts, outcome
from tests.engines.engine import CANARY
from tests.engines.payloads.vllm import ENGINE, AsyncLLM, Collector, Kind, outputs, vllm

pytestmark = pytest.mark.usefixtures("balanced")

WORDS = ("one ", "two ", "three")


def answer(index: int, text: str, tokens: int, reason: str | None = None) -> Any:
    return outputs.CompletionOutput(
        index=index,
        text=text,
        token_ids=list(range(tokens)),
        cumulative_logprob=None,
        logprobs=None,
        finish_reason=reason,
    )


def chunk(*answers: Any, finished: bool = False) -> Any:
    return outputs.RequestOutput(
        request_id="r-1",
        prompt=CANARY,
        prompt_token_ids=[1, 2, 3, 4, 5],
        prompt_logprobs=None,
        outputs=list(answers),
        finished=finished,
        num_cached_tokens=2,
    )


def chunks(kind: Any) -> list[Any]:
    """Three chunks of an answer of four tokens, two of them in the last."""
    deltas = kind is Kind.DELTA
    texts = WORDS if deltas else ["".join(WORDS[: count + 1]) for count in range(3)]
    tokens = (1, 1, 2) if deltas else (1, 2, 4)
    reasons = (None, None, "length")
    return [
        chunk(answer(0, *one), finished=one[2] is not None)
        for one in zip(texts, tokens, reasons, strict=True)
    ]


class Engine:
    """An ``AsyncLLM`` whose other process gives ``said``."""

    def __init__(self, said: list[Any]) -> None:
        self.llm = object.__new__(AsyncLLM)
        self.tasks: list[Any] = []
        self.aborted = 0

        async def add_request(request_id: str, prompt: Any, params: Any, **_: Any) -> Any:
            known = len(signature(Collector).parameters)  # older ones have no name
            queue = Collector(*(params.output_kind, request_id)[:known])
            self.tasks.append(asyncio.create_task(self._feed(queue, said)))
            return queue

        async def abort(*_: Any, **__: Any) -> None:
            self.aborted += 1

        self.llm.__dict__.update(
            model_config=SimpleNamespace(model="/models/tiny", served_model_name="tiny", max_model_len=256),
            log_requests=False,
            add_request=add_request,
            abort=abort,
            # What older versions look at before they begin.
            vllm_config=SimpleNamespace(cache_config=SimpleNamespace(kv_sharing_fast_prefill=False)),
            output_handler=object(),
            _pause_cond=asyncio.Condition(),
            _paused=False,
            shutdown=lambda *_, **__: None,  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        )

    @staticmethod
    async def _feed(queue: Any, said: list[Any]) -> None:
        for one in said:
            while queue.output is not None:  # noqa: ASYNC110 - it tells nobody that it was read
                await asyncio.sleep(0)
            queue.put(one)

    def generate(self, kind: Any, **settings: Any) -> Any:
        params = vllm.SamplingParams(max_tokens=4, temperature=0.5, output_kind=kind, **settings)
        return self.llm.generate(CANARY, params, "r-1")


@pytest.mark.parametrize("kind", list(Kind), ids=[kind.name for kind in Kind])
async def test_a_stream_counts_what_it_has_said(balanced: Recorded, kind: Any) -> None:
    said = chunks(kind)
    said = said[-1:] if kind is Kind.FINAL_ONLY else said
    seen = [one async for one in Engine(list(said)).generate(kind)]
    assert all(one is other for one, other in zip(seen, said, strict=True))
    found = facts(balanced)
    assert found["gen_ai.request.model"] == "tiny"
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.request.temperature"] == 0.5
    assert found["gen_ai.usage.input_tokens"] == 5
    assert found["gen_ai.usage.cache_read.input_tokens"] == 2
    assert found["gen_ai.usage.output_tokens"] == 4
    assert found["gen_ai.response.finish_reasons"] == ("length",)
    assert found["gen_ai.response.id"] == "r-1"
    assert found["genai_otel.stream.chunks"] == len(said)
    assert outcome(balanced.span()) == ("completed", "UNSET", None)


async def test_several_answers_are_counted_when_they_are_whole(balanced: Recorded) -> None:
    said = [
        chunk(answer(0, "a", 1)),
        chunk(answer(1, "b", 1)),
        chunk(answer(1, "bb", 2, "stop")),
        chunk(answer(0, "aaa", 3, "length"), finished=True),
    ]
    stream = Engine(said).generate(Kind.CUMULATIVE, n=2)
    assert len([one async for one in stream]) == 4
    assert facts(balanced)["gen_ai.usage.output_tokens"] == 5
    assert facts(balanced)["gen_ai.response.finish_reasons"] == ("stop", "length")


async def test_a_stream_that_is_left_is_aborted_and_ends_as_closed(balanced: Recorded) -> None:
    engine = Engine(chunks(Kind.DELTA))
    stream = engine.generate(Kind.DELTA)
    await anext(stream)
    await stream.aclose()
    for task in engine.tasks:
        task.cancel()
    assert engine.aborted == 1
    assert outcome(balanced.span()) == ("closed", "UNSET", None)
    assert facts(balanced)["gen_ai.usage.output_tokens"] == 1


async def test_an_error_of_the_engine_is_the_programs(balanced: Recorded) -> None:
    dead = import_module("vllm.v1.engine.exceptions").EngineDeadError
    stream = Engine([*chunks(Kind.DELTA)[:1], dead()]).generate(Kind.DELTA)
    with pytest.raises(dead):
        async for _ in stream:
            pass
    assert outcome(balanced.span()) == ("failed", "ERROR", "EngineDeadError")


def test_messages() -> None:
    prompt = {semconv.INPUT_MESSAGES: [{"role": "user", "parts": [{"type": "text", "content": CANARY}]}]}
    assert messages.PROMPTS.request({"prompts": [CANARY, {"prompt_token_ids": [1]}]}) == {
        semconv.INPUT_MESSAGES: [*prompt[semconv.INPUT_MESSAGES], {"role": "user", "parts": []}]
    }
    assert messages.DELTAS.request({"prompt": CANARY}) == prompt
    assert messages.CHAT.request({"messages": [[{"role": "user", "content": CANARY}]]}) == prompt
    whole = {
        semconv.OUTPUT_MESSAGES: [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "one two three"}],
                "finish_reason": "length",
            }
        ]
    }
    assert messages.PROMPTS.response(chunks(Kind.CUMULATIVE)[-1:]) == whole
    for kind, content in ((Kind.DELTA, messages.DELTAS), (Kind.CUMULATIVE, messages.CUMULATIVE)):
        state: dict[Any, Any] = {}
        for one in chunks(kind):
            content.chunk(state, one)  # type: ignore[misc]
        assert content.final(state) == whole  # type: ignore[misc]


def test_beams_are_one_call(balanced: Recorded, made: dict[str, Any], tmp_path: Path) -> None:
    subject = made.get("vllm") or ENGINE.make(tmp_path)
    params = import_module("vllm.sampling_params").BeamSearchParams(beam_width=2, max_tokens=3)
    assert subject.text.beam_search([{"prompt": CANARY}], params)
    found = facts(balanced)
    assert found["gen_ai.request.max_tokens"] == 3
    assert "gen_ai.usage.output_tokens" not in found
