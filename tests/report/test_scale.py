"""Many spans: time, and memory that does not grow with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.harness.process import run
from tests.report.written import Json, chat, request, span

SAID = {
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-example",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.usage.input_tokens": 1_000,
    "gen_ai.usage.output_tokens": 200,
    "server.address": "api.openai.com",
    "server.port": 443,
    "genai_otel.cost.amount": 0.01,
    "genai_otel.cost.currency": "USD",
}


def write_many(path: Path, spans: int) -> Path:
    """Traces of five spans, five hundred spans to a line: a request, an agent, two calls and a tool."""
    batch: list[Json] = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(spans // 5):
            root = span("POST /ask", number, 9, trace=number + 1, kind=2)
            agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk"}
            inside = span("invoke_agent desk", number, 9, agent, parent=root, kind=1)
            tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
            batch += [root, inside, span("execute_tool look", number + 3, 1, tool, parent=inside)]
            batch += [chat(number + 1, 2 + number % 7, SAID, parent=inside) for _ in range(2)]
            if len(batch) == 500:
                file.write(json.dumps(request(batch), separators=(",", ":")) + "\n")
                batch.clear()
    return path


READ = """
import re, sys, time
from pathlib import Path
from genai_otel.cli import main
assert main(["report", *sys.argv[1:]]) == 0
print(time.process_time(), re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.process
def test_a_hundred_thousand_spans_take_seconds_and_more_of_them_no_more_memory(tmp_path: Path) -> None:
    taken: list[list[float]] = []
    for spans in (100_000, 250_000):
        source, output = write_many(tmp_path / "spans.jsonl", spans), tmp_path / "page.html"
        done = run(READ, arguments=[str(source), "-o", str(output)], timeout=240).ok()
        taken.append([float(each) for each in done.out.split()])
        text = output.read_text(encoding="utf-8")
        assert f"{spans * 2 // 5:,} calls in {spans // 5:,} traces" in done.err
        assert f'data-figure="input" data-value="{spans * 400}"' in text
        assert len(text) < 500_000
    (seconds, memory), (_, more) = taken
    assert seconds < 20  # of CPU time, of which there is one thread
    assert more < memory * 1.2
