"""Documents as the Collector's file exporter writes them, and what a page says when it is read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

from genai_otel.cli import main

EPOCH = 1_800_000_000  # 2027-01-15 08:00:00 UTC
SECOND = 1_000_000_000
_ids = itertools.count(1)

Json = dict[str, Any]


def value(given: object) -> Json:
    if isinstance(given, bool):
        return {"boolValue": given}
    if isinstance(given, int):
        return {"intValue": str(given)}
    if isinstance(given, float):
        return {"doubleValue": given}
    if isinstance(given, tuple):
        return {"arrayValue": {"values": [value(each) for each in cast("tuple[object, ...]", given)]}}
    return {"stringValue": str(given)}


def pairs(attributes: Mapping[str, object]) -> list[Json]:
    return [{"key": key, "value": value(each)} for key, each in attributes.items()]


def span(
    name: str,
    at: float,
    seconds: float,
    attributes: Mapping[str, object] | None = None,
    *,
    parent: Json | None = None,
    trace: int = 1,
    **fields: Any,
) -> Json:
    """A span that starts ``at`` seconds after the epoch of these tests."""
    return {
        "traceId": parent["traceId"] if parent else f"{trace:032x}",
        "spanId": f"{next(_ids):016x}",
        "parentSpanId": parent["spanId"] if parent else "",
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(round((EPOCH + at) * SECOND)),
        "endTimeUnixNano": str(round((EPOCH + at + seconds) * SECOND)),
        "attributes": pairs(attributes or {}),
        "status": {},
        **fields,
    }


def chat(
    at: float,
    seconds: float,
    said: Mapping[str, object] | None = None,
    *,
    parent: Json | None = None,
    trace: int = 1,
) -> Json:
    """A call of ours, with further attributes; one that is None is not said."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "genai_otel.outcome": "completed",
        "genai_otel.measured": True,
        **(said or {}),
    }
    failed = attributes["genai_otel.outcome"] in ("failed", "cut")
    status = {"code": 2, "message": "the words of an exception"} if failed else {}
    kept = {name: each for name, each in attributes.items() if each is not None}
    return span("chat gpt-4o", at, seconds, kept, parent=parent, trace=trace, status=status)


def request(spans: Sequence[Json], *, scope: str = "genai_otel", service: str = "shop") -> Json:
    """An export request."""
    resource = {"attributes": pairs({"service.name": service})}
    scoped = {"scope": {"name": scope, "version": "1"}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scoped]}]}


def write(path: Path, *documents: object) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in documents), encoding="utf-8")
    return path


class Page(HTMLParser):
    """What a page says: its figures by name, its tables by name, all of its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.figures: dict[str, float | None] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.exact: dict[str, list[list[float | None]]] = {}
        self.tags: list[str] = []
        self.text = ""
        self._table = ""
        self._skips = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self._skips = tag == "style"
        number = None if given.get("data-value") is None else float(given["data-value"] or "")
        if (name := given.get("data-figure")) is not None:
            self.figures[name] = number
        if tag == "table":
            self._table = given["data-table"] or ""
            self.tables[self._table], self.exact[self._table] = [], []
        elif tag == "tr":
            self.tables[self._table].append([])
            self.exact[self._table].append([])
        elif tag in ("th", "td"):
            self.tables[self._table][-1].append("")
            self.exact[self._table][-1].append(number)
        elif tag == "small" and self._table:
            self.tables[self._table][-1][-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        self._skips = False
        if tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        if self._skips:
            return
        self.text += data
        rows = self.tables.get(self._table)
        if rows and rows[-1]:
            rows[-1][-1] += data

    def row(self, table: str, first: str) -> dict[str, str]:
        """The row that begins with a text, by the headings."""
        heading, *rows = self.tables[table]
        (found,) = [row for row in rows if row[0].partition(" | ")[0] == first]
        return dict(zip(heading, found, strict=True))

    def numbers(self, table: str, first: str) -> dict[str, float | None]:
        """The same, the exact values."""
        heading, *rows = self.tables[table]
        (place,) = [at for at, row in enumerate(rows, 1) if row[0].partition(" | ")[0] == first]
        return dict(zip(heading, self.exact[table][place], strict=True))


def page_of(source: Path, *options: str) -> Page:
    """The page of a file; the command must succeed."""
    output = source.parent / "page.html"
    assert main(["report", str(source), "-o", str(output), *options]) == 0
    return Page(output.read_text(encoding="utf-8"))
