"""What only Sentence Transformers has: worker processes, and what they are sent."""

from __future__ import annotations

import copy
import pickle
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.contract.recorded import Recorded, facts
from tests.engines import models
from tests.engines.engine import CANARY, LENGTH
from tests.engines.payloads.sentence_transformers import ENGINE, SentenceTransformer

np: Any = import_module("numpy")

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return ENGINE.make(tmp_path_factory.mktemp("sentence_transformers"))


def test_traced_methods_are_pickled_and_copied_as_without_us(balanced: Recorded, made: Any) -> None:
    model = made.dense
    for again in (pickle.loads(pickle.dumps(model.encode)), copy.deepcopy(model.encode)):
        assert np.allclose(again("hi"), model.encode("hi"), atol=1e-6)
    again = pickle.loads(pickle.dumps(SentenceTransformer.encode))
    assert np.allclose(again(model, "hi"), model.encode("hi"), atol=1e-6)
    assert len(balanced.calls()) == 6


@pytest.mark.filterwarnings("ignore:The `encode_multi_process` method has been deprecated")
def test_a_pool_of_processes_is_one_call(balanced: Recorded, made: Any) -> None:
    pool = made.dense.start_multi_process_pool(["cpu"])
    try:
        result = made.dense.encode_multi_process([CANARY, "hi"], pool)
    finally:
        made.dense.stop_multi_process_pool(pool)
    assert result.shape == (2, 32)
    seen = facts(balanced)
    assert seen["gen_ai.embeddings.dimension.count"] == 32
    assert "gen_ai.usage.input_tokens" not in seen  # they are counted elsewhere


def test_tokenizing_alone_is_no_call(balanced: Recorded, made: Any) -> None:
    made.dense.tokenize([CANARY])
    assert balanced.spans() == []


@pytest.mark.parametrize(
    ("more", "dimensions"),
    [
        ({"convert_to_tensor": True}, 32),
        ({"convert_to_numpy": False}, 32),
        ({"output_value": "token_embeddings"}, 32),
        ({"output_value": None}, None),
        ({"precision": "binary"}, None),
    ],
)
def test_dimensions_of_every_form(
    balanced: Recorded, made: Any, more: dict[str, Any], dimensions: int | None
) -> None:
    made.dense.encode([CANARY], **more)
    seen = facts(balanced)
    assert seen.get("gen_ai.embeddings.dimension.count") == dimensions
    assert seen["gen_ai.usage.input_tokens"] == LENGTH


def test_truncated_dimensions(balanced: Recorded, tmp_path: Path) -> None:
    model = SentenceTransformer(models.encoder(tmp_path / "tiny"), device="cpu", truncate_dim=8)
    model.encode(CANARY)
    assert facts(balanced)["gen_ai.embeddings.dimension.count"] == 8
