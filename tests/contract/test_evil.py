"""Arguments that break whoever looks at them: the client's own error, or none, and a span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from genai_otel.engine import record
from genai_otel.testing import ModelServer
from tests.contract.payloads.openai import MESSAGES, PAYLOAD
from tests.contract.recorded import Recorded
from tests.contract.test_values import exportable
from tests.harness.evil import EVIL, Once
from tests.harness.patience import collect


@pytest.fixture
def client(lenient: Recorded, model_server: ModelServer) -> Iterator[openai.OpenAI]:
    with PAYLOAD.make(model_server.base_url, False) as made:
        yield made


ARGUMENTS = (
    "temperature",
    "top_p",
    "stop",
    "n",
    "seed",
    "max_tokens",
    "reasoning_effort",
    "response_format",
    "service_tier",
    "stream",
    "metadata",
    "user",
)
HUGE = ("wide", "huge text")  # the client itself takes a second to send a dozen of them


@pytest.mark.parametrize("evil", EVIL)
def test_evil_arguments_end_as_they_do_without_us(lenient: Recorded, client: Any, evil: str) -> None:
    """What a client says of an argument is its own affair; whether we can read it is ours."""

    def attempt(**arguments: Any) -> tuple[str, object]:
        try:
            client.chat.completions.create(**{"model": "m", "messages": MESSAGES, **arguments})
        except Exception as error:  # noqa: BLE001 - it is compared
            said = type(error).__qualname__
        else:
            said = "no error"
        return said, [value.consumed for value in arguments.values() if isinstance(value, Once)]

    names = ARGUMENTS if evil not in HUGE else ("stop",)
    rows: list[Any] = []
    for recorder in (record.active, None):
        before = record.active
        record.connect(recorder)
        try:
            rows.append([attempt(model=EVIL[evil]()), attempt(**{name: EVIL[evil]() for name in names})])
        finally:
            record.connect(before)
    traced, bare = rows
    assert traced == bare
    collect()
    assert len(lenient.calls()) == 2
    for span in lenient.calls():
        exportable(span)
