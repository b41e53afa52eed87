"""What can be read, what cannot, and what is said of it."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pty
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genai_otel.cli import main
from genai_otel.report.otlp import camel
from tests.report.written import chat, page_of, request, span, write


def test_a_line_that_is_none_is_named_and_the_rest_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "spans.jsonl"
    good = json.dumps(request([chat(0, 1)]))
    odd = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz", "spanId": "1"}]}]}]})
    lines = [
        good,
        '{"resourceSpans": [',
        "",
        "[1]",
        '{"cart": 3}',
        odd,
        '{"resourceMetrics": []}',
        "\x00",
        "9" * 5000,
    ]
    source.write_text("\n".join(lines), encoding="utf-8")
    page = page_of(source)
    said = capsys.readouterr().err
    assert page.figures["calls"] == 1
    assert "6 lines passed over" in page.text
    assert [line.split(":")[1] for line in said.splitlines() if line.startswith("passed over")] == list(
        "245689"
    )
    assert "spans.jsonl:2: no JSON" in page.text
    assert str(tmp_path) not in page.text  # a page is passed on


def gzipped(folder: Path, text: str) -> str:
    (folder / "spans.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return str(folder / "spans.jsonl.gz")


def rotated(folder: Path, text: str) -> str:
    """As the Collector rotates: several files, one of them compressed, and others beside them."""
    first, _, rest = text.partition("\n")
    (folder / "spans-2026-11-30T10-00-00.000.jsonl").write_text(first)
    (folder / "spans.jsonl.gz").write_bytes(gzip.compress(rest.encode()))
    (folder / "notes.txt").write_text("no spans")
    return str(folder)


def indented(folder: Path, text: str) -> str:
    documents = [json.loads(line) for line in text.splitlines()]
    (folder / "spans.json").write_text(json.dumps(documents, indent=2))
    return str(folder / "spans.json")


def snake_case(folder: Path, text: str) -> str:
    """As protobuf's printer does with `preserving_proto_field_name`."""
    names = {
        "resourceSpans",
        "scopeSpans",
        "traceId",
        "spanId",
        "parentSpanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
    }
    names |= {"stringValue", "intValue", "doubleValue", "boolValue"}
    for name in names:
        snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
        assert camel({snake: 1}) == {name: 1}
        text = text.replace(f'"{name}"', f'"{snake}"')
    (folder / "spans.jsonl").write_text(text)
    return str(folder / "spans.jsonl")


@pytest.mark.parametrize("keep", [gzipped, rotated, indented, snake_case])
def test_all_forms_say_the_same(
    tmp_path: Path, keep: Callable[[Path, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    root = span("GET /", 0, 3)
    text = "\n".join(
        json.dumps(request([each]))
        for each in (root, chat(1, 1, parent=root), chat(1, 2, {"gen_ai.usage.input_tokens": 3}))
    )
    assert main(["report", keep(tmp_path, text), "-o", str(tmp_path / "page.html")]) == 0
    assert "2 calls in 1 trace" in capsys.readouterr().err
    assert 'data-figure="input" data-value="3"' in (tmp_path / "page.html").read_text()


def test_spans_come_by_standard_input_and_the_page_leaves_by_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(request([chat(0, 1)]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["report", "-", "-o", "-"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("<!DOCTYPE html>")
    assert printed.err == ""


CUT = gzip.compress(json.dumps(request([chat(0, 1)])).encode())[:-20]
UNREADABLE = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "no GenAI": (json.dumps(request([span("GET /", 0, 1)], scope="x")).encode(), "none of the 1 spans in"),
    "no spans": (b'{"resourceMetrics": []}', "has no spans"),
    "no JSON": (b"hello\n", "has no spans: "),
    "zstd": (b"\x00\x00\x01\x00\x28\xb5\x2f\xfd....", "is compressed with zstd"),
    "cut gzip": (CUT, "cannot read"),
    "no gzip": (b"\x1f\x8bnothing", "cannot read"),
}


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_gives_no_report_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    source = tmp_path / "spans.jsonl"
    source.write_bytes(content)
    assert main(["report", str(source), "-o", str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("genai-otel report: ")
    assert reason in said
    assert str(source) in said
    assert said.count("\n") == 1
    assert not (tmp_path / "page.html").exists()


def test_files_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "none.jsonl")]) == 1
    assert "there is no file" in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 1
    assert "has no file that ends in" in capsys.readouterr().err
    source = write(tmp_path / "spans.jsonl", request([chat(0, 1)]))
    assert main(["report", str(source), "-o", str(tmp_path / "no" / "page.html")]) == 1
    assert "cannot write" in capsys.readouterr().err


def read_all(reader: int) -> str:
    """What a terminal got until its other side was closed."""
    found = b""
    with contextlib.suppress(OSError):
        while part := os.read(reader, 10_000):
            found += part
    os.close(reader)
    return found.decode()


def test_a_terminal_sees_how_far_it_is_and_is_left_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "spans.jsonl", *(request([chat(0, 1, trace=each)]) for each in (1, 2)))
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert main(["report", str(source), "-o", str(tmp_path / "page.html")]) == 0
        monkeypatch.undo()
    shown = read_all(reader)
    bar, last = shown.rstrip().rsplit("\r", 1)
    assert "%  1 spans" in bar
    assert bar.rpartition("\r")[2].strip() == ""
    assert last.startswith("2 calls")
