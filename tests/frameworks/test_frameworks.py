"""A framework around our client: each call of a model is counted once, by whichever span is the outer one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import pytest

from tests.frameworks.live import LIVE
from tests.harness.process import environment

pytestmark = [pytest.mark.process, pytest.mark.frameworks]

_MODULES: Final = {
    "google_adk": "google.adk",
    "langchain": "langchain_openai",
    "openai_agents": "agents",
    "autogen": "autogen_agentchat",
    "haystack": "haystack_integrations.tracing.opentelemetry",
    "openinference_haystack": "openinference.instrumentation.haystack",
    "smolagents": "openinference.instrumentation.smolagents",
    "openinference_langchain": "openinference.instrumentation.langchain",
    "openllmetry_langchain": "opentelemetry.instrumentation.langchain",
}
_OWN: Final = frozenset({"langchain", "openai_agents", "autogen", "haystack"})
"""Those without spans of their own of the model's calls: only ours are there."""
_OUTER: Final = frozenset({"pydantic_ai", "smolagents"})
"""Those whose span tells at its start what it is, and so owns the call; of the others, ours inside it does."""


def _is_installed(name: str) -> bool:
    try:
        return find_spec(_MODULES.get(name, name)) is not None
    except ModuleNotFoundError:  # of a parent
        return False


INSTALLED: Final = [name for name in LIVE if _is_installed(name)]
RUNS: Final[Mapping[str, tuple[int, Mapping[str, int]]]] = {
    "chat": (1, {"input": 12, "output": 7}),
    "agent": (2, {"input": 24, "output": 14}),
    "error": (1, {}),
}
"""Calls, and tokens by type, of one answer, of a tool call with an answer, and of an error."""


@cache
def ran(name: str) -> Mapping[str, Mapping[str, Any]]:
    """What a framework's runs left, by run; it has a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.frameworks.live", name],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]  # some print, too
    return {told["call"]: told for told in map(json.loads, lines)}


def _model_spans(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [span for span in told["spans"] if span["operation"] in ("chat", "generate_content")]


def test_something_is_installed() -> None:
    assert INSTALLED


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", INSTALLED)
def test_each_call_is_counted_once(name: str, run: str) -> None:
    told = ran(name)[run]
    assert (told["calls"], told["tokens"]) == RUNS[run]
    spans = _model_spans(told)
    owning = [span for span in spans if span["measured"]]
    assert len(owning) == RUNS[run][0]
    assert all(span["owner"] is False for span in spans if span not in owning)
    assert len(spans) == len(owning) * (1 if name in _OWN else 2)
    assert all((span["scope"] != "genai_otel") is (name in _OUTER) for span in owning)
    assert any(span["exemplar"] for span in owning)
    assert not any(span["exemplar"] for span in told["spans"] if span not in owning)


@pytest.mark.parametrize("name", INSTALLED)
def test_what_is_no_call_of_a_model_is_no_owner_of_one(name: str) -> None:
    told = ran(name)["agent"]
    others = [span for span in told["spans"] if span not in _model_spans(told)]
    assert not [span for span in others if span["measured"] or span["owner"] is not None]


@pytest.mark.parametrize("name", INSTALLED)
def test_nothing_that_was_said_leaves(name: str) -> None:
    assert [run for run, told in ran(name).items() if told["said"]] == []


@pytest.mark.parametrize("name", INSTALLED)
def test_a_stream_is_counted_once(name: str) -> None:
    streams = {run: told for run, told in ran(name).items() if run.startswith("stream")}
    for run, told in streams.items():
        assert (told["calls"], told["tokens"]) == (RUNS["chat"] if run == "stream" else (1, {}))
    assert ("langchain" in name or name == "smolagents") is bool(streams)
