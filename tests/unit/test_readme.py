"""The code in the documents: it can be read, and asks for names and arguments that there are."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import genai_otel
from genai_otel.config import SETTINGS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks() -> Iterator[Any]:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{path.name}:{line}")


def asked(code: str) -> Iterator[tuple[str, ast.Call | None]]:
    """The names of ours that code takes, and how it calls them."""
    tree = ast.parse(code)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "genai_otel":
            yield node.attr, calls.get(id(node))


@pytest.mark.parametrize("code", [*blocks()])
def test_names_and_arguments_are_there(code: str) -> None:
    for name, call in asked(code):
        assert name in genai_otel.__all__
        if call is not None:
            words = {keyword.arg: None for keyword in call.keywords if keyword.arg is not None}
            inspect.signature(getattr(genai_otel, name)).bind_partial(*call.args, **words)


def test_settings_that_code_names_are_there() -> None:
    known = {*inspect.signature(genai_otel.setup).parameters, *(setting.argument for setting in SETTINGS)}
    for param in blocks():
        for name, call in asked(param.values[0]):
            if name == "setup" and call is not None:
                assert {keyword.arg for keyword in call.keywords} <= known


def test_variables_that_the_readme_names_are_there() -> None:
    named = set(re.findall(r"\bGENAI_OTEL_[A-Z_]+\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named <= {setting.variable for setting in SETTINGS}
