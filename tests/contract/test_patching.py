"""Methods stay what they were to whoever looks at them; patches come in any order and go without a trace."""

from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import pytest

from genai_otel import fence
from genai_otel.engine import native, patch
from genai_otel.spec import ClientSpec, Endpoint, Peer
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled
from tests.contract.choice import PAYLOADS, main_cases
from tests.contract.payload import Case, Payload
from tests.contract.recorded import Recorded
from tests.contract.warm import Warm
from tests.harness.process import run
from tests.harness.sink import HttpSink

both = main_cases()


# --- what the program sees of a patched method ----------------------------------------------------


LOOKS = """
import asyncio, inspect, json, types
from operator import attrgetter
from tests.contract.payloads.{client} import PAYLOAD
import genai_otel

def looks(method):
    return [str(inspect.signature(method)), inspect.iscoroutinefunction(method), inspect.ismethod(method),
            inspect.isfunction(method), asyncio.iscoroutinefunction(method), callable(method), inspect.getfile(method),
            [getattr(method, name, None) for name in ("__name__", "__qualname__", "__doc__", "__module__")],
            repr(sorted(getattr(method, "__annotations__", ()))), repr(getattr(method, "__defaults__", None)),
            inspect.getsourcelines(method)[1], hasattr(method, "__wrapped__"), hasattr(method, "__get__")]

def table():
    rows = {{}}
    for asynchronous in PAYLOAD.forms:
        client = PAYLOAD.make("http://127.0.0.1:9/v1", asynchronous)
        for case in PAYLOAD.cases:
            path = case.on(client, case.path)
            bound = attrgetter(path)(client)
            unbound = getattr(type(bound.__self__), path.rpartition(".")[2])
            rows[f"{{case.path}} {{asynchronous}} bound"] = looks(bound)
            rows[f"{{case.path}} {{asynchronous}}"] = looks(unbound)
            assert bound.__func__ and bound.__self__ is not None
    return rows

print(json.dumps(table()))
genai_otel.setup()
print(json.dumps(table()))
"""


@pytest.mark.process
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.client)
def test_a_method_looks_as_it_did(warm: Warm, payload: Payload) -> None:
    before, after = warm.run(LOOKS.format(client=payload.client), {"OTEL_TRACES_EXPORTER": "console"}).said
    assert len(before) >= 2 * len(payload.forms) * len(payload.cases)
    for name, looks in before.items():
        # A method wrapped by functools has __wrapped__ as well; one that has not gets it from us.
        assert [*after[name][:-2], after[name][-1]] == [*looks[:-2], looks[-1]], name


@both
@pytest.mark.usefixtures("balanced")
async def test_a_method_is_called_in_any_way(balanced: Recorded, caller: Caller, case: Case) -> None:
    resource, method = case.owner(caller.client)
    kind: Any = resource.__class__
    arguments = case.arguments(caller.model())
    await settled(functools.partial(getattr(resource, method), **arguments)())
    await settled(getattr(kind, method)(resource, **arguments))
    await settled(kind.__dict__[method].__get__(resource, kind)(**arguments))
    assert len(balanced.calls()) == 3


@both
@pytest.mark.usefixtures("balanced")
async def test_a_subclass_may_override_it(balanced: Recorded, caller: Caller, case: Case) -> None:
    resource, method = case.owner(caller.client)
    kind: Any = resource.__class__
    seen: list[str] = []

    def mine(self: Any, **arguments: Any) -> Any:
        seen.append(arguments[case.model_argument])
        return getattr(kind, method)(self, **arguments)

    try:
        own = copy.copy(resource)
    except RecursionError:  # a client that cannot be copied
        own = resource
    own.__class__ = type("Mine", (kind,), {method: mine})
    await settled(getattr(own, method)(**case.arguments(caller.model())))
    assert seen == [caller.model()]
    assert len(balanced.calls()) == 1


@both
def test_a_class_can_be_pickled_by_name(telemetry: Recorded, payload: Payload, case: Case) -> None:
    resource, _ = case.owner(payload.make("http://127.0.0.1:9/v1", payload.forms[0]))
    kind: Any = cast("Any", type(resource))
    if not hasattr(sys.modules[kind.__module__], kind.__qualname__.partition(".")[0]):
        pytest.skip("the client makes its classes at run time, and they cannot be pickled")
    assert pickle.loads(pickle.dumps(kind)) is kind


# --- specs that do not fit ------------------------------------------------------------------------


