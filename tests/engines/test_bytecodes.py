"""What a call of each engine may cost, in bytecodes, beside the engine alone: see `tests/benchmarks`."""

from __future__ import annotations

import sys

import pytest

from tests.benchmarks import count, engines, gates
from tests.engines.engine import Engine


@pytest.mark.process
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other interpreters have other bytecodes")
@pytest.mark.skipif("floor" in sys.prefix, reason="the limits are those of the newest engines")
def test_a_call_costs_no_more_than_promised(engine: Engine) -> None:
    runs = engines.runs(engine)
    measured = gates.of_client(count.count("genai_otel", list(runs)), runs)
    assert [gate for gate in measured if not gate.holds] == []
