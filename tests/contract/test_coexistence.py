"""With another instrumentor on the same client each call is still counted once, in either order."""

from __future__ import annotations

import pytest

from genai_otel.testing import ModelServer
from tests.contract.warm import Warm
from tests.harness.sink import HttpSink

pytestmark = [pytest.mark.process, pytest.mark.rivals]

RIVALS = ("opentelemetry-instrumentation-genai-openai", "opentelemetry-instrumentation-openai")

SCRIPT = """
import os
from importlib import metadata
import genai_otel
from tests.contract.payloads.openai import PAYLOAD

def theirs():
    (entry,) = metadata.distribution(os.environ["RIVAL"]).entry_points
    entry.load()().instrument()

steps = [theirs, genai_otel.setup]
for step in steps if os.environ["FIRST"] == "theirs" else reversed(steps):
    step()

client = PAYLOAD.make(os.environ["MODELS"], False)
cases = {case.path: case for case in PAYLOAD.cases}
chat = cases["chat.completions.create"]
chat.call(client, PAYLOAD.model)
list(chat.stream(client, PAYLOAD.model, stream_options={"include_usage": True}))
cases["responses.create"].call(client, PAYLOAD.model)
cases["embeddings.create"].call(client, PAYLOAD.model)
try:
    chat.call(client, PAYLOAD.model + "+error-429")
except Exception as error:
    assert type(error).__name__ == "RateLimitError"
with chat.stream(client, PAYLOAD.model) as stream:
    next(iter(stream))
"""


@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize("rival", RIVALS)
def test_one_call_is_one_count(warm: Warm, model_server: ModelServer, rival: str, first: str) -> None:
    with HttpSink() as sink:
        env = {"MODELS": model_server.base_url, "RIVAL": rival, "FIRST": first, **sink.environment()}
        said = warm.run(SCRIPT, env).out
        spans = [span for span in sink.spans() if "gen_ai.operation.name" in span.attributes]
        durations = sink.latest("gen_ai.client.operation.duration")
        tokens = sink.latest("gen_ai.client.token.usage")
    ours = [span for span in spans if span.scope == "genai_otel"]
    others = [span for span in spans if span.scope != "genai_otel"]
    owning = [span for span in spans if span.attributes.get("genai_otel.measured")]
    assert len(ours) == 6
    assert len(others) >= 5  # it traces, beside us
    assert len(owning) == 6
    assert all(span.attributes.get("genai_otel.owner") is False for span in spans if span not in owning)
    assert {point.scope for point in (*durations, *tokens)} == {"genai_otel"}
    assert sum(point.count for point in durations) == 6
    assert sum(point.sum for point in tokens) == 3 * 19 + 12
    if first == "theirs":
        assert "openai is also instrumented by opentelemetry.instrumentation" in said
