"""pytest fixtures: in a `conftest.py`, `pytest_plugins = ["genai_otel.testing.fixtures"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from genai_otel.testing.in_memory import Telemetry
from genai_otel.testing.in_memory import telemetry as one_telemetry
from genai_otel.testing.server import ModelServer


@pytest.fixture
def telemetry() -> Telemetry:
    """What this test makes genai-otel record."""
    recorded = one_telemetry()
    recorded.clear()
    return recorded


@pytest.fixture(scope="session")
def _running_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(_running_server: ModelServer) -> ModelServer:
    """A model server; it keeps running between tests, its request log and scripted answers do not."""
    _running_server.clear()
    return _running_server
