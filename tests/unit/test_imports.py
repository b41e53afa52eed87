"""Hooks run once, when a module's code has run; nothing else about importing changes."""

import importlib
import importlib.util
import inspect
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from genai_otel import fence, imports

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Puts modules of the test's own on the path."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)

    def write(**modules: str) -> None:
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_hook_gets_the_complete_module_once(write: Write) -> None:
    write(hooked_a="import sys\nVALUE = 1")
    seen: list[tuple[ModuleType, int]] = []
    imports.when_imported("hooked_a", lambda module: seen.append((module, module.VALUE)))
    assert seen == []
    assert "hooked_a" not in sys.modules
    module = importlib.import_module("hooked_a")
    importlib.import_module("hooked_a")
    assert seen == [(module, 1)]


def test_an_imported_module_is_served_at_once() -> None:
    seen: list[ModuleType] = []
    imports.when_imported("json", seen.append)
    assert seen == [sys.modules["json"]]


def test_a_hook_before_runs_before_the_modules_code_and_once(write: Write) -> None:
    write(before_a="import os\nSAID = os.environ['BEFORE_A']")
    seen: list[str] = []

    def hook() -> None:
        os.environ["BEFORE_A"] = "first"
        seen.append("before_a")

    imports.before("before_a", hook)
    assert seen == []
    assert importlib.import_module("before_a").SAID == os.environ.pop("BEFORE_A") == "first"
    del sys.modules["before_a"]
    importlib.import_module("json")
    assert seen == ["before_a"]
    imports.before("json", lambda: seen.append("json"))
    assert seen == ["before_a", "json"]


def test_a_hook_before_that_fails_fails_nothing_else(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "strict", False)
    write(before_b="VALUE = 1")
    already = fence.errors().get("imports", 0)

    def fail() -> None:
        raise ZeroDivisionError

    imports.before("before_b", fail)
    assert importlib.import_module("before_b").VALUE == 1
    assert fence.errors()["imports"] == already + 1


def test_the_module_carries_its_real_loader(write: Write) -> None:
    write(plain_b="", hooked_b="SEEN = type(__spec__.loader), type(__loader__)")
    imports.when_imported("hooked_b", lambda _: None)
    plain, hooked = importlib.import_module("plain_b"), importlib.import_module("hooked_b")
    assert set(hooked.SEEN) == {type(plain.__loader__)}
    assert type(hooked.__spec__.loader) is type(plain.__spec__.loader)  # pyright: ignore[reportOptionalMemberAccess]


def test_looking_for_a_spec_neither_imports_nor_fires(write: Write) -> None:
    write(hooked_c="X = 1")
    seen: list[ModuleType] = []
    imports.when_imported("hooked_c", seen.append)
    spec = importlib.util.find_spec("hooked_c")
    assert spec is not None
    assert spec.loader is not None
    assert inspect.getsource(importlib.util.module_from_spec(spec)) == "X = 1\n"
    assert seen == []
    importlib.import_module("hooked_c")
    assert len(seen) == 1


def test_a_lazy_module_fires_when_its_code_runs(write: Write) -> None:
    write(hooked_d="VALUE = 1")
    seen: list[ModuleType] = []
    imports.when_imported("hooked_d", seen.append)
    spec = importlib.util.find_spec("hooked_d")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["hooked_d"] = module
    spec.loader.exec_module(module)
    assert seen == []
    assert module.VALUE == 1
    assert seen == [module]


def test_an_import_that_fails_keeps_the_hook_for_the_next(write: Write) -> None:
    write(hooked_e="raise RuntimeError('first')")
    seen: list[ModuleType] = []
    imports.when_imported("hooked_e", seen.append)
    with pytest.raises(RuntimeError, match="first"):
        importlib.import_module("hooked_e")
    assert seen == []
    write(hooked_e="VALUE = 'second time'")
    importlib.import_module("hooked_e")
    assert len(seen) == 1


def test_a_hook_that_raises_fails_neither_the_import_nor_other_hooks(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "strict", False)
    write(hooked_f="")
    seen: list[ModuleType] = []

    def broken(_: ModuleType) -> None:
        raise ValueError("ours")

    imports.when_imported("hooked_f", broken)
    imports.when_imported("hooked_f", seen.append)
    assert importlib.import_module("hooked_f") in seen


def test_a_half_imported_module_is_waited_for(write: Write) -> None:
    write(
        hooked_g="import helper_g\nVALUE = 1",
        helper_g="import threading\nfrom genai_otel import imports\nSEEN = []\n"
        "imports.when_imported('hooked_g', lambda module: SEEN.append(module.VALUE))\n"
        "HOOK = [t for t in threading.enumerate() if t.name == 'genai_otel-import']",
    )
    module = importlib.import_module("hooked_g")
    for thread in module.helper_g.HOOK:
        thread.join(5)
    assert module.helper_g.SEEN == [1]


def test_a_module_that_replaces_itself_is_handed_on_as_replaced(write: Write) -> None:
    write(hooked_h="import sys, types\nsys.modules[__name__] = types.SimpleNamespace(name='other')")
    seen: list[object] = []
    imports.when_imported("hooked_h", seen.append)
    importlib.import_module("hooked_h")
    assert seen == [sys.modules["hooked_h"]]


def test_a_hidden_module_is_missing_in_this_thread_only(write: Write) -> None:
    write(
        hidden_i="", user_i="try:\n    import hidden_i\nexcept ModuleNotFoundError as e:\n    FOUND = e.name"
    )
    elsewhere: list[ModuleType] = []
    with imports.hidden({"hidden_i", "never_asked_for"}) as missed:
        assert importlib.import_module("user_i").FOUND == "hidden_i"
        thread = threading.Thread(target=lambda: elsewhere.append(importlib.import_module("hidden_i")))
        thread.start()
        thread.join(5)
    assert missed == {"hidden_i"}
    assert elsewhere == [importlib.import_module("hidden_i")]


def test_hidden_modules_that_are_imported_already_are_found(write: Write) -> None:
    write(hidden_j="")
    module = importlib.import_module("hidden_j")
    with imports.hidden({"hidden_j"}) as missed:
        assert importlib.import_module("hidden_j") is module
    assert missed == set()
