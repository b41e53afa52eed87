"""A call gives what it gives without us, and one span that says what it was."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.caller import Caller
from tests.contract.choice import cases
from tests.contract.payload import Case, Payload
from tests.contract.recorded import Recorded

COST = "genai_otel.cost."
pytestmark = pytest.mark.usefixtures("balanced")


def common(payload: Payload, case: Case, server: ModelServer, model: str, outcome: str) -> dict[str, Any]:
    """The attributes that every call has."""
    return {
        "gen_ai.operation.name": case.operation,
        "gen_ai.provider.name": payload.provider,
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "genai_otel.outcome": outcome,
        **({"genai_otel.measured": True} if case.measured else {}),
        **({"gen_ai.request.model": model} if case.named else {}),
    }


def check(span: Any, wanted: dict[str, Any]) -> None:
    """The span has the attributes that are wanted, and no others; ``...`` is any value, None is absence.

    What it says of its cost is the oracle's to check.
    """
    wanted = {name: value for name, value in wanted.items() if value is not None}
    got = {name: value for name, value in span.attributes.items() if not name.startswith(COST)}
    assert {name: ... if wanted.get(name) is ... else value for name, value in got.items()} == wanted


@pytest.mark.seed_rows("000-03", "000-19", "003-13")
@cases()
async def test_one_span_tells_the_facts(
    balanced: Recorded, model_server: ModelServer, caller: Caller, case: Case
) -> None:
    await caller.call(case)
    span = balanced.span()
    model = caller.model()
    check(span, {**common(caller.payload, case, model_server, model, "completed"), **case.facts})
    assert span.name == (f"{case.operation} {model}" if case.named else case.operation)
    assert (span.kind.name, span.status.status_code.name) == ("CLIENT", "UNSET")
    assert span.instrumentation_scope.name == "genai_otel"
