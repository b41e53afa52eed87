"""Processes: before and without ``setup()``, sampled out, with the program's providers, forked, ended in the middle."""

from __future__ import annotations

import os

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

STEPS = """
import genai_otel, openai
from genai_otel.testing import ModelServer

@genai_otel.tool
def weather(city):
    return city

@genai_otel.agent("planner")
def plan(client):
    with between("program"):
        client.chat.completions.create(model="m", messages=[])
        weather("Rome")
    return "done"

def between(name):
    from opentelemetry import trace
    return trace.get_tracer("app").start_as_current_span(name)

def work():
    with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        assert plan(client) == "done"

def shown(reader):
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if "agent" in metric.name or "tool" in metric.name:
                    for point in metric.data.data_points:
                        found[metric.name] = (getattr(point, "count", 0), dict(point.attributes))
    for name in sorted(found):
        print(name, *found[name])
"""

PLANNER = "{'gen_ai.agent.name': 'planner'}"
TOOL = "{'gen_ai.tool.name': 'weather', 'gen_ai.tool.type': 'function', 'gen_ai.agent.name': 'planner'}"
COUNTED = f"""\
gen_ai.execute_tool.duration 1 {TOOL}
gen_ai.invoke_agent.duration 1 {PLANNER}
gen_ai.invoke_agent.inference_calls 1 {PLANNER}
gen_ai.invoke_agent.tool_calls 1 {PLANNER}
"""


def test_decorated_before_setup_it_is_traced_after_it(sink: HttpSink) -> None:
    run(STEPS + "weather('Oslo'); genai_otel.setup(); work()", env=sink.environment()).ok()
    assert sorted(span.name for span in sink.spans() if span.name != "POST") == [
        "chat m",
        "execute_tool weather",
        "invoke_agent planner",
        "program",
    ]


def test_without_setup_the_program_runs_and_nothing_is_loaded() -> None:
    done = run(
        """
import asyncio, sys
import genai_otel

@genai_otel.agent
async def plan(number):
    with genai_otel.task("x") as step, genai_otel.parsing("xml"):
        step.set_attribute("a", 1)
        step.arguments(b=2)
        step.result(3)
        step.hit()
    genai_otel.event("e", a=1)
    genai_otel.parse_failure("xml")
    return number, genai_otel.trace_id()

@genai_otel.tool
def numbers():
    yield 1

print(asyncio.run(plan(7)), list(numbers()))
print([name for name in sys.modules if name.startswith("opentelemetry.sdk")])
"""
    ).ok()
    assert done.out == "(7, None) [1]\n[]\n"


@pytest.mark.parametrize("mode", ["ours", "his, off", "his, off, our sampler"])
def test_everything_is_counted_at_a_ratio_of_zero(mode: str) -> None:
    script = (
        STEPS
        + {
            "ours": """
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
genai_otel.setup(metric_readers=[reader])
""",
            "his": """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
reader = InMemoryMetricReader()
sampler = SAMPLER
genai_otel.setup(
    tracer_provider=TracerProvider(sampler=sampler), meter_provider=MeterProvider([reader])
)
""".replace("SAMPLER", "genai_otel.sampler(ALWAYS_OFF)" if "our" in mode else "ALWAYS_OFF"),
        }[mode.partition(",")[0]]
        + "work(); shown(reader)"
    )
    done = run(script, env={"OTEL_TRACES_SAMPLER": "always_off", "OTEL_TRACES_EXPORTER": "none"}).ok()
    assert done.out == COUNTED


def test_providers_of_the_programs_get_the_spans() -> None:
    done = run(
        STEPS
        + """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
genai_otel.setup()
work()
for span in spans.get_finished_spans():
    if span.name != "POST":
        said = span.attributes.get
        print(span.name, span.kind.name, said("gen_ai.agent.name"), said("genai_otel.outcome"))
"""
    ).ok()
    assert done.out == (
        "chat m CLIENT planner completed\n"
        "execute_tool weather INTERNAL planner completed\n"
        "program INTERNAL None None\n"
        "invoke_agent planner INTERNAL planner completed\n"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_counts_its_own_and_leaves_its_parents_open(sink: HttpSink) -> None:
    run(
        STEPS
        + """
import os, warnings
warnings.filterwarnings("ignore", "This process.*is multi-threaded", DeprecationWarning)
genai_otel.setup()
with genai_otel.workflow("outer"):
    child = os.fork()
    if not child:
        weather("child")
        genai_otel.flush()
    else:
        os.waitpid(child, 0)
if not child:
    genai_otel.flush()
    os._exit(0)
""",
        env=sink.environment(),
    ).ok()
    assert sorted(span.name for span in sink.spans()) == ["execute_tool weather", "invoke_workflow outer"]


def test_what_is_open_at_the_end_of_the_process_is_abandoned(sink: HttpSink) -> None:
    run(
        STEPS + "genai_otel.setup(); step = genai_otel.agent('planner'); step.__enter__()",
        env=sink.environment(),
    ).ok()
    (span,) = sink.spans()
    assert (span.name, span.attributes["genai_otel.outcome"]) == ("invoke_agent planner", "abandoned")


@pytest.mark.seed_rows("002-08")
def test_tokens_are_counted_by_agent_where_a_setting_asks(sink: HttpSink) -> None:
    run(STEPS + "genai_otel.setup(metric_keys=['gen_ai.agent.name']); work()", env=sink.environment()).ok()
    for metric in ("gen_ai.client.token.usage", "gen_ai.execute_tool.duration"):
        assert {point.attributes["gen_ai.agent.name"] for point in sink.latest(metric)} == {"planner"}


SAID = """
genai_otel.setup(capture_content=MODE)
try:
    with genai_otel.workflow("trip"), genai_otel.tool("failing"):
        raise KeyError("the canary sings")
except KeyError:
    pass
with genai_otel.serve(model="tiny") as served:
    served.content(input="the canary sings", output="and sings")
weather(["the canary sings"])
"""
DETAILS = "genai_otel.operation.details"


@pytest.mark.parametrize("mode", ["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"])
def test_what_steps_were_given_and_gave_goes_where_content_may(sink: HttpSink, mode: str) -> None:
    run(STEPS + SAID.replace("MODE", repr(mode)), env=sink.environment()).ok()
    spans = {span.name: span for span in sink.spans()}
    events = {each.span_id: each for each in sink.logs() if each.event == DETAILS}
    names = ("execute_tool weather", "chat tiny")
    for name, said in zip(names, ("gen_ai.tool.call.arguments", "gen_ai.input.messages"), strict=True):
        span = spans[name]
        assert (said in span.attributes) is mode.startswith("SPAN")
        event = events.get(span.span_id)
        assert (event is not None) is mode.endswith(("EVENT", "EVENT_ONLY"))
        if event is not None:
            assert event.trace_id == span.trace_id
            assert not isinstance(event.attributes[said], str)  # as structured as it was
            assert event.attributes["gen_ai.operation.name"] == span.attributes["gen_ai.operation.name"]
    if mode == "EVENT_ONLY":
        arguments = events[spans[names[0]].span_id].attributes["gen_ai.tool.call.arguments"]
        assert arguments == {"city": ["the canary sings"]}
    told = [spans["execute_tool failing"].events, spans["execute_tool failing"].attributes]
    assert ("canary" in repr(told)) is mode.startswith("SPAN")
