"""What only Anthropic's client has: one client, a sync one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller
from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload


@pytest.fixture
def payload() -> Payload:
    found = [payload for payload in PAYLOADS if payload.client == "anthropic"]
    return found[0] if found else pytest.skip("anthropic is not installed")


@pytest.fixture(autouse=True)
def asynchronous() -> bool:
    return False


@pytest.fixture
def client(caller: Caller) -> Any:
    return caller.client
