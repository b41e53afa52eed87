"""What several unit tests share."""

from __future__ import annotations

from collections.abc import Iterator

import opentelemetry.propagate
import pytest

from genai_otel.propagate import HostFilter


@pytest.fixture
def global_propagator() -> Iterator[None]:
    """The propagator as it is before a set-up, whether a test in this process had one or not."""
    before = opentelemetry.propagate.get_global_textmap()
    opentelemetry.propagate.set_global_textmap(before.inner if isinstance(before, HostFilter) else before)
    yield
    opentelemetry.propagate.set_global_textmap(before)
