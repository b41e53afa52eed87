"""What a call of each client may cost, in bytecodes, beside the client alone: see `tests/benchmarks`."""

from __future__ import annotations

import sys

import pytest

from tests.benchmarks import clients, count, gates
from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other interpreters have other bytecodes"),
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.client)
def test_a_call_costs_no_more_than_promised(payload: Payload) -> None:
    measured = gates.of_client(count.count("genai_otel", clients.names(payload)))
    assert [gate for gate in measured if not gate.holds] == []
