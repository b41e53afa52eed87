"""What the spec promises, against a real server: `python -m pytest examples/own_client`."""

from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest
from oracle import Oracle
from oracle_tracing import SPEC

import genai_otel
from genai_otel.testing import ModelServer, telemetry


@pytest.fixture
def oracle() -> Iterator[Oracle]:
    telemetry().clear()
    genai_otel.instrument("oracle", SPEC)
    with ModelServer() as server:
        yield Oracle(server.base_url)


def facts() -> dict[str, Any]:
    return dict(telemetry().span().attributes or {})


def test_a_call_is_one_span_and_its_tokens_are_counted(oracle: Oracle) -> None:
    answer = oracle.ask("Will it rain?", model="delphi-1")
    assert telemetry().span().name == "chat delphi-1"
    assert facts()["gen_ai.provider.name"] == "oracle"
    assert facts()["gen_ai.response.id"] == answer["id"]
    assert "gen_ai.input.messages" not in facts()  # content is off
    tokens = telemetry().metrics()["gen_ai.client.token.usage"]
    assert {point.attributes["gen_ai.token.type"]: point.sum for point in tokens} == {
        "input": 12,
        "output": 7,
    }


def test_a_stream_is_one_span_however_it_ends(oracle: Oracle) -> None:
    pieces = list(oracle.murmur("Will it rain?", model="delphi-1"))
    assert facts()["genai_otel.stream.chunks"] == len(pieces)
    telemetry().clear()
    left = oracle.murmur("Will it rain?", model="delphi-1")
    next(left)
    left.close()  # type: ignore[attr-defined] # a generator
    assert facts()["genai_otel.outcome"] == "closed"


def test_an_error_reaches_the_program_and_the_span(oracle: Oracle) -> None:
    with pytest.raises(HTTPError) as raised:
        oracle.ask("Will it rain?", model="error-503")
    raised.value.close()
    assert facts()["error.type"] == "HTTPError"
