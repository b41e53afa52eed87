"""Recorded spans of real packages become what our own span of the same call says, and leave nothing that was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from genai_otel import semconv
from genai_otel.guard.clean_span import size_of_span
from genai_otel.guard.parts import SPAN_BYTES
from genai_otel.metrics import LABELS
from genai_otel.processing.dialects import is_named, operation, recognised
from tests.golden.conftest import Own
from tests.golden.lacks import DIFFERS, FRAMEWORKS, INSTRUMENTED, NO_SPAN
from tests.golden.recipes.recipe import SAID
from tests.golden.replay import Series, golden, replayed, saying
from tests.harness.guarding import KEY, exported

pytestmark = pytest.mark.golden

_COMPARED: Final = frozenset({
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.REQUEST_STREAM,
    semconv.REQUEST_TEMPERATURE,
    semconv.REQUEST_MAX_TOKENS,
    semconv.RESPONSE_MODEL,
    semconv.RESPONSE_ID,
    semconv.RESPONSE_FINISH_REASONS,
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
    semconv.ERROR_TYPE,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    *(value for name, value in vars(semconv).items() if name.startswith("USAGE_")),
})  # fmt: skip

_LACKS: Final = {**INSTRUMENTED, **FRAMEWORKS}
_COST: Final = "genai_otel.client.cost"
_TOKENS: Final = {"input": semconv.USAGE_INPUT_TOKENS, "output": semconv.USAGE_OUTPUT_TOKENS}

_UNKNOWN: Final = "stream of unknown usage"  # which ours makes by no call of its own

CASES: Final = [
    (name, call)
    for name in _LACKS
    for call in golden(name)
    if call not in ("agent", _UNKNOWN) and (name, call) not in NO_SPAN
]
AGENTS: Final = [name for name in FRAMEWORKS if "agent" in golden(name)]
UNCOUNTED: Final = [(name, call) for name in ("autogen", "haystack", "mcp") for call in golden(name)]
_CHATS: Final = ("chat", "stream", "responses")
SERVED: Final = [(name, call) for name in ("vllm", "sglang") for call in golden(name)]
EVERYTHING: Final = [
    *CASES,
    *((name, "agent") for name in AGENTS),
    *((name, _UNKNOWN) for name in FRAMEWORKS if _UNKNOWN in golden(name)),
    *UNCOUNTED,
    *SERVED,
]


_VENDORS: Final = {"xai_native": "xai_sdk", "botocore": "boto3", "mistral_native": "mistralai"}


def _lacks(name: str, call: str) -> frozenset[str]:
    return frozenset((*_LACKS[name].get("*", ()), *_LACKS[name].get(call, ())))


def _differs(name: str, call: str) -> Mapping[str, Any]:
    return DIFFERS.get(name, {}).get(call, {})


def _ours(own: Mapping[str, Mapping[str, Own]], name: str, call: str) -> Own:
    vendor = "anthropic" if "anthropic" in name else _VENDORS.get(name, "openai")
    if vendor not in own:
        pytest.skip(f"{vendor} is not installed here; make test-clients has it")
    return own[vendor][call]


def _normal(name: str, value: Any) -> Any:
    if name == semconv.RESPONSE_FINISH_REASONS:
        return tuple(semconv.NORMAL_FINISH_REASON[reason] for reason in value)
    if name == semconv.RESPONSE_ID:
        kind = value.partition("-")[0].partition("_")[0]
        return "" if len(kind) == 32 else kind  # what begins every id of this kind
    return 0.5 if name == semconv.RESPONSE_TIME_TO_FIRST_CHUNK else value


def _facts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _normal(name, value) for name, value in attributes.items() if name in _COMPARED}


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_says_what_ours_says(own: Mapping[str, Mapping[str, Own]], name: str, call: str) -> None:
    lacking, differing = _lacks(name, call), _differs(name, call)
    facts = _facts(replayed(golden(name)[call]).owning.attributes or {})
    wanted = _facts(_ours(own, name, call).facts)
    assert {one: value for one, value in facts.items() if one in wanted or one in differing} == {
        **{one: value for one, value in wanted.items() if one not in lacking},
        **differing,
    }


@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_measures_what_ours_measures(
    own: Mapping[str, Mapping[str, Own]], name: str, call: str
) -> None:
    ours = _ours(own, name, call).measured
    wanted = _as_told(ours, _lacks(name, call), _differs(name, call))
    assert _but_cost(replayed(golden(name)[call]).measured) == wanted


def _but_cost(measured: Mapping[Series, tuple[int, float]]) -> dict[Series, tuple[int, float]]:
    return {series: found for series, found in measured.items() if not series[0].startswith(_COST)}


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(("name", "call"), CASES)
def test_a_span_costs_what_is_measured_of_it(name: str, call: str, *, beside: bool) -> None:
    seen = replayed(golden(name)[call], beside=beside)
    told = seen.owning.attributes or {}
    costs = {series: found for series, found in seen.measured.items() if series[0].startswith(_COST)}
    if semconv.COST_AMOUNT in told:
        assert {series[0] for series in costs} == {_COST}
        assert told[semconv.COST_AMOUNT] == pytest.approx(
            sum(total for _, total in costs.values()), rel=1e-11
        )
        assert told[semconv.COST_SOURCE] == "local"
    elif semconv.ERROR_TYPE in told and semconv.USAGE_INPUT_TOKENS not in told:
        assert not costs
    else:
        assert [(series[0], found) for series, found in costs.items()] == [(f"{_COST}.unpriced", (1, 1))]
    for span in seen.spans:
        assert semconv.COST_AMOUNT not in (span.attributes or {}) or span is seen.owning


def _as_told(
    ours: Mapping[Series, tuple[int, float]], lacking: frozenset[str], differing: Mapping[str, Any]
) -> dict[Series, tuple[int, float]]:
    """Our series less the labels and the metrics that a package cannot know, with the values that it says."""
    found: dict[Series, tuple[int, float]] = {}
    for (metric, labels), (count, total) in _but_cost(ours).items():
        last = metric.rpartition(".")[2]
        needs = {
            "time_to_first_chunk": semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
            "finish_reasons": semconv.RESPONSE_FINISH_REASONS,
        }.get(last)
        failed = (
            any(label == semconv.ERROR_TYPE for label, _ in labels)
            or ("genai_otel.finish_reason", "error") in labels
        )
        # Gaps between chunks are on no span but ours.
        if last == "time_per_output_chunk" or (needs in lacking and not failed):
            continue
        told = {label: value for label, value in labels if label not in lacking}
        told |= {
            label: value
            for label, value in differing.items()
            if label in LABELS and (label != semconv.ERROR_TYPE or label in told)
        }
        usage = _TOKENS.get(str(told.get("gen_ai.token.type")), "")
        if usage in lacking:
            continue
        tokens = differing.get(usage, total)
        found[metric, frozenset(told.items())] = (count, tokens)
    return found


@pytest.mark.parametrize("name", AGENTS)
def test_the_sums_of_agents_are_not_counted(name: str) -> None:
    measured = replayed(golden(name)["agent"]).measured
    counts = {metric: count for (metric, _), (count, _) in measured.items()}
    assert counts["gen_ai.client.operation.duration"] == 2
    tokens = sum(
        total for (_, labels), (_, total) in measured.items() if ("gen_ai.token.type", "input") in labels
    )
    assert tokens == (0 if semconv.USAGE_INPUT_TOKENS in _lacks(name, "chat") else 24)


@pytest.mark.parametrize(("name", "call"), UNCOUNTED)
def test_what_is_no_call_of_a_model_is_not_counted(name: str, call: str) -> None:
    assert replayed(golden(name)[call]).measured == {}


@pytest.mark.parametrize(("name", "call"), SERVED)
def test_a_model_server_that_traces_itself_measures_its_own_names_alone(name: str, call: str) -> None:
    spans = golden(name)[call]
    measured = replayed(spans).measured
    assert {metric for metric, _ in measured} == {
        "gen_ai.server.request.duration",
        "gen_ai.server.time_to_first_token",
        "gen_ai.server.time_per_output_token",
    }
    operation = "chat" if call in _CHATS else "text_completion"
    labels = {("gen_ai.provider.name", name), ("gen_ai.operation.name", operation)}
    if name == "sglang":
        labels.add(("gen_ai.response.model", "tiny"))
    assert {found for _, found in measured} == {frozenset(labels)}
    assert {count for count, _ in measured.values()} == {len(spans)}
    assert bool(replayed(spans, sampled=False).measured) is (name == "vllm")  # its name tells, at the start


@pytest.mark.parametrize(("name", "call"), EVERYTHING)
def test_a_provider_of_the_users_makes_no_difference(name: str, call: str) -> None:
    ours, theirs = replayed(golden(name)[call]), replayed(golden(name)[call], beside=True)
    assert ours.measured == theirs.measured
    assert [_plain(span) for span in ours.spans] == [_plain(span) for span in theirs.spans]


def _plain(span: Any) -> tuple[str, dict[str, Any]]:
    return span.name, dict(span.attributes)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(("name", "call"), EVERYTHING)
def test_nothing_that_was_said_leaves(name: str, call: str, beside: bool) -> None:
    assert SAID.encode() not in exported(replayed(golden(name)[call], beside=beside).spans)


@pytest.mark.parametrize(("name", "call"), CASES)
def test_content_leaves_when_it_is_asked_for(name: str, call: str) -> None:
    was_recorded = SAID in str(golden(name)[call])
    assert (SAID.encode() in exported(replayed(golden(name)[call], content=True).spans)) is was_recorded


@pytest.mark.parametrize("name", sorted({name for name, _ in EVERYTHING}))
def test_no_secret_leaves_with_the_content(name: str) -> None:
    for spans in saying(name, f"my key is {KEY} .").values():
        assert KEY.encode() not in exported(replayed(spans, content=True).spans)


@pytest.mark.parametrize("name", sorted({name for name, _ in EVERYTHING}))
def test_no_span_is_larger_than_its_budget(name: str) -> None:
    for spans in saying(name, "long " * 50_000).values():
        for span in replayed(spans, content=True).spans:
            assert size_of_span(span) <= SPAN_BYTES


@pytest.mark.parametrize(("name", "call"), EVERYTHING)
def test_originals_are_kept_or_dropped(name: str, call: str) -> None:
    kept, dropped = replayed(golden(name)[call]), replayed(golden(name)[call], keep=False)
    assert kept.measured == dropped.measured
    for one, other in zip(kept.spans, dropped.spans, strict=True):
        before, after = dict(one.attributes or {}), dict(other.attributes or {})
        assert after.items() <= before.items()
        assert not {name for name in before.keys() - after.keys() if name in _COMPARED}


def test_most_of_a_dialect_can_go() -> None:
    attributes = replayed(golden("openinference")["chat"], keep=False).owning.attributes or {}
    assert not [name for name in attributes if name.startswith("llm.token_count.prompt_details")]
    assert "llm.model_name" not in attributes


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_a_span_that_is_not_sampled_is_counted_where_its_start_tells(name: str) -> None:
    spans = golden(name)["chat"]
    unsampled = replayed(spans, sampled=False)
    assert unsampled.spans == []
    told = any(
        operation(span["end"]) in semconv.MODEL_OPERATIONS
        and (recognised(span["start"]) or is_named(span["name"]))
        for span in spans
    )
    assert bool(unsampled.measured) is told


# Of an agent that asks a model, runs a tool and asks again: what its framework's spans tell of it.
_LOOPS = {
    "agent_framework": ("helper", 2, 1),
    "autogen": ("helper", None, 1),  # names the provider of none of its calls
    "google_adk": ("helper", 2, 1),
    "openinference_crewai": (None, 2, 1),
    "openllmetry_langchain": ("LangGraph", 2, 1),
    "pydantic_ai": ("helper", 2, 1),
    "semantic_kernel": ("helper", 2, 1),
    "smolagents": (None, 2, 2),  # its last answer is a tool
    "strands": ("helper", 2, 1),
}


@pytest.mark.parametrize("name", _LOOPS)
def test_the_agents_of_frameworks_are_measured(name: str) -> None:
    agent, calls, tools = _LOOPS[name]
    measured = replayed(golden(name)["agent"]).steps
    who: frozenset[Any] = frozenset() if agent is None else frozenset({("gen_ai.agent.name", agent)})
    counted = {
        metric.rpartition(".")[2]: total for (metric, labels), (_, total) in measured.items() if labels == who
    }
    assert (counted.get("inference_calls"), counted["tool_calls"]) == (calls, tools)
    metrics = {metric for metric, _ in measured}
    assert {"gen_ai.invoke_agent.duration", "gen_ai.execute_tool.duration"} <= metrics
    ran = sum(
        count for (metric, _), (count, _) in measured.items() if metric == "gen_ai.execute_tool.duration"
    )
    assert ran == tools
