"""The client's own tracing beside ours: whatever is on, each call has one span that counts, and its exact tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pytest

from genai_otel.engine.native import release
from genai_otel.testing import ModelServer
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

NATIVE = release(metadata.version("anthropic")) >= (1, 14)
needs_native = pytest.mark.skipif(not NATIVE, reason="this version of anthropic does not trace itself")

SCRIPT = """
import asyncio, gc, os
import genai_otel
from tests.contract.payloads.anthropic import MESSAGES, PAYLOAD

def make(asynchronous):
    options = {{"open_telemetry": {option}}} if {option!r} is not None else {{}}
    return PAYLOAD.make(os.environ["MODELS"], asynchronous, **options)

if not {late}:
    genai_otel.setup()
client, aclient = make(False), make(True)
if {late}:
    genai_otel.setup()

asked = {{"model": "claude-test", "max_tokens": 9, "messages": MESSAGES}}
client.messages.create(**asked)
list(client.messages.create(**asked, stream=True))
with client.messages.stream(**asked) as stream:
    stream.get_final_message()
with client.messages.stream(**asked) as stream:
    next(iter(stream))
client.beta.messages.create(**asked)
client.messages.with_raw_response.create(**asked).parse()
with client.messages.with_streaming_response.create(**asked) as response:
    response.parse()
try:
    client.messages.create(**{{**asked, "model": "claude-test+error-429"}})
except Exception as error:
    assert type(error).__name__ == "RateLimitError"
stream = client.messages.create(**asked, stream=True)
next(stream)
del stream
gc.collect()

async def main():
    await aclient.messages.create(**asked)
    async with aclient.messages.stream(**asked) as stream:
        await stream.get_final_message()
    async for _ in await aclient.beta.messages.create(**asked, stream=True):
        pass
    await aclient.close()

asyncio.run(main())
"""
CALLS, WHOLE = 12, 9
"""Calls in the script, and those whose usage is known to the end."""


def traced(
    warm: Warm, server: ModelServer, env: Mapping[str, str], *, option: object = None, late: bool = False
) -> tuple[list[Any], list[Any], float, Counter[str]]:
    """Our spans, the client's own, calls counted, tokens counted by type."""
    with HttpSink() as sink:
        script = SCRIPT.format(option=option, late=late)
        warm.run(script, {"MODELS": server.base_url, **env, **sink.environment()})
        spans = [span for span in sink.spans() if span.attributes.get("gen_ai.operation.name") == "chat"]
        durations = sink.latest("gen_ai.client.operation.duration")
        usage = sink.latest("gen_ai.client.token.usage")
    tokens: Counter[str] = Counter()
    for point in usage:
        tokens[point.attributes["gen_ai.token.type"]] += int(point.sum)
    ours = [span for span in spans if span.scope == "genai_otel"]
    theirs = [span for span in spans if span.scope == "com.anthropic.sdk.python"]
    assert len(ours) + len(theirs) == len(spans)
    return ours, theirs, sum(point.count for point in durations), tokens


def check_counts(counted: float, tokens: Counter[str], *, whole: int = WHOLE) -> None:
    assert counted == CALLS
    assert tokens["output"] == 7 * whole
    assert tokens["input"] == 12 * (whole + 2)  # what was left early told its input


def test_its_own_is_off_where_we_trace(warm: Warm, model_server: ModelServer) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, {})
    assert (len(ours), len(theirs)) == (CALLS, 0)
    check_counts(counted, tokens)


@needs_native
@pytest.mark.parametrize(
    ("env", "option"),
    [({"ANTHROPIC_OPEN_TELEMETRY": "false"}, None), ({"ANTHROPIC_OPEN_TELEMETRY": "true"}, "False")],
    ids=["variable", "option"],
)
def test_it_stays_off_where_the_program_says_so(
    warm: Warm, model_server: ModelServer, env: Mapping[str, str], option: object
) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, env, option=option)
    assert (len(ours), len(theirs)) == (CALLS, 0)
    check_counts(counted, tokens)


