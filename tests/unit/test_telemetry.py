"""`genai_otel.testing` as users meet it: their scripts, their pytest suites."""

import sys
from pathlib import Path

import pytest

from tests.harness.process import Process, run

pytestmark = pytest.mark.process

SCRIPT = """
import openai
from genai_otel.testing import ModelServer, telemetry

recorded = telemetry()
assert telemetry() is recorded
with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
    for round in range(3):
        result = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
        span = recorded.span()
        assert span.attributes["gen_ai.response.id"] == result.id
        (duration,) = recorded.metrics()["gen_ai.client.operation.duration"]
        assert duration.count == 1, duration
        seconds = (span.end_time - span.start_time) / 1e9
        assert abs(duration.sum - seconds) < 1e-3, (duration.sum, seconds)
        usage = recorded.metrics()["gen_ai.client.token.usage"]
        tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in usage}
        assert (tokens["input"], tokens["output"]) == (12, 7), tokens
        recorded.clear()
        assert recorded.spans() == []
        assert "gen_ai.client.operation.duration" not in recorded.metrics()
print("well")
"""


def test_spans_and_metrics_after_each_clear() -> None:
    assert run(SCRIPT).ok().out == "well\n"


def test_too_late_is_said() -> None:
    done = run("import genai_otel, genai_otel.testing as t; genai_otel.setup(); t.telemetry()")
    assert done.code == 1
    assert "call genai_otel.testing.telemetry() before genai_otel.setup()" in done.err


def test_the_fixtures_in_a_users_suite(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["genai_otel.testing.fixtures"]\n')
    (tmp_path / "test_mine.py").write_text("""
import openai

def call(model_server):
    with openai.OpenAI(base_url=model_server.base_url, api_key="k") as client:
        client.embeddings.create(model="e", input="x")

def test_first(model_server, telemetry):
    call(model_server)
    assert telemetry.span().name == "embeddings e"
    assert len(model_server.requests) == 1

def test_second(model_server, telemetry):
    assert telemetry.spans() == []
    assert model_server.requests == []
    call(model_server)
    assert telemetry.span().attributes["gen_ai.usage.input_tokens"] == 12
""")
    with Process([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path) as process:
        done = process.finish().ok()
    assert "2 passed" in done.out
