"""Tracing that a client does itself: switched off where we trace the client, or where nobody shall.

Clients read their switch when they are imported or made, so it is set before that: in the environment, where the user
has said nothing there.  What a program says to one client of its own is left to it; such a call has two spans, and the
pipeline counts one of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING

from genai_otel import fence

if TYPE_CHECKING:
    from genai_otel.spec import ClientSpec, Mode

_set: dict[str, str] = {}


def settle(spec: ClientSpec, mode: Mode) -> Mode:
    """The mode that a client can have; where it is not to trace itself, it is told so."""
    if mode == "native":
        if spec.native is not None and _able(spec.native.requires):
            _say(spec.native.wanted)
            return "native"
        fence.warn(f"{spec.name} is traced by us: it does not trace itself{_since(spec)}")
        mode = "wrap"
    if spec.native is not None:
        _say(spec.native.off)
    return mode


def _say(variables: Mapping[str, str]) -> None:
    for variable, value in variables.items():
        if variable not in os.environ:
            os.environ[variable] = _set[variable] = value


def restore() -> None:
    """Take back what was said to clients."""
    for variable, value in _set.items():
        if os.environ.get(variable) == value:
            del os.environ[variable]
    _set.clear()


def _since(spec: ClientSpec) -> str:
    return "" if spec.native is None else f" in this version, as it does with {spec.native.requires}"


def _able(requires: str) -> bool:
    """Whether a version is installed that traces itself."""
    name, _, floor = requires.partition(">=")
    try:
        installed = metadata.version(name.strip())
    except metadata.PackageNotFoundError:
        return True  # nobody will ask it
    return release(installed) >= release(floor)


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version; a pre-release counts as its release."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
