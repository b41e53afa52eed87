"""What only llama-cpp-python has."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from genai_otel import semconv
from genai_otel.clients import _openai_messages as messages
from tests.contract.recorded import Recorded, facts
from tests.engines.engine import CANARY
from tests.engines.payloads.llama_cpp import ENGINE, MESSAGES

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ENGINE.make(tmp_path_factory.mktemp("llama"))


def test_settings(balanced: Recorded, made: Any) -> None:
    made.model(CANARY, None, 3, 0.5, 0.9, top_k=4, seed=3, stop=["~~"], model="mine")
    seen = facts(balanced)
    assert seen["gen_ai.request.model"] == "mine"
    assert seen["gen_ai.request.max_tokens"] == 3
    assert seen["gen_ai.request.temperature"] == 0.5
    assert seen["gen_ai.request.top_p"] == 0.9
    assert seen["gen_ai.request.top_k"] == 4
    assert seen["gen_ai.request.seed"] == 3
    assert seen["gen_ai.request.stop_sequences"] == ("~~",)


@pytest.mark.parametrize("limit", [None, 0, -1])
def test_no_limit_is_none(balanced: Recorded, made: Any, limit: int | None) -> None:
    made.model("hi", max_tokens=limit, stop=list("abcdefghijklmnopqrstuvwxyz"))
    assert "gen_ai.request.max_tokens" not in facts(balanced)


def test_what_openai_has_classes_for(balanced: Recorded, made: Any) -> None:
    result = made.model.create_chat_completion_openai_v1(MESSAGES, max_tokens=2)
    assert result.usage.completion_tokens == facts(balanced)["gen_ai.usage.output_tokens"] == 2


def test_messages(made: Any) -> None:
    result = made.model.create_chat_completion(MESSAGES, max_tokens=2)
    (said,) = messages.CHAT.response(result)[semconv.OUTPUT_MESSAGES]
    assert said["parts"][0]["content"] == result["choices"][0]["message"]["content"]
    state: dict[Any, Any] = {}
    for chunk in made.model.create_chat_completion(MESSAGES, max_tokens=2, temperature=0.0, stream=True):
        messages.CHAT.chunk(state, chunk)  # type: ignore[misc]
    (said,) = messages.CHAT.final(state)[semconv.OUTPUT_MESSAGES]  # type: ignore[misc]
    assert said["finish_reason"] == "length"
    assert len(said["parts"][0]["content"]) == 2


def test_a_model_can_be_pickled(made: Any) -> None:
    method = pickle.loads(pickle.dumps(made.model.create_completion))
    assert method("hi", max_tokens=1)["usage"]["completion_tokens"] == 1
