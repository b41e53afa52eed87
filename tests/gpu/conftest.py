"""GPUs for tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gpu.nvml import FakeNvml


@pytest.fixture
def nvml(tmp_path: Path) -> FakeNvml:
    """A host with one GPU."""
    return FakeNvml(tmp_path)
