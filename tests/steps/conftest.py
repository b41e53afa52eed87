"""After each test nothing is open and nothing is current, whatever it did."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.context import Context, get_current

from genai_otel.engine import call as calls
from genai_otel.testing import Telemetry


@pytest.fixture(autouse=True)
def balanced(telemetry: Telemetry) -> Iterator[None]:
    assert get_current() == Context()
    yield
    assert get_current() == Context()
    calls.drain()
    assert calls.open_calls() == ()
