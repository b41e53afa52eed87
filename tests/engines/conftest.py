"""Engines that are installed, or those that ``ENGINES`` names: then each must be there."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN, get_current_span

from genai_otel import fence
from genai_otel.engine import call as calls
from tests.contract import oracle
from tests.contract.recorded import Recorded
from tests.engines.engine import CANARY, Engine

KNOWN = sorted(path.stem for path in (Path(__file__).parent / "payloads").glob("[a-z]*.py"))
_NAMED = os.environ.get("ENGINES", "").replace(",", " ").split()
CHOSEN = [name for name in KNOWN if (name in _NAMED if _NAMED else find_spec(name) is not None)]
collect_ignore = [f"test_{name}.py" for name in KNOWN if name not in CHOSEN]
if not CHOSEN:
    collect_ignore += ["test_bytecodes.py", "test_rows.py"]

# Nothing is looked for on a hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_NUM_THREADS"] = "1"  # of models as small as these, more would only wait for each other

with warnings.catch_warnings():  # the libraries' own, when they are imported
    warnings.simplefilter("ignore")
    _ENGINES: list[Engine] = [import_module(f"tests.engines.payloads.{name}").ENGINE for name in CHOSEN]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for each engine, or for each case of each."""
    if "engine" not in metafunc.fixturenames:
        return
    if "case" not in metafunc.fixturenames:
        metafunc.parametrize("engine", _ENGINES, ids=[each.name for each in _ENGINES])
        return
    wanted = metafunc.definition.get_closest_marker("cases")
    chosen = wanted.args[0] if wanted else bool
    pairs = [
        pytest.param(each, case, id=f"{each.name}-{case.name}")
        for each in _ENGINES
        for case in each.cases
        if chosen(case)
    ]
    metafunc.parametrize(("engine", "case"), pairs)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "engines" in item.path.parts:
            item.add_marker(pytest.mark.engines)
            engine = item.callspec.params.get("engine") if hasattr(item, "callspec") else None
            for warning in (
                "ignore:The pynvml package is deprecated",
                "ignore:::(torch|transformers|sentence_transformers|llama_cpp|vllm)",
                *(engine.warnings if isinstance(engine, Engine) else ()),
            ):
                item.add_marker(pytest.mark.filterwarnings(warning))  # the libraries' own


@pytest.fixture(scope="session")
def made() -> dict[str, Any]:
    return {}


@pytest.fixture
def subject(
    engine: Engine, made: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, telemetry: Any
) -> Any:
    """What the cases of an engine call: made once, after set-up."""
    if engine.name not in made:
        made[engine.name] = engine.make(tmp_path_factory.mktemp(engine.name))
        telemetry.clear()
    return made[engine.name]


@pytest.fixture
def balanced(telemetry: Recorded) -> Iterator[Recorded]:
    """Checks afterwards what holds for every test: one count per call, nothing open, nothing said, no error of ours."""
    errors = dict(fence.errors())
    gc.freeze()  # what these libraries have loaded is too much to be looked through each time
    yield telemetry
    assert get_current_span() is INVALID_SPAN
    gc.collect()
    gc.unfreeze()
    calls.drain()
    assert calls.open_calls() == ()
    assert fence.errors() == errors
    spans = telemetry.spans()
    oracle.agree(spans, telemetry.metrics())
    for span in spans:
        events = [(event.name, dict(event.attributes)) for event in span.events]
        assert CANARY not in repr((span.name, dict(span.attributes), events, span.status.description))
