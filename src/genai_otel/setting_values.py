"""Readers of settings: a text of a variable, or an argument, in; a typed value out, or one clear error."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final, cast

Names = tuple[str, ...]


class SettingError(ValueError):
    """A setting has a value that it cannot have; the text names the setting, the value and what is allowed."""


_short = reprlib.Repr()  # also of objects whose own text raises
_short.maxstring = _short.maxother = 200
shown: Final = _short.repr
"""A value as an error names it: its text, bounded."""


def one_of(*allowed: str, **aliases: str) -> Callable[[str, Any], str]:
    """One of some words, in any case; an alias stands for one of them."""

    def read(name: str, value: Any) -> str:
        text = str(value).strip() if isinstance(value, str) else shown(value)
        for option in allowed:
            if text.lower() == option.lower():
                return option
        if text.lower() in aliases:
            return aliases[text.lower()]
        raise SettingError(f"{name} is {shown(text)}; allowed are {', '.join(allowed)}")

    return read


def number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str, Any], Any]:
    """A number in a range."""

    def read(name: str, value: Any) -> Any:
        try:
            found = None if isinstance(value, bool) else kind(value)
        except (TypeError, ValueError, OverflowError):
            found = None
        if found is None or not low <= found <= high:
            raise SettingError(f"{name} is {shown(value)}; allowed is {_A[kind]} from {low:g} to {high:g}")
        return found

    return read


_A: Final = {int: "a whole number", float: "a number"}
_TRUTH: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def switch(name: str, value: Any) -> bool:
    """True or false, in the words that people use for them."""
    if isinstance(value, bool):
        return value
    found = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise SettingError(f"{name} is {shown(value)}; allowed are true and false")
    return found


def names(name: str, value: Any) -> Names:
    """A list of names, or a text with commas between them."""
    parts: list[Any] = value.split(",") if isinstance(value, str) else _listed(value)
    if not all(isinstance(part, str) for part in parts):
        raise SettingError(
            f"{name} is {shown(value)}; allowed is a list of names, or one text with commas between them"
        )
    return tuple(part.strip() for part in parts if part.strip())


def names_of(*allowed: str) -> Callable[[str, Any], Names]:
    """Some of the names that there are."""

    def read(name: str, value: Any) -> Names:
        found = names(name, value)
        if not set(found) <= set(allowed):
            raise SettingError(f"{name} is {shown(value)}; allowed are {', '.join(allowed)}")
        return found

    return read


def label_keys(name: str, value: Any) -> Names:
    """Names of what may be a label of a metric: never what names a user."""
    found = names(name, value)
    personal = [key for key in found if key.split(".")[0].lower() in ("user", "enduser")]
    if personal:
        raise SettingError(
            f"{name} is {shown(value)}; {', '.join(personal)} cannot be a label of a metric: users are on spans only"
        )
    return found


def secret_keys(name: str, value: Any) -> Names:
    """Secrets, of which no error shows any."""
    try:
        return names(name, value)
    except SettingError:  # which would show them
        raise SettingError(f"{name} is not a text; several keys have commas between them") from None


def secret(name: str, value: Any) -> str:
    """A text that no error shows."""
    if not isinstance(value, str):
        raise SettingError(f"{name} is of type {type(value).__name__}; allowed is a text")
    return value


def _listed(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def prices(name: str, value: Any) -> Any:
    """Prices of the user's own, from a file or a mapping."""
    from genai_otel.prices.own import PriceError, read

    if not isinstance(value, (str, PurePath, Mapping)):
        raise SettingError(f"{name} is {shown(value)}; allowed are the path of a file and a mapping")
    try:
        return read(value)  # type: ignore[arg-type] # a path of any kind
    except PriceError as error:
        raise SettingError(f"{name}: {error}") from None


def budget(name: str, value: Any) -> Any:
    """What may be spent."""
    from genai_otel.prices.budget import BudgetError, read

    try:
        return read(value)
    except BudgetError as error:
        raise SettingError(f"{name} {error}") from None
