"""Markup in which every text is escaped, because nothing gets in except through :func:`tag`."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final, Union

from genai_otel.console.terminal import clean

_VOID: Final = frozenset({"br", "meta"})
_LONGEST: Final = 240


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = Union[str, int, float, None, "Iterable[Child]"]


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """An element.  Texts become one line without control characters, escaped.

    ``class_`` is the attribute ``class``, ``data_value`` is ``data-value``; None and False leave one out.
    """
    given = "".join(
        _attribute(key, value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{given}>" + ("" if name in _VOID else f"{join(*children)}</{name}>"))


def join(*children: Child) -> Html:
    """Markup of several parts, one after the other."""
    return Html("".join(_child(child) for child in children))


def chips(texts: Iterable[str]) -> Html:
    """Short texts beside each other."""
    return Html(" ".join(tag("span", text, class_="chip") for text in texts))


def block(text: str) -> Html:
    """A text that keeps its lines."""
    lines = (
        "".join(each if each.isprintable() or each == "\t" else "?" for each in line)
        for line in text.splitlines()
    )
    return Html(escape("\n".join(lines)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, (str, int, float)):
        return escape(clean(str(child), _LONGEST))
    return "".join(_child(each) for each in child)


def _attribute(name: str, value: str | float | bool) -> str:
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(clean(str(value), 1000))}"'
