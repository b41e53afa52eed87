"""The examples, run as they stand: no key, no network, no changes."""

import copy
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.harness.sink import HttpSink

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **more}


def test_quickstart_prints_two_answers_and_shows_two_calls() -> None:
    command = [sys.executable, str(EXAMPLES / "quickstart" / "quickstart.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environment())
    assert len(done.stdout.splitlines()) == 2
    assert len(re.findall(r"chat gpt-4o-mini.*completed", done.stderr)) == 2


def test_the_agent_shows_its_loop_as_one_tree() -> None:
    command = [sys.executable, str(EXAMPLES / "agent" / "agent.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environment())
    tree = [line.strip(" |`-").split()[:2] for line in done.stderr.splitlines() if "completed" in line]
    assert tree == [
        ["invoke_workflow", "trip"],
        ["invoke_agent", "packing"],
        ["chat", "gpt-4o-mini"],
        ["execute_tool", "weather"],
        ["cache_lookup", "notes"],
        ["chat", "gpt-4o-mini"],
    ]
    assert "2 model calls, 1 tool call" in done.stderr


def test_a_client_of_your_own_is_traced_like_the_others() -> None:
    folder = EXAMPLES / "own_client"
    command = [sys.executable, str(folder / "own_client.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=environment())
    assert len(done.stdout.splitlines()) == 2
    assert len(re.findall(r"chat delphi-1.*completed", done.stderr)) == 2
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tested = subprocess.run(
        tests, check=False, capture_output=True, text=True, timeout=60, env=environment(), cwd=folder
    )
    assert "3 passed" in tested.stdout, tested.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str, *, within: float) -> str:
    """The body of the first answer; the server may still be starting."""
    deadline = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(url, timeout=within) as response:
                return response.read().decode()
        except (ConnectionError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.process
def test_the_web_example_gives_one_trace_from_the_request_to_the_call() -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        str(EXAMPLES / "fastapi"),
        "app:app",
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as server:
        try:
            answer = get(f"http://127.0.0.1:{port}/ask?question=why", within=30)
        finally:
            server.send_signal(signal.SIGTERM)
        _, shown = server.communicate(timeout=15)
    assert answer
    tree = shown[shown.index("GET /ask") :]
    assert len(re.findall(r"chat gpt-4o-mini.*completed", tree)) == 1


def notebook() -> Any:
    read: Any = nbformat.read  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped
    return read(EXAMPLES / "quickstart.ipynb", as_version=4)


def output(cell: Any) -> str:
    return "".join(str(part.get("text", "")) for part in cell.get("outputs", []))


def run_cells(book: Any, then: Callable[[Any], None]) -> None:
    """Executes the cells of a notebook one by one in a kernel; `then` sees each cell right after its end."""
    client = NotebookClient(book, timeout=60, kernel_name="python3")
    with client.setup_kernel():
        for index, cell in enumerate(book.cells):
            client.execute_cell(cell, index)
            then(cell)


@pytest.mark.process
def test_in_a_notebook_a_call_is_shown_under_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    book = notebook()
    set_up = next(cell for cell in book.cells if "genai_otel.setup()" in cell.source)
    book.cells.append(copy.deepcopy(set_up))  # running it again is normal in a notebook
    run_cells(book, lambda _: None)
    calls = [cell for cell in book.cells if "completions.create" in cell.source]
    assert [len(re.findall(r"chat gpt-4o-mini.*completed", output(cell))) for cell in calls] == [1, 1]
    assert output(book.cells[-1]) == ""


@pytest.mark.process
def test_in_a_notebook_spans_leave_when_their_cell_ends(
    monkeypatch: pytest.MonkeyPatch, sink: HttpSink
) -> None:
    for name, value in sink.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")  # what leaves now does so because of the cell
    calls = 0

    def arrived(cell: Any) -> None:
        nonlocal calls
        calls += "completions.create" in cell.source
        sink.wait_for(lambda sink: len(sink.spans("chat gpt-4o-mini")) == calls, timeout=5.0)

    run_cells(notebook(), arrived)
    assert calls == 2


@pytest.mark.process
def test_the_test_in_the_readme_passes(tmp_path: Path) -> None:
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    (code,) = [
        code for code in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "def test_" in code
    ]
    (tmp_path / "test_readme.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_readme.py"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
