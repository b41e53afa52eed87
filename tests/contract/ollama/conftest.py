"""What only Ollama's client has: one client, a sync one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller
from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload


@pytest.fixture
def payload() -> Payload:
    return next(payload for payload in PAYLOADS if payload.client == "ollama")


@pytest.fixture(autouse=True)
def asynchronous() -> bool:
    return False


@pytest.fixture
def client(caller: Caller) -> Any:
    return caller.client
