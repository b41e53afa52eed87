"""Every behaviour is tried with a sync and with an async client, and after each test the books must balance."""

from __future__ import annotations

import asyncio
import gc
import os
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.trace import INVALID_SPAN, get_current_span

from genai_otel import fence
from genai_otel.engine import call as calls
from genai_otel.engine import origin, record
from genai_otel.testing import ModelServer
from tests.contract import oracle
from tests.contract.caller import Caller
from tests.contract.choice import CHOSEN, KNOWN
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded
from tests.contract.warm import Warm
from tests.harness.patience import collect

collect_ignore = [name for name in KNOWN if name not in CHOSEN]
"""Folders with the tests of single clients, of those that are not there or not wanted."""


def pytest_collection_modifyitems(items: list[Any]) -> None:
    for item in items:
        if "contract" in item.path.parts:
            item.add_marker(pytest.mark.contract)
            for warning in (
                "ignore:.*deprecated:DeprecationWarning",
                "ignore:The .* method is deprecated",
                "ignore:Items? .* on TypedDict class:UserWarning",
                "ignore:Pydantic serializer warnings:UserWarning",
                "ignore:(?i)unclosed:ResourceWarning",  # what becomes of a dropped stream's connection
            ):
                item.add_marker(pytest.mark.filterwarnings(warning))  # vendors' own
            payload = item.callspec.params.get("payload") if hasattr(item, "callspec") else None
            for warning in payload.warnings if isinstance(payload, Payload) else ():
                item.add_marker(pytest.mark.filterwarnings(warning))


def pytest_sessionfinish() -> None:
    """What clients keep open to the end is theirs to close."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        collect()


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """What is there before a test is left out of its collections, which then take no time; tests collect by themselves.

    A stream in a cycle that is collected while its client's pool of connections holds its lock waits for ever, with
    and without us.
    """
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest_asyncio.fixture
async def caller(
    telemetry: Recorded, payload: Payload, model_server: ModelServer, asynchronous: bool
) -> AsyncIterator[Caller]:
    """A client of the model server, made after set-up."""
    del telemetry  # set up before the client is made
    made = Caller(payload, model_server, asynchronous=asynchronous)
    yield made
    await made.close()
    await asyncio.sleep(0)


@pytest.fixture
def balanced(telemetry: Recorded) -> Iterator[Recorded]:
    """Checks afterwards what holds for every test: one count per call, nothing open, nothing said, no error of ours."""
    errors = dict(fence.errors())
    assert get_current_span() is INVALID_SPAN
    yield telemetry
    assert get_current_span() is INVALID_SPAN
    left_open = _left_open()
    calls.abandon_all()  # else every test after this one would fail with it
    assert left_open == ()
    assert fence.errors() == errors
    spans = telemetry.spans()
    oracle.agree(spans, telemetry.metrics())
    assert all(CANARY not in text_of(span) for span in spans)


@pytest.fixture
def said(telemetry: Recorded, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the calls of this test said, in the order of their end: read as if content were on, written nowhere."""
    del telemetry  # set up before
    recorder = record.active
    assert recorder is not None
    found: list[dict[str, Any]] = []
    end = record.Recorder.end

    def listening(one: record.Recorder, call: calls.Call) -> None:
        end(one, call)
        found.append(dict(call.content or {}))

    policy = record.ContentPolicy(on_span=False, on_event=False, value_bytes=0)
    monkeypatch.setattr(recorder, "content", policy)
    monkeypatch.setattr(record.Recorder, "end", listening)  # of the class: an instance's would stay behind
    return found


def _left_open() -> tuple[Any, ...]:
    """The calls that nobody will end; a thread of the client's may hold a dropped stream for a moment."""
    for _ in range(40):
        gc.collect()
        calls.drain()
        if not calls.open_calls():
            break
        time.sleep(0.05)
    return calls.open_calls()


def text_of(span: Any) -> str:
    """Everything that a span says."""
    events = [(event.name, dict(event.attributes)) for event in span.events]
    return repr((span.name, dict(span.attributes), events, span.status.description))


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch, telemetry: Recorded) -> Iterator[Recorded]:
    """As in production: errors are contained.  What this test makes is forgotten."""
    counted = vars(fence)["_errors"]
    before = dict(counted)
    monkeypatch.setattr(fence, "strict", False)
    monkeypatch.setattr(origin, "_origins", {})
    yield telemetry
    calls.drain()
    assert calls.open_calls() == ()
    counted.clear()
    counted.update(before)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Runs scripts in processes of their own, without the seconds that imports take."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    process = Warm()
    yield process
    process.end()
