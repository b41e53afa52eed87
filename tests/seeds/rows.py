"""Which rows there are, and which tests say by `@pytest.mark.seed_rows("000-13", …)` that they show one."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]


class Row(NamedTuple):
    """One row: what the seed had, and what it is about (`-` where that is nothing of the library's own)."""

    id: str
    kind: str
    what: str


@functools.cache
def rows() -> dict[str, Row]:
    """All rows by their ids."""
    lines = Path(__file__).with_name("rows.tsv").read_text(encoding="utf-8").splitlines()
    found = [Row(*line.split("\t")) for line in lines]
    return {row.id: row for row in found}


def unknown(marked: tuple[object, ...]) -> list[object]:
    """The arguments of a mark that are no rows."""
    known = rows()
    return [each for each in marked if each not in known]


def shown() -> dict[str, list[str]]:
    """Row to the tests that show it, as the files say; nothing is imported, so nothing has to be installed."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "seed_rows(" in text:
            for test, row in _marks(ast.parse(text)):
                found.setdefault(row, []).append(f"{path.relative_to(TESTS.parent).as_posix()}::{test}")
    return found


def _marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each test and each row that it is marked with."""
    for function in tree.body:
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for mark in function.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.seed_rows":
                    for argument in mark.args:
                        yield function.name, ast.literal_eval(argument)
