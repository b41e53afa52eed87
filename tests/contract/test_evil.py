"""Arguments that break whoever looks at them: the client's own error, or none, and a span."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.engine import record
from genai_otel.testing import ModelServer
from tests.contract.choice import PAYLOADS
from tests.contract.payload import Payload
from tests.contract.recorded import Recorded
from tests.contract.test_values import exportable
from tests.harness.evil import EVIL, Once
from tests.harness.patience import collect

HUGE = ("wide", "huge text")  # the client itself takes a second to send a dozen of them


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    "payload", [pytest.param(payload, id=payload.client) for payload in PAYLOADS if payload.odd]
)
def test_evil_arguments_end_as_they_do_without_us(
    lenient: Recorded, model_server: ModelServer, payload: Payload, evil: str
) -> None:
    """What a client says of an argument is its own affair; whether we can read it is ours."""
    client = payload.make(model_server.base_url, False)

    def attempt(model: Any = "m", **arguments: Any) -> tuple[str, object]:
        try:
            payload.cases[0].call(client, model, **arguments)
        except Exception as error:  # noqa: BLE001 - it is compared
            said = type(error).__qualname__
        else:
            said = "no error"
        return said, [value.consumed for value in arguments.values() if isinstance(value, Once)]

    names = payload.odd if evil not in HUGE else payload.odd[:1]
    rows: list[Any] = []
    for recorder in (record.active, None):
        before = record.active
        record.connect(recorder)
        try:
            rows.append([attempt(EVIL[evil]()), attempt(**{name: EVIL[evil]() for name in names})])
        finally:
            record.connect(before)
    client.close()
    traced, bare = rows
    assert traced == bare
    collect()
    assert len(lenient.calls()) == 2
    for span in lenient.calls():
        exportable(span)
