"""The rooms of the package and their doors: who may know whom."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from genai_otel.clients import SPECS
from genai_otel.engine import patch
from tests.contract.choice import PAYLOADS

PACKAGE = Path(patch.__file__).parents[1]


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, also inside functions; not what only a type checker reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} if node.module != "genai_otel" else set()
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("genai_otel.")}


def rooms(folder: str) -> dict[str, set[str]]:
    """File to the first parts of what it imports of ours."""
    return {
        path.name: {name.split(".")[1] for name in imported(path)} for path in (PACKAGE / folder).glob("*.py")
    }


def test_rooms_know_only_what_they_may() -> None:
    for name, known in rooms("clients").items():
        assert known <= {"spec", "semconv", "safe", "clients"}, name
    for name, known in rooms("engine").items():
        assert not known & {"clients", "processing", "guard", "runtime", "launcher"}, name
    for name, known in rooms("processing").items():
        assert not known & {"clients", "engine", "runtime", "launcher"}, name
    for name, known in rooms("guard").items():
        assert not known & {"clients", "engine", "runtime", "launcher"}, name
    for name, known in rooms("annotate").items():
        assert not known & {"clients", "processing", "guard", "runtime", "launcher"}, name
    for name, known in rooms("gpu").items():
        assert known <= {"config", "fence", "gpu"}, name
    for name, known in rooms("quality").items():
        assert known <= {"fence", "metrics", "processing", "quality", "safe", "semconv"}, name
    for name, known in rooms("report").items():
        assert known <= {"report", "processing", "prices", "quality", "console", "semconv", "version"}, name
    for name, known in rooms("slo").items():
        assert known <= {"metrics", "report", "semconv", "setting_values", "slo"}, name
    joining = {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for path in PACKAGE.rglob("*.py")
        if {"engine", "processing"} <= {name.split(".")[1] for name in imported(path)}
    }
    assert joining <= {"runtime", "launcher"}


def test_a_client_imports_of_other_clients_only_their_parts() -> None:
    for path in (PACKAGE / "clients").glob("[!_]*.py"):
        others = {name.split(".")[2] for name in imported(path) if name.startswith("genai_otel.clients.")}
        assert all(name.startswith("_") for name in others), path.name


def test_specs_and_their_readers_need_no_library() -> None:
    spec_source = ast.dump(ast.parse((PACKAGE / "spec.py").read_text(encoding="utf-8")))
    assert "opentelemetry" not in spec_source
    for path in (PACKAGE / "clients").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                top = node.module.split(".")[0]
                assert top in {"genai_otel", *sys.stdlib_module_names}, (path.name, top)


def test_every_client_has_its_payload() -> None:
    from genai_otel.clients import SPECS

    assert {payload.client for payload in PAYLOADS} <= {spec.name for spec in SPECS}
    tests = Path(__file__).parent.parent
    files = (*tests.glob("contract/payloads/[!_]*.py"), *tests.glob("engines/payloads/[!_]*.py"))
    assert sorted(spec.name for spec in SPECS) == sorted(path.stem for path in files)


def test_what_is_known_of_a_client_before_its_file_is_loaded_is_what_the_file_says() -> None:
    from genai_otel.clients import CLIENTS

    for client in CLIENTS:
        spec = client.load()
        modules = {endpoint.target.partition(":")[0] for endpoint in spec.endpoints}
        assert (spec.name, spec.instrumentors) == (client.name, ())
        for package in client.packages:
            assert any(f"{module}.".startswith(f"{package}.") for module in modules), package
        for module in modules:
            assert f"{module}.".startswith(tuple(f"{package}." for package in client.packages)), module


def test_usage_is_asked_for_only_where_the_arguments_are_the_methods_own() -> None:
    points = [point for spec in SPECS for each in spec.endpoints for point in (each, *each.routes)]
    asking = [point for point in points if point.with_usage is not None]
    assert asking
    assert [point.target for point in asking if point.deferred or point.route or point.routes] == []