@needs_native
@pytest.mark.parametrize(
    ("env", "option", "late"),
    [
        ({}, "{}", False),
        ({}, "{'traces': {'content_mode': 'content'}}", False),
        ({"ANTHROPIC_OPEN_TELEMETRY": "true"}, None, False),
        ({}, None, True),  # the client was made before the set-up
        ({"ANTHROPIC_OPEN_TELEMETRY": "false"}, "{}", False),
        ({}, "{}", True),
    ],
    ids=["option", "content", "variable", "late", "option-not-variable", "option-late"],
)
def test_one_that_the_program_switched_on_is_not_counted(
    warm: Warm, model_server: ModelServer, env: Mapping[str, str], option: object, late: bool
) -> None:
    ours, theirs, counted, tokens = traced(warm, model_server, env, option=option, late=late)
    assert (len(ours), len(theirs)) == (CALLS, CALLS)
    assert all(span.attributes.get("genai_otel.measured") is True for span in ours)
    assert all(span.attributes.get("genai_otel.owner") is False for span in theirs)
    assert {span.parent_id for span in theirs} == {span.span_id for span in ours}
    check_counts(counted, tokens)


@needs_native
@pytest.mark.parametrize(("option", "late"), [(None, False), ("{}", False), (None, True)])
def test_native_is_the_clients_spans_alone(
    warm: Warm, model_server: ModelServer, option: object, late: bool
) -> None:
    env = {"GENAI_OTEL_CLIENTS_NATIVE": "anthropic"}
    ours, theirs, counted, tokens = traced(warm, model_server, env, option=option, late=late)
    assert (len(ours), len(theirs)) == (0, CALLS)
    assert all(span.attributes.get("genai_otel.measured") is True for span in theirs)
    check_counts(counted, tokens, whole=WHOLE - 1)  # it looks into no response that the program reads itself


@needs_native
@pytest.mark.parametrize("late", [False, True])
def test_native_is_none_of_a_client_that_the_program_silenced(
    warm: Warm, model_server: ModelServer, late: bool
) -> None:
    env = {"GENAI_OTEL_CLIENTS_NATIVE": "anthropic"}
    ours, theirs, counted, _ = traced(warm, model_server, env, option="False", late=late)
    assert (len(ours), len(theirs), counted) == (0, 0, 0)


def test_off_is_nothing(warm: Warm, model_server: ModelServer) -> None:
    ours, theirs, counted, _ = traced(warm, model_server, {"GENAI_OTEL_CLIENTS_OFF": "anthropic"})
    assert (len(ours), len(theirs), counted) == (0, 0, 0)


@pytest.mark.parametrize("client", ["openai"] if NATIVE else ["openai", "anthropic"])
def test_a_client_that_cannot_trace_itself_is_traced_by_us(
    warm: Warm, model_server: ModelServer, client: str
) -> None:
    with HttpSink() as sink:
        env = {"MODELS": model_server.base_url, "GENAI_OTEL_CLIENTS_NATIVE": client, **sink.environment()}
        said = warm.run(ONE.format(client=client), env).out
        assert [span.scope for span in sink.spans() if "gen_ai.operation.name" in span.attributes] == [
            "genai_otel"
        ]
    assert f"{client} is traced by us: it does not trace itself" in said


ONE = """
import os, genai_otel
from tests.contract.payloads.{client} import PAYLOAD
genai_otel.setup()
PAYLOAD.cases[0].call(PAYLOAD.make(os.environ["MODELS"], False), PAYLOAD.model)
"""
TAKEN_BACK = """
import os, genai_otel
from genai_otel.engine import patch
genai_otel.setup()
import anthropic
assert os.environ["ANTHROPIC_OPEN_TELEMETRY"] == "false"
patch.uninstall()
assert "ANTHROPIC_OPEN_TELEMETRY" not in os.environ
"""


def test_what_was_said_to_the_client_is_taken_back(warm: Warm) -> None:
    warm.run(TAKEN_BACK, {"OTEL_TRACES_EXPORTER": "console"})
