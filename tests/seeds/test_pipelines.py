"""Pipelines of stages, with agents and without: what their traces and numbers say, those of failures too."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import genai_otel
from genai_otel.testing import ModelServer
from tests.contract.recorded import Recorded
from tests.harness.calls import chat

PAPER = "Attention is all you need. " * 100
SCORED = "<critique><overall_quality>{}</overall_quality></critique>"


def quality(answer: str) -> float:
    with genai_otel.parsing("xml"):
        return float(ET.fromstring(answer).findtext("overall_quality", ""))


@genai_otel.agent("summary", stage="summary")
def summarise(client: Any, paper: str) -> str:
    return chat(client, messages=[{"role": "user", "content": paper}]).choices[0].message.content


@genai_otel.agent("critique", stage="critique")
def criticise(client: Any) -> float:
    return quality(chat(client).choices[0].message.content)


@genai_otel.agent("revision")
def revise(client: Any) -> None:
    chat(client)


@genai_otel.workflow("self_critique")
def self_critique(client: Any, paper: str, enough: float = 0.8) -> float:
    """Seed 000: summarise, then criticise and revise until it is good enough."""
    summarise(client, paper)
    for number in (1, 2, 3):
        with genai_otel.iteration(number):
            score = criticise(client)
            genai_otel.record_evaluation(None, "overall_quality", score, evaluator="llm")
            if score >= enough:
                return score
            with genai_otel.stage("revision", iteration=number):
                revise(client)
    raise LookupError("not good enough")


def answers(server: ModelServer, *texts: str) -> None:
    for text in texts:
        server.reply(text)


def names(spans: list[Any]) -> list[str]:
    return [span.name for span in spans]


def points(telemetry: Recorded, metric: str, *labels: str) -> dict[Any, int]:
    """Values of labels to how often."""
    found = telemetry.metrics().get(metric, [])
    return {
        tuple(point.attributes.get(label) for label in labels): int(point.count or point.value)
        for point in found
    }


@pytest.mark.seed_rows(
    "000-04", "000-08", "000-13", "000-14", "000-15", "000-16", "000-17", "000-18", "000-19"
)
def test_a_run_is_one_trace_of_its_stages_and_one_count(
    telemetry: Recorded, client: Any, model_server: ModelServer
) -> None:
    answers(model_server, "short", SCORED.format(0.5), "better", SCORED.format(0.9))
    with genai_otel.context(**{"paper.id": "p-1"}):
        assert self_critique(client, PAPER) == 0.9
    spans = telemetry.calls()
    assert names(spans) == [
        "chat gpt-4o-mini", "invoke_agent summary", "chat gpt-4o-mini", "invoke_agent critique",
        "chat gpt-4o-mini", "invoke_agent revision", "chat gpt-4o-mini", "invoke_agent critique",
        "invoke_workflow self_critique",
    ]  # fmt: skip
    assert len({span.context.trace_id for span in spans}) == 1
    stages = [span.attributes.get("genai_otel.stage") for span in spans[:-1]]
    assert stages == ["summary"] * 2 + ["critique"] * 2 + ["revision"] * 2 + ["critique"] * 2
    assert [span.attributes.get("genai_otel.iteration") for span in spans[:-1:2]] == [None, 1, 1, 2]
    for span in spans[:-1:2]:  # the calls, and not the steps, say which model and how many tokens
        assert span.attributes["gen_ai.request.model"] == "gpt-4o-mini"
        assert span.attributes["gen_ai.usage.output_tokens"] > 0
    assert not [span for span in spans[1::2] if "gen_ai.usage.output_tokens" in span.attributes]
    assert points(telemetry, "gen_ai.invoke_workflow.duration", "gen_ai.workflow.name", "error.type") == {
        ("self_critique", None): 1
    }


@pytest.mark.seed_rows("000-04", "000-17", "001-20", "001-21", "002-17", "002-30")
def test_facts_of_the_programs_stand_on_the_span_that_they_are_about_and_on_no_metric(
    telemetry: Recorded, client: Any
) -> None:
    with genai_otel.workflow("diagnosis", attributes={"paper.length": len(PAPER), "task.id": "t-17"}) as run:
        run.set_attribute("input.length", 12)
        with genai_otel.agent("vision", attributes={"equipment.id": "e-3"}) as vision:
            chat(client)
            vision.set_attribute("defects_found", 2)
    call, agent, workflow = telemetry.calls()
    assert workflow.attributes["paper.length"] == 2700
    assert (workflow.attributes["task.id"], workflow.attributes["input.length"]) == ("t-17", 12)
    assert (agent.attributes["equipment.id"], agent.attributes["defects_found"]) == ("e-3", 2)
    own = {"paper.length", "task.id", "input.length", "equipment.id", "defects_found"}
    assert not own & call.attributes.keys()
    assert not own & {
        name for points in telemetry.metrics().values() for each in points for name in each.attributes
    }


@pytest.mark.seed_rows("000-05", "000-20", "004-05", "004-06", "004-02")
@pytest.mark.parametrize("paper", ["good", "bad"])
def test_a_run_that_fails_says_where_and_why_and_one_that_does_not_writes_no_log(
    telemetry: Recorded, client: Any, model_server: ModelServer, paper: str
) -> None:
    answers(model_server, "short", SCORED.format(0.9) if paper == "good" else "<critique>")
    if paper == "bad":
        with pytest.raises(ET.ParseError):
            self_critique(client, paper)
    else:
        self_critique(client, paper)
    error = "ParseError" if paper == "bad" else None
    *_, critique, workflow = telemetry.calls()
    for step in (critique, workflow):
        assert step.attributes.get("error.type") == error
        assert step.status.is_ok is (error is None) or step.status.is_unset
    assert points(telemetry, "gen_ai.invoke_workflow.duration", "error.type") == {(error,): 1}
    agents = points(telemetry, "gen_ai.invoke_agent.duration", "gen_ai.agent.name", "error.type")
    assert agents == {("summary", None): 1, ("critique", error): 1}
    logs = [each.log_record.event_name for each in telemetry.logs()]
    assert logs == ([] if paper == "bad" else ["gen_ai.evaluation.result"])


@pytest.mark.seed_rows("000-09")
def test_answers_that_cannot_be_parsed_are_counted_by_form_and_stage(
    telemetry: Recorded, client: Any, model_server: ModelServer
) -> None:
    answers(model_server, "short", "no xml at all")
    with pytest.raises(ET.ParseError):
        self_critique(client, PAPER)
    labels = ("genai_otel.output.format", "genai_otel.stage", "gen_ai.agent.name", "error.type")
    found = points(telemetry, "genai_otel.output.parse.failures", *labels)
    assert found == {("xml", "critique", "critique", "ParseError"): 1}


@genai_otel.task
def preprocess(text: str) -> str:
    return text.strip()


@genai_otel.task("postprocess_result")
async def postprocess(text: str) -> int:
    return len(text)


@genai_otel.workflow("evaluate_causal_reasoning")
async def evaluate(client: Any, text: str) -> int:
    asked = preprocess(text)
    answer = await client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": asked}]
    )
    with genai_otel.inference("chat", provider="in-house", model="causal-1") as own:
        own.response(input_tokens=3, output_tokens=1)
    return await postprocess(answer.choices[0].message.content)


@pytest.mark.seed_rows("001-16", "001-17", "001-18", "001-19", "001-57")
async def test_steps_of_every_shape_are_spans_with_the_models_calls_among_them(
    telemetry: Recorded, model_server: ModelServer
) -> None:
    async with openai.AsyncOpenAI(base_url=model_server.base_url, api_key="k") as client:
        await asyncio.gather(evaluate(client, " a "), evaluate(client, " b "))
    runs: dict[int, list[str]] = {}
    for span in telemetry.calls():
        runs.setdefault(span.context.trace_id, []).append(span.name)
    whole = [
        "task preprocess", "chat gpt-4o-mini", "chat causal-1", "task postprocess_result",
        "invoke_workflow evaluate_causal_reasoning",
    ]  # fmt: skip
    assert list(runs.values()) == [whole, whole]
    tasks = points(telemetry, "genai_otel.task.duration", "genai_otel.task.name")
    assert tasks == {("preprocess",): 2, ("postprocess_result",): 2}
    calls = points(telemetry, "gen_ai.client.operation.duration", "gen_ai.request.model")
    assert calls == {("gpt-4o-mini",): 2, ("causal-1",): 2}


@pytest.mark.seed_rows("003-23", "003-24", "003-25", "003-26")
def test_what_a_model_server_does_is_inside_its_request(telemetry: Recorded) -> None:
    def engine(served: Any, prompt: str) -> Iterator[str]:
        with genai_otel.task("tokenize") as step:
            tokens = prompt.split()
            step.set_attribute("tokens", len(tokens))
        served.started()
        with genai_otel.task("prefill"):
            pass
        with genai_otel.task("decode"):
            yield from tokens
        with genai_otel.task("detokenize", attributes={"output.length": 4}):
            pass

    with genai_otel.serve("chat", model="tiny", provider="mine", queued=True, max_tokens=8) as served:
        for _ in served.stream(engine(served, "a b"), lambda _: served.token()):
            pass
        served.response(input_tokens=2)
    by_name = {span.name: span for span in telemetry.calls()}
    request = by_name.pop("chat tiny")
    assert list(by_name) == ["task tokenize", "task prefill", "task decode", "task detokenize"]
    assert {span.parent.span_id for span in by_name.values()} == {request.context.span_id}
    assert by_name["task tokenize"].attributes["tokens"] == 2
    assert by_name["task detokenize"].attributes["output.length"] == 4
    assert not {"tokens", "output.length"} & request.attributes.keys()
    assert request.kind.name == "SERVER"
    assert request.attributes["gen_ai.usage.output_tokens"] == 2
    assert points(telemetry, "genai_otel.server.queue.time", "gen_ai.request.model") == {("tiny",): 1}
    assert not [name for name in telemetry.metrics() if name.startswith("gen_ai.client")]


@pytest.mark.seed_rows("001-06", "004-01", "004-02")
def test_slow_runs_have_buckets_of_their_own_and_no_label_that_anybody_can_make_up(
    telemetry: Recorded,
) -> None:
    with genai_otel.context(**{"template.id": "t-1"}), genai_otel.workflow("memes"):
        pass
    (point,) = telemetry.metrics()["gen_ai.invoke_workflow.duration"]
    assert max(point.bounds) == 7200
    assert point.attributes == {"gen_ai.workflow.name": "memes"}
    assert telemetry.span().attributes["template.id"] == "t-1"


@pytest.mark.seed_rows("002-16", "002-17", "002-18", "002-21", "004-04")
def test_agents_with_pictures_and_retrieval_are_one_run(telemetry: Recorded, client: Any) -> None:
    @genai_otel.retrieval("manuals", provider="qdrant", top_k=3)
    def manuals(_: str) -> list[dict[str, Any]]:
        return [{"id": "m-1", "score": 0.9}]

    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    with genai_otel.workflow("diagnose"):
        with genai_otel.agent("vision"):
            chat(client, messages=[{"role": "user", "content": [picture]}])
        with genai_otel.agent("rag"):
            assert manuals("pump")
            chat(client)
        with genai_otel.agent("report"):
            chat(client)
    spans = telemetry.calls()
    assert names(spans) == [
        "chat gpt-4o-mini", "invoke_agent vision", "retrieval manuals", "chat gpt-4o-mini", "invoke_agent rag",
        "chat gpt-4o-mini", "invoke_agent report", "invoke_workflow diagnose",
    ]  # fmt: skip
    found = spans[2]
    assert (found.attributes["gen_ai.data_source.id"], found.attributes["gen_ai.retrieval.top_k"]) == (
        "manuals",
        3,
    )
    assert not [name for name in found.attributes if "documents" in name or "query" in name]
    agents = points(telemetry, "gen_ai.invoke_agent.duration", "gen_ai.agent.name")
    assert agents == {("vision",): 1, ("rag",): 1, ("report",): 1}
