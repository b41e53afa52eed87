"""What a call of each client may cost, in bytecodes, beside the client alone: see `tests/benchmarks`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genai_otel.clients import SPECS
from tests.benchmarks import clients, count, gates, sessions, subjects
from tests.contract.choice import CHOSEN, PAYLOADS
from tests.contract.payload import Payload

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other interpreters have other bytecodes"),
    pytest.mark.skipif("floor" in sys.prefix, reason="the limits are those of the newest clients"),
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.client)
def test_a_call_costs_no_more_than_promised(payload: Payload) -> None:
    measured = gates.of_client(count.count("genai_otel", clients.names(payload)))
    assert [gate for gate in measured if not gate.holds] == []


def test_a_message_of_a_session_costs_no_more_than_promised() -> None:
    assert [gate for gate in gates.of_sessions(sessions.count()) if not gate.holds] == []


@pytest.mark.skipif("openai" not in CHOSEN, reason="it is this client's call that is counted")
def test_a_call_costs_what_it_costs_where_no_other_client_is_known() -> None:
    alone = count.count("genai_otel", ("chat",), subjects.ONE_CLIENT)
    assert count.count("genai_otel", ("chat",)) == alone


def test_set_up_imports_no_client() -> None:
    targets = {point.target.partition(":")[0] for spec in SPECS for point in spec.endpoints}
    program = f"import sys, genai_otel; genai_otel.setup(); print(sorted({targets!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=subjects.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "[]"
