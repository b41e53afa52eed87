"""What several unit tests share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import opentelemetry.propagate
import pytest
from opentelemetry.context import get_current

from genai_otel.engine import call as calls
from genai_otel.propagate import HostFilter
from genai_otel.runtime import current
from genai_otel.testing.in_memory import Telemetry


@pytest.fixture
def global_propagator() -> Iterator[None]:
    """The propagator as it is before a set-up, whether a test in this process had one or not."""
    before = opentelemetry.propagate.get_global_textmap()
    opentelemetry.propagate.set_global_textmap(before.inner if isinstance(before, HostFilter) else before)
    yield
    opentelemetry.propagate.set_global_textmap(before)


@pytest.fixture(params=[False, True], ids=["ours", "the SDK's"])
def either_span_class(
    request: pytest.FixtureRequest, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls have spans of our class; of the SDK's where a processor of the program's looks at spans that start."""
    handle = current()
    assert telemetry is not None and handle is not None
    monkeypatch.setattr(handle.pipeline, "watched", request.param)


@pytest.fixture
def nothing_is_left(telemetry: Telemetry) -> Iterator[None]:
    """A test leaves no call open and nothing current."""
    before = get_current()
    yield
    assert get_current() is before
    gc.collect()
    calls.drain()
    assert calls.open_calls() == ()
