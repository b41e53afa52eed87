"""The fixtures of all tests; `tests/conftest.py` names this module in `pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.harness.sink import GrpcSink, HttpSink

pytest_plugins = ["genai_otel.testing.fixtures"]  # telemetry, model_server


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    """A healthy OTLP http/protobuf backend."""
    with HttpSink() as running:
        yield running


@pytest.fixture
def grpc_sink() -> Iterator[GrpcSink]:
    """A healthy OTLP gRPC backend."""
    with GrpcSink() as running:
        yield running


@pytest.fixture
def client(model_server: ModelServer) -> Iterator[Any]:
    """An OpenAI client of the model server, without retries. Typed Any: some tests ask for nonsense on purpose."""
    import openai

    with openai.OpenAI(base_url=model_server.base_url, api_key="sk-test", max_retries=0) as running:
        yield running
