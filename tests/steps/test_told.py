"""Events, failures to parse, trace ids: what a program tells without a step."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry import trace

import genai_otel
from genai_otel import fence
from tests.contract.recorded import Recorded


@pytest.mark.seed_rows("004-29", "004-31")
def test_an_event_is_a_log_record_of_the_current_trace(telemetry: Recorded) -> None:
    with genai_otel.workflow("memes") as step, genai_otel.stage("render"):
        genai_otel.event("meme.generated", template="drake", seconds=1.4, tags=["a", "b"], nested={"size": 3})
        step.set_attribute("n", 1)
    (record,) = [each.log_record for each in telemetry.logs()]
    span = telemetry.span()
    assert record.event_name == "meme.generated"
    assert record.severity_number.name == "INFO"
    assert (record.trace_id, record.span_id) == (span.context.trace_id, span.context.span_id)
    assert dict(record.attributes) == {
        "genai_otel.stage": "render",
        "template": "drake",
        "seconds": 1.4,
        "tags": ("a", "b"),
        "nested": {"size": 3},
    }


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("not to be asked")

    __repr__ = __str__


def test_an_event_takes_anything_and_bounds_it(telemetry: Recorded) -> None:
    many: Any = {f"key{number}": number for number in range(1000)}
    genai_otel.event("odd", odd=Odd())
    genai_otel.event("long", long="x" * 100_000, secret="sk-proj-" + "a" * 48)
    genai_otel.event("many", **many)
    odd, long, crowd = [dict(each.log_record.attributes) for each in telemetry.logs()]
    assert odd["odd"] == {"type": "Odd"}
    assert len(long["long"]) <= 4096
    assert "aaaa" not in long["secret"]
    assert len(crowd) == 64


@pytest.mark.parametrize("name", ["", None, 3])
def test_an_event_without_a_name_is_none(
    telemetry: Recorded, name: Any, caplog: pytest.LogCaptureFixture
) -> None:
    vars(fence)["_said"].clear()
    genai_otel.event(name)
    assert telemetry.logs() == []
    assert "takes the name of an event first" in caplog.text


def test_the_trace_id_is_that_of_the_current_span(telemetry: Recorded) -> None:
    assert genai_otel.trace_id() is None
    with genai_otel.task("x"):
        inside = genai_otel.trace_id()
    assert inside == f"{telemetry.span().context.trace_id:032x}"
    with trace.get_tracer("app").start_as_current_span("y") as span:
        assert genai_otel.trace_id() == f"{span.get_span_context().trace_id:032x}"


@pytest.mark.seed_rows("000-09")
def test_failures_to_parse_are_counted_by_format_and_stage(telemetry: Recorded) -> None:
    with genai_otel.agent("critic"), genai_otel.stage("critique"):
        with pytest.raises(json.JSONDecodeError), genai_otel.parsing("json"):
            json.loads("{")
        with genai_otel.parsing("json"):
            json.loads("{}")
        genai_otel.parse_failure("xml")
    found = telemetry.metrics()["genai_otel.output.parse.failures"]
    where = {"genai_otel.stage": "critique", "gen_ai.agent.name": "critic"}
    assert [(dict(point.attributes), point.value) for point in found] == [
        ({"genai_otel.output.format": "json", "error.type": "JSONDecodeError", **where}, 1),
        ({"genai_otel.output.format": "xml", **where}, 1),
    ]