def spec(requires: str = "pytest >= 1", *targets: str) -> ClientSpec:
    return ClientSpec(
        name="made-up",
        requires=requires,
        endpoints=tuple(Endpoint(target, "chat") for target in targets),
        connection=lambda _: None,
        peer=lambda _: Peer("made-up"),
    )


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A client's module, not imported yet."""
    name = f"made_up_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text("class Client:\n    def chat(self, model):\n        return model\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return name


def states(*targets: str) -> list[tuple[str, str]]:
    found = {each.target: (each.state, each.reason) for each in patch.installed()}
    return [found[target] for target in targets]


def test_a_client_is_patched_when_it_is_imported(telemetry: Recorded, made_up: str) -> None:
    target, lost = f"{made_up}:Client.chat", f"{made_up}:Client.no_such_method"
    patch.install((spec("pytest >= 1", target, lost),))
    assert states(target, lost) == [("waiting", "")] * 2
    module: Any = __import__(made_up)
    assert states(target, lost) == [("patched", ""), ("skipped", "not in this version of the client")]
    assert module.Client().chat(model="m") == "m"
    assert telemetry.span().name == "chat m"


def test_a_method_that_is_gone_has_another_in_its_place(telemetry: Recorded, made_up: str) -> None:
    target = f"{made_up}:Client._private"
    one = Endpoint(target, "chat", otherwise="Client.chat")
    patch.install((dataclasses.replace(spec(), endpoints=(one,)),))
    module: Any = __import__(made_up)
    assert states(target) == [("patched", "")]
    assert module.Client().chat(model="m") == "m"
    assert telemetry.span().name == "chat m"


def test_a_client_that_is_not_there_is_no_problem(telemetry: Recorded) -> None:
    target = "no_such_client.deep.module:Client.chat"
    patch.install((spec("no-such-client >= 1", target),))
    assert states(target) == [("waiting", "")]
    assert "no_such_client" not in sys.modules


def test_a_client_that_is_too_old_is_named_and_left_alone(
    telemetry: Recorded, made_up: str, caplog: pytest.LogCaptureFixture
) -> None:
    target = f"{made_up}:Client.chat"
    patch.install((spec("pytest >= 10000", target),))
    module: Any = __import__(made_up)
    state, reason = states(target)[0]
    assert (state, reason) == ("skipped", f"pytest {metadata.version('pytest')} is older than 10000")
    assert module.Client().chat(model="m") == "m"
    assert telemetry.calls() == []
    assert f"made-up are not traced: {reason}" in caplog.text


