"""Tables: headings with their meaning, figures to the right, a bar where a share helps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from genai_otel.report.html import Child, Html, tag

MOST_ROWS: Final = 50


class Column(NamedTuple):
    """A heading, what it means, and whether figures stand below it."""

    title: str
    meaning: str = ""
    is_figure: bool = True


class Cell(NamedTuple):
    """What is shown, the exact value for programs, a second line, and the share that a bar shows."""

    shown: Child
    value: float | None = None
    under: Child = None
    share: float | None = None


def table(name: str, caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell | str]]) -> Html:
    """A table that can be scrolled by keyboard where the screen is narrow.  Its first column names the row."""
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", [_heading(column) for column in columns])),
            tag("tbody", [_row(columns, row) for row in rows]),
            data_table=name,
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def _heading(column: Column) -> Html:
    return tag(
        "th",
        column.title,
        scope="col",
        title=column.meaning or None,
        class_="figure" if column.is_figure else None,
    )


def _row(columns: Sequence[Column], row: Sequence[Cell | str]) -> Html:
    cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
    return tag(
        "tr",
        [
            _cell("th" if place == 0 else "td", column, cell)
            for place, (column, cell) in enumerate(zip(columns, cells, strict=True))
        ],
    )


def _cell(kind: str, column: Column, cell: Cell) -> Html:
    return tag(
        kind,
        cell.shown,
        tag("small", cell.under) if cell.under else None,
        _share(cell.share) if cell.share else None,
        scope="row" if kind == "th" else None,
        class_="figure" if column.is_figure else None,
        data_value=None if cell.value is None else repr(cell.value),
    )


def _share(share: float) -> Html:
    """A bar below a figure, full from one on."""
    return tag("span", class_="share over" if share > 1 else "share", style=f"width:{min(share, 1):.1%}")
