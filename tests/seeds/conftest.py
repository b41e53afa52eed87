"""What the tests of the seeds' rows share: every step and call has ended when a test has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from genai_otel.engine import call as calls
from genai_otel.testing import Telemetry


@pytest.fixture(autouse=True)
def ended(telemetry: Telemetry) -> Iterator[None]:
    del telemetry  # set up before
    yield
    calls.drain()
    assert calls.open_calls() == ()