def test_another_wrapper_is_named_and_wrapped_in_turn(
    telemetry: Recorded, made_up: str, caplog: pytest.LogCaptureFixture
) -> None:
    import wrapt

    target = f"{made_up}:Client.chat"
    module: Any = __import__(made_up)

    def theirs(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return ["theirs", wrapped(*args, **kwargs)]

    wrapt.wrap_function_wrapper(module, "Client.chat", theirs)
    patch.install((spec("pytest >= 1", target),))
    assert module.Client().chat(model="m") == ["theirs", "m"]
    assert len(telemetry.calls()) == 1
    assert f"made-up is also instrumented by {__name__}" in caplog.text
    patch.install((spec("pytest >= 1", target),))  # again
    assert module.Client().chat(model="m") == ["theirs", "m"]
    assert len(telemetry.calls()) == 2


COPIES = """
class Client:
    def chat(self, model):
        return model

class Copy:
    chat = Client.chat

chat = Client().chat
"""


@pytest.mark.parametrize("late", [False, True])
def test_copies_of_a_method_are_wrapped_once(
    telemetry: Recorded, made_up: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """A class's or a module's own name for the method, made before we patch it or, by hook, after."""
    for table in ("_specs", "_patches", "_applied"):
        monkeypatch.setattr(patch, table, dict[str, Any]())  # other clients stay as they are
    monkeypatch.setattr(patch, "_on", True)
    monkeypatch.setattr(native, "_set", dict[str, str]())
    (tmp_path / f"{made_up}_base.py").write_text(COPIES.partition("class Copy")[0])
    (tmp_path / f"{made_up}.py").write_text(
        f"from {made_up}_base import Client\nclass Copy" + COPIES.partition("class Copy")[2]
    )
    module: Any = __import__(made_up) if late else None
    wanted = spec("pytest >= 1", f"{made_up}_base:Client.chat", f"{made_up}:Copy.chat", f"{made_up}:chat")
    for calls in (3, 0, 3, 0):
        if calls:
            patch.install((wanted,))
        else:
            patch.uninstall()
        module = __import__(made_up)
        before = len(telemetry.calls())
        assert [chat(model="m") for chat in (module.Copy().chat, module.chat, module.Client().chat)] == [
            "m"
        ] * 3
        assert len(telemetry.calls()) == before + calls


@pytest.fixture(autouse=True)
def forget(telemetry: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Specs of a test's own, and what was said of them, end with the test."""
    for table in ("_specs", "_hooked", "_patches", "_applied"):
        monkeypatch.setattr(patch, table, getattr(patch, table).copy())
    monkeypatch.setattr(fence, "_said", set[str]())


# --- orders, in processes of their own ------------------------------------------------------------

pytestmark: list[pytest.MarkDecorator] = []

UNINSTALL = """
import json, os, threading
import openai, wrapt
from operator import attrgetter
from openai.resources.chat.completions import Completions
from openai.resources.responses import Responses
from openai.resources import Embeddings
from tests.contract.payloads.openai import PAYLOAD
import genai_otel
from genai_otel.engine import patch

client = PAYLOAD.make(os.environ["MODELS"], False)           # made before set-up
chat = PAYLOAD.cases[0]
bound_before = client.chat.completions.create                 # documented: not covered
originals = {kind: dict(vars(kind)) for kind in (Completions, Responses, Embeddings)}

barrier = threading.Barrier(8)
handles = []
def work():
    barrier.wait()
    handles.append(genai_otel.setup())
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(set(map(id, handles))) == 1
wrapped = vars(Completions)["create"]
assert wrapped is not originals[Completions]["create"]
assert wrapped.__wrapped__ is originals[Completions]["create"]  # one wrapper, not eight

chat.call(client, PAYLOAD.model + "+chunks-1")                # a client made before set-up is traced
list(chat.stream(client, PAYLOAD.model + "+chunks-2"))

def theirs(function, instance, args, kwargs):
    return function(*args, **kwargs)
wrapt.wrap_function_wrapper("openai.resources.embeddings", "Embeddings.create", theirs)
buried = vars(Embeddings)["create"]
patch.uninstall()
for kind, before in originals.items():
    for name, value in before.items():
        if (kind, name) == (Embeddings, "create"):
            assert vars(kind)[name] is buried                 # the other tool's wrapper stays
        else:
            assert vars(kind)[name] is value, (kind, name)
chat.call(client, PAYLOAD.model + "+chunks-3")
client.embeddings.create(model="not traced", input="x")
assert patch.installed() == ()
patch.install([spec for spec in __import__("genai_otel.clients", fromlist=["SPECS"]).SPECS])
chat.call(client, PAYLOAD.model + "+chunks-4")
client.embeddings.create(model="traced", input="x")
"""


@pytest.mark.process
def test_set_up_late_often_and_taken_back(warm: Warm, model_server: ModelServer) -> None:
    with HttpSink() as sink:
        warm.run(UNINSTALL, {"MODELS": model_server.base_url, **sink.environment()})
        names = [span.name for span in sink.spans() if span.scope == "genai_otel"]
    assert names == [f"chat gpt-4o-mini+chunks-{number}" for number in (1, 2, 4)] + ["embeddings traced"]


EARLY = """
import sys
heavy = ("openai", "httpx", "httpx2", "pydantic", "grpc", "fastapi", "anthropic", "requests", "uvicorn")
import genai_otel
assert not set(heavy) & set(sys.modules), set(heavy) & set(sys.modules)
genai_otel.setup()
loaded = set(heavy) & set(sys.modules)
assert not loaded - {"requests"}, loaded  # the OTLP exporter's own
files = {"genai_otel.clients." + client.name for client in sys.modules["genai_otel.clients"].CLIENTS}
assert not files & set(sys.modules), files & set(sys.modules)
import os
import openai
assert files & set(sys.modules) == {"genai_otel.clients.openai"}
client = openai.OpenAI(base_url=os.environ["MODELS"], api_key="x")
client.chat.completions.create(model="a", messages=[])
genai_otel.setup()
client.embeddings.create(model="b", input="x")
"""


@pytest.mark.process
def test_set_up_first_imports_no_client_and_covers_it_later(model_server: ModelServer) -> None:
    with HttpSink() as sink:
        run(EARLY, env={"MODELS": model_server.base_url, **sink.environment()}).ok()
        spans = sink.spans()
    ours = [span for span in spans if span.scope == "genai_otel"]
    assert [span.name for span in ours] == ["chat a", "embeddings b"]
    assert len(spans) == 4  # with one HTTP span each
