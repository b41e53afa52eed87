"""What only Azure AI Inference's client has."""

from __future__ import annotations

import pytest

from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload


@pytest.fixture
def payload() -> Payload:
    found = [payload for payload in PAYLOADS if payload.client == "azure_ai_inference"]
    return found[0] if found else pytest.skip("the client is not here, or not chosen")
