"""The examples, run as they stand: no key, no network, no changes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **more}


def test_quickstart_prints_two_answers_and_shows_two_calls() -> None:
    command = [sys.executable, str(EXAMPLES / "quickstart" / "quickstart.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environment())
    assert len(done.stdout.splitlines()) == 2
    assert len(re.findall(r"chat gpt-4o-mini.*completed", done.stderr)) == 2


def output(cell: nbformat.NotebookNode) -> str:
    return "".join(str(part.get("text", "")) for part in cell.get("outputs", []))


@pytest.mark.process
def test_in_a_notebook_the_span_of_a_call_appears_under_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(EXAMPLES / "quickstart.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        calls = [cell for cell in notebook.cells if "completions.create" in cell.source]
        assert len(calls) == 2
        for cell in calls:
            assert len(re.findall(r"chat gpt-4o-mini.*completed", output(cell))) == 1
        # Running the set-up again is normal in a notebook and says nothing.
        again = next(cell for cell in notebook.cells if "genai_otel.setup()" in cell.source)
        client.execute_cell(again, len(notebook.cells))
        assert output(again) == ""
