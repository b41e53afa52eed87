"""What only litellm has, and what makes calls by way of other clients that we know."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload


@pytest.fixture
def payload() -> Payload:
    return next(payload for payload in PAYLOADS if payload.client == "litellm")


@pytest.fixture
def here(model_server: ModelServer) -> dict[str, Any]:
    """The arguments by which litellm finds the model server."""
    return {"api_base": model_server.base_url, "api_key": "sk-test", "max_retries": 0, "num_retries": 0}
