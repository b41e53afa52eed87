"""genai-otel demo: the real app, client and server, seen from outside as a newcomer sees it."""

from __future__ import annotations

import re
import signal
import sys

import pytest

from genai_otel.cli import main
from tests.harness.process import Process, run
from tests.harness.sink import HttpSink

DEMO = "import sys; from genai_otel.cli import main; sys.exit(main(['demo']))"


@pytest.mark.process
def test_shows_every_kind_of_call_and_the_metrics_sends_them_too_and_ends(sink: HttpSink) -> None:
    done = run(DEMO, env=sink.environment(), timeout=60).ok()

    trees = done.err.split("trace ")[1:]
    assert [tree.splitlines()[1].split(" server")[0] for tree in trees] == [
        "GET /chat",
        "GET /stream",
        "GET /stream",
        "GET /agent",
        "GET /answer",
        "POST /feedback",
        "GET /search",
        "GET /chat",
    ]
    chat, stream, left, agent, _answer, rating, search, busy = trees
    assert "`- chat gpt-4o-mini client" in chat
    assert "completed (stop)  41 -> 7 tokens" in chat
    assert "completed (stop)  1,220 -> 24 tokens (1,024 cached" in stream
    first = re.search(r"first chunk (\d+) ms", stream)
    assert first is not None
    assert int(first[1]) >= 150  # as long as the demo makes it wait; a busy machine takes longer
    assert "completed" not in left
    assert "$0.0000101" in chat
    assert agent.count("chat gpt-4o-mini") == 2
    assert "invoke_agent shop assistant" in agent
    assert "2 model calls, 1 tool call" in agent
    assert "execute_tool opening_hours" in agent
    assert "completed (tool_call)" in agent
    assert "12 tokens in" in search
    assert "failed RateLimitError 429" in busy
    calls = [tree for tree in trees if tree is not rating]
    assert all("POST client" in tree for tree in calls), "the HTTP request is a child of the call"

    assert "setup(budget=" in done.out.splitlines()[1]
    assert "200 Once ... and hangs up" in done.out
    assert _row(done.out, "gen_ai.client.operation.duration", "error.type=RateLimitError")[0] == "1"
    assert _row(done.out, "gen_ai.client.token.usage", "output")[:2] == ["5", "71"]
    assert _row(done.out, "genai_otel.client.finish_reasons", "tool_calls") == ["1"]
    assert _row(done.out, "gen_ai.invoke_agent.tool_calls", "shop assistant")[:2] == ["1", "1"]
    assert _row(done.out, "genai_otel.client.cost", "output") == ["$0.0000426"]
    assert "the budget of 0.0001 USD/day is exceeded" in done.err
    assert _row(done.out, "genai_otel.budget.spent", "day") == ["$0.000194"]
    assert _row(done.out, "genai_otel.evaluation.score", "user_feedback human")[:2] == ["1", "4"]
    assert done.out.splitlines()[-1].startswith("Next: ")
    assert done.seconds < 30

    assert f"traces: OTLP/http to {sink.endpoint}" in done.out
    assert len(sink.spans("chat gpt-4o-mini")) == 7
    (judged,) = (record for record in sink.logs() if record.event == "gen_ai.evaluation.result")
    assert judged.span_id in {span.span_id for span in sink.spans("chat gpt-4o-mini")}
    durations = sink.latest("gen_ai.client.operation.duration")
    assert {point.attributes["gen_ai.operation.name"] for point in durations} == {"chat", "embeddings"}


@pytest.mark.process
def test_a_dead_endpoint_does_not_keep_it_from_ending() -> None:
    sink = HttpSink()
    with sink:
        environ = sink.environment()
    done = run(DEMO, env=environ, timeout=60).ok()
    assert done.err.count("GET /") == 7
    assert done.seconds < 30


@pytest.mark.process
def test_ctrl_c_ends_it_without_a_traceback() -> None:
    with Process([sys.executable, "-c", DEMO]) as process:
        process.wait_for("[2/7]")
        process.signal(signal.SIGINT)
        done = process.finish()
    assert done.code == 130
    assert "Traceback" not in done.err


def test_missing_packages_are_one_sentence_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.setitem(sys.modules, "openai", None)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "The demo needs fastapi, openai: pip install 'genai-otel[openai,web]'\n"


def _row(text: str, metric: str, label: str) -> list[str]:
    """The numbers of the first series of a metric whose labels hold ``label``."""
    group = text.split(f"\n{metric}\n")[1]
    line = next(line for line in group.splitlines() if label in line)
    return line.split(label)[1].split()
