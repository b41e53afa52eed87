"""Plants, tenants, organisations: labels where somebody allowed them, as many as may be, and on spans always."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.process import run

pytestmark = pytest.mark.process

COPILOT = """
import json, sys
from fastapi import FastAPI
from fastapi.testclient import TestClient
import genai_otel
from genai_otel.testing import ModelServer, telemetry

recorded = telemetry(metric_keys=["plant.id", "gen_ai.agent.name", "task.type"])
server = ModelServer()
server.__enter__()
import openai
client = openai.OpenAI(base_url=server.base_url, api_key="k")
app = FastAPI()

def ask(agent):
    with genai_otel.agent(agent):
        client.chat.completions.create(model="gpt-4o-mini", messages=[])

@app.post("/v1/diagnose")
def diagnose(plant: str, equipment: str):
    told = {"plant.id": plant, "equipment.id": equipment, "task.type": "diagnosis"}
    with genai_otel.context(user="ada", **told), genai_otel.workflow("diagnose"):
        for agent in ("vision", "rag"):
            ask(agent)
        return {"ref": genai_otel.response_ref()}

web = TestClient(app)
for plant, equipment in (("p1", "e1"), ("p1", "e2"), ("p2", "e1")):
    ref = web.post("/v1/diagnose", params={"plant": plant, "equipment": equipment}).json()["ref"]
    if plant == "p1":
        genai_otel.record_feedback(ref, 5)
metrics = recorded.metrics()
def series(name):
    return [[point.attributes.get("plant.id"), point.attributes.get("gen_ai.agent.name"),
             point.attributes.get("gen_ai.token.type"), point.count or point.value] for point in metrics[name]]
names = ["http.server.request.duration", "gen_ai.invoke_agent.duration", "gen_ai.invoke_workflow.duration",
         "gen_ai.client.token.usage", "genai_otel.evaluation.results", "genai_otel.evaluation.score"]
labels = sorted({name for points in metrics.values() for point in points for name in point.attributes})
spans = [[span.name, dict(span.attributes).get("equipment.id")] for span in recorded.calls()]
print(json.dumps({"series": {name: series(name) for name in names}, "labels": labels, "spans": spans,
    "types": [point.attributes.get("task.type") for point in metrics["gen_ai.invoke_workflow.duration"]]}))
"""


@pytest.fixture(scope="module")
def said() -> Any:
    return json.loads(run(COPILOT).ok().out)


@pytest.mark.seed_rows("002-06", "002-07", "001-06", "001-10", "002-08")
def test_requests_agents_and_tokens_are_counted_by_plant(said: Any) -> None:
    series = said["series"]
    assert sorted(series["http.server.request.duration"]) == [["p1", None, None, 2], ["p2", None, None, 1]]
    assert sorted(series["gen_ai.invoke_agent.duration"]) == [
        ["p1", "rag", None, 2], ["p1", "vision", None, 2], ["p2", "rag", None, 1], ["p2", "vision", None, 1],
    ]  # fmt: skip
    assert sorted(series["gen_ai.invoke_workflow.duration"]) == [["p1", None, None, 2], ["p2", None, None, 1]]
    assert said["types"] == ["diagnosis"] * 2
    tokens = {tuple(each[:3]) for each in series["gen_ai.client.token.usage"]}
    assert tokens == {
        (plant, agent, kind)
        for plant in ("p1", "p2")
        for agent in ("vision", "rag")
        for kind in ("input", "output")
    }


@pytest.mark.seed_rows("002-03", "002-30", "001-12")
def test_equipment_stands_on_every_span_and_on_no_metric_and_nobody_is_a_label(said: Any) -> None:
    equipment = [each for _, each in said["spans"]]
    assert sorted(equipment) == ["e1"] * 10 + ["e2"] * 5
    assert "equipment.id" not in said["labels"]
    assert not [name for name in said["labels"] if name.startswith(("user", "enduser", "session"))]


@pytest.mark.seed_rows("002-34")
def test_a_plant_that_gives_no_feedback_can_be_told_from_one_that_does(said: Any) -> None:
    """``sum by (plant_id) (requests) unless sum by (plant_id) (feedback)``: both have the label."""
    asked = {each[0] for each in said["series"]["http.server.request.duration"]}
    answered = {each[0] for each in said["series"]["genai_otel.evaluation.score"]}
    assert asked - answered == {"p2"}
