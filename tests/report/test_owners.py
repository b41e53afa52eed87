"""Each call counts once, whoever made its spans: real exports of ours, and the recorded spans of other packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from genai_otel.testing import ModelServer
from tests.golden.replay import SPANS, golden, replayed
from tests.harness.process import run
from tests.harness.sink import HttpSink
from tests.report.written import Json, chat, page_of, pairs, request, span, write

PROGRAM = """
import sys
import genai_otel
from openai import OpenAI, RateLimitError

handle = genai_otel.setup(service_name="shop")
client = OpenAI(base_url=sys.argv[1], api_key="test", max_retries=0)
messages = [{"role": "user", "content": "hello"}]
client.chat.completions.create(model="gpt-4o-mini+input-12+output-3", messages=messages)
options = {"include_usage": True}
stream = client.chat.completions.create(
    model="gpt-4o-mini+input-100+cached-64+output-5", messages=messages, stream=True, stream_options=options
)
for _ in stream:
    pass
closed = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
next(iter(closed))
closed.close()
try:
    client.chat.completions.create(model="error-429", messages=messages)
except RateLimitError:
    pass
"""


@pytest.mark.process
def test_what_we_export_is_read_as_it_was_measured(tmp_path: Path) -> None:
    with ModelServer() as server, HttpSink() as sink:
        run(PROGRAM, arguments=[server.base_url], env=sink.environment()).ok()
        bodies, points = sink.bodies("traces"), sink.latest("gen_ai.client.token.usage")
        costs, unpriced = (sink.latest(f"genai_otel.client.cost{name}") for name in ("", ".unpriced"))
    message: Any = ExportTraceServiceRequest
    lines = [MessageToJson(message.FromString(body), indent=None) for body in bodies]
    source = tmp_path / "spans.jsonl"
    source.write_text("\n".join(lines), encoding="utf-8")

    page = page_of(source)

    tokens = {
        kind: sum(p.sum for p in points if p.attributes["gen_ai.token.type"] == kind)
        for kind in ("input", "output")
    }
    assert page.figures["calls"] == 4
    assert (page.figures["input"], page.figures["output"]) == (tokens["input"], tokens["output"]) == (112, 8)
    paid = sum(point.value for point in costs)
    assert paid > 0
    assert page.figures["cost"] == pytest.approx(paid)
    assert f"{sum(point.value for point in unpriced):.0f} call unpriced" in page.text
    assert [page.row("outcomes", name)["calls"] for name in ("completed", "closed", "failed")] == [
        "2",
        "1",
        "1",
    ]
    assert page.row("errors", "RateLimitError")["status"] == "429"
    assert page.numbers("models", "gpt-4o-mini+input-100+cached-64+output-5")["cached"] == 64


def documents(recorded: Sequence[Mapping[str, Any]], trace: int) -> Iterator[Json]:
    """The recorded spans of one call as an exporter without us would send them."""
    kinds = ("", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
    made: dict[int, Json] = {}
    for each in sorted(recorded, key=lambda item: item["began"]):
        events = [
            {"name": event["name"], "attributes": pairs(_plain(event["attributes"]))}
            for event in each["events"]
        ]
        made[each["began"]] = span(
            each["name"],
            each["began"] / 1000,
            (each["ended"] - each["began"]) / 1000,
            _plain({**each["start"], **each["end"]}),
            parent=made.get(each.get("parent", 0)),
            trace=trace,
            kind=kinds.index(each["kind"]),
            events=events,
            status={"code": 2} if each["status"] == "ERROR" else {},
        )
        yield request([made[each["began"]]], scope=each["scope"])


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Lists were recorded where tuples were."""
    lists = {
        key: tuple(cast("list[Any]", value)) for key, value in attributes.items() if isinstance(value, list)
    }
    return {**attributes, **lists}


NO_CALLS = {"autogen", "haystack", "mcp", "sglang", "vllm"}  # agents, tools and servers alone


@pytest.mark.parametrize("package", sorted({path.stem for path in SPANS.glob("*.json")} - NO_CALLS))
def test_calls_that_another_package_traced_count_as_they_did_when_they_were_made(
    tmp_path: Path, package: str
) -> None:
    calls = golden(package)
    live = [span for call in calls.values() for span in replayed(call).spans]
    owning = [
        span.attributes for span in live if span.attributes and span.attributes.get("genai_otel.measured")
    ]
    found = [each for trace, call in enumerate(calls.values(), 1) for each in documents(call, trace)]

    page = page_of(write(tmp_path / "spans.jsonl", *found))

    assert page.figures["calls"] == len(owning) > 0
    for figure in ("input", "output"):
        used = [each.get(f"gen_ai.usage.{figure}_tokens") for each in owning]
        known = [count for count in used if isinstance(count, int)]
        assert page.figures[figure] == (sum(known) if known else None)


def test_the_outermost_span_of_others_owns_and_learns_what_the_inner_one_knows(tmp_path: Path) -> None:
    outer = span("ChatOpenAI", 0, 3, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
    known = {"gen_ai.system": "openai", "llm.request.type": "chat", "gen_ai.usage.prompt_tokens": 9}
    inner = span("openai.chat", 1, 1, known, parent=outer)
    page = page_of(write(tmp_path / "spans.jsonl", request([inner, outer], scope="others")))
    assert (page.figures["calls"], page.figures["input"], page.figures["latency"]) == (1, 9, 3.0)


def test_a_model_servers_own_span_is_no_call(tmp_path: Path) -> None:
    call = chat(0, 2)
    served = span("chat gpt-4o", 0.5, 1, {"gen_ai.operation.name": "chat"}, parent=call, kind=2)
    page = page_of(
        write(tmp_path / "spans.jsonl", request([call]), request([served], scope="vllm", service="gpu"))
    )
    assert page.figures["calls"] == 1
