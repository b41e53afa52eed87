"""What parts of the page are put into."""

from __future__ import annotations

from genai_otel.report import words
from genai_otel.report.html import Child, Html, tag
from genai_otel.report.tables import MOST_ROWS


def section(name: str, title: str, *children: Child, about: str = "") -> Html:
    """A part of the page with its heading, and what is to be known of it."""
    return tag(
        "section",
        tag("h2", title),
        tag("p", about, class_="about") if about else None,
        *children,
        id=name,
        aria_label=title,
    )


def card(title: str, drawn: Html, *legend: tuple[str, str]) -> Html:
    """A chart with its title and what its colours mean."""
    keys = [tag("span", tag("i", class_=colour), name) for colour, name in legend]
    return tag(
        "figure", tag("figcaption", tag("b", title), tag("span", keys, class_="legend")), drawn, class_="card"
    )


def beyond(rows: int, calls: int = 0) -> Html | None:
    """Says what does not stand in a table: rows, and ``calls`` that got no row."""
    if rows <= MOST_ROWS:
        return None
    unnamed = f", and {words.counted(calls, 'call')} of still others" if calls else ""
    return tag("p", f"and {words.number(rows - MOST_ROWS)} more{unnamed}", class_="note")
