"""What Bedrock keeps for an hour is told beside what it keeps for five minutes, and has its own rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.payloads.boto3 import PAYLOAD
from tests.contract.recorded import Recorded, facts

pytestmark = pytest.mark.filterwarnings(*PAYLOAD.warnings)

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.fixture
def client(balanced: Recorded, model_server: ModelServer) -> Iterator[Any]:
    del balanced  # set up before the client is made
    clients = PAYLOAD.make(model_server.base_url, False)
    yield clients.models
    clients.close()


def test_caches_of_two_lives(balanced: Recorded, client: Any) -> None:
    if "cacheDetails" not in client.meta.service_model.shape_for("TokenUsage").members:
        pytest.skip("this version of the client does not tell")
    asked = [{"role": "user", "content": [{"text": "hello"}]}]
    client.converse(
        modelId=f"{MODEL}+input-1000+cached-0+written-500+written-1h-100+output-10", messages=asked
    )
    told = facts(balanced)
    assert told["genai_otel.usage.cache_write_1h.input_tokens"] == 100
    assert told["genai_otel.usage.cache_write_5m.input_tokens"] == 400
    assert told["gen_ai.usage.input_tokens"] == 1000
