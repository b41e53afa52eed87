"""Where documents come from: files of JSON lines, gzipped or not, folders of them, standard input.

A line that is no JSON object is counted and named, and the rest goes on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from gzip import GzipFile
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple, cast

from genai_otel.report.problem import Problem

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz")
_MOST_NAMED = 20
_MOST_INDENTED = 1 << 28  # bytes of a document that goes over many lines, and is read at once

Document = dict[str, Any]


class Refused(NamedTuple):
    """A line that is no document."""

    name: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}: {self.reason}"


@dataclass
class Reading:
    """How far reading is, and what could not be read.

    :ivar total: bytes of all files, None where nobody knows (standard input, a server).
    :ivar done: bytes read so far.
    :ivar named: the first of the lines that are no document.
    """

    names: list[str] = field(default_factory=list[str])
    total: int | None = 0
    done: int = 0
    lines: int = 0
    malformed: int = 0
    named: list[Refused] = field(default_factory=list[Refused])

    def refuse(self, name: str, line: int, reason: str) -> None:
        """Count a line that could not be read."""
        self.malformed += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append(Refused(name, line, reason))


def files(names: Sequence[str]) -> list[Path | None]:
    """The files that are named, those of a folder by name; None is standard input."""
    found: list[Path | None] = []
    for name in names:
        path = Path(name)
        if name == "-":
            found.append(None)
        elif path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES and each.is_file())
            if not inside:
                raise Problem(f"the folder {name} has no file that ends in {', '.join(_SUFFIXES)}")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise Problem(f"there is no file {name}")
    return found


def documents(paths: Sequence[Path | None], reading: Reading) -> Iterator[tuple[str, int, Document]]:
    """Every document with the name of its file and its line."""
    sizes = [path.stat().st_size for path in paths if path is not None]
    reading.total = sum(sizes) if len(sizes) == len(paths) else None
    for path in paths:
        name = "standard input" if path is None else str(path)
        reading.names.append(name)
        try:
            if path is None:
                yield from _of_file(name, BufferedReader(cast("Any", sys.stdin.buffer)), reading)
            else:
                before = reading.done
                with path.open("rb") as file:
                    for found in _of_file(name, file, reading):
                        reading.done = before + file.tell()
                        yield found
        except (OSError, EOFError) as error:  # a gzipped file that was cut ends so
            raise Problem(f"cannot read {name}: {error}") from error


def _of_file(name: str, file: BufferedReader, reading: Reading) -> Iterator[tuple[str, int, Document]]:
    begin: bytes = file.peek(8)[:8]
    if _ZSTD in begin:  # the Collector writes four bytes of length before
        raise Problem(f"{name} is compressed with zstd: write it without `compression`, or gzip it")
    with GzipFile(fileobj=file) if begin.startswith(_GZIP) else file as lines:
        for number, line in _lines(lines):
            if not line.strip():
                continue
            reading.lines += 1
            try:
                document = json.loads(line)
            except (ValueError, RecursionError) as error:
                reading.refuse(name, number, f"no JSON: {error}")
                continue
            for each in cast("list[Any]", document) if isinstance(document, list) else [document]:
                if isinstance(each, dict):
                    yield name, number, cast("Document", each)
                else:
                    reading.refuse(name, number, "no JSON object")


def _lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; a document that is indented is one, from its first line on."""
    numbered = enumerate(lines, 1)
    for number, line in numbered:
        if number == 1 and line.strip() in (b"{", b"["):
            rest = [line]
            size = 0
            for _, each in numbered:
                rest.append(each)
                size += len(each)
                if size > _MOST_INDENTED:
                    raise Problem("a document over many lines is too long to be read: write one per line")
            yield number, b"".join(rest)
        else:
            yield number, line
