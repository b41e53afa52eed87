"""Which clients and cases a test runs for."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any

import pytest

from tests.contract import payloads
from tests.contract.payload import Case, Payload


def installed(name: str) -> bool:
    """Whether there is a package of that name, or one in a namespace: ``google_genai`` is ``google.genai``."""
    try:
        return bool(find_spec(name) or ("_" in name and find_spec(name.replace("_", "."))))
    except ModuleNotFoundError:  # the namespace is not there
        return False


KNOWN = [module.name for module in iter_modules(payloads.__path__) if module.name[0] != "_"]
"""A payload's file has the name of the client's package, ``_`` for ``.``."""

CHOSEN = os.environ.get("CONTRACT_CLIENTS", "").replace(",", " ").split() or list(filter(installed, KNOWN))
"""The clients that are installed, or those that the variable names: then each must be there."""

PAYLOADS: list[Payload] = [import_module(f"{payloads.__name__}.{name}").PAYLOAD for name in CHOSEN]


def cases(chosen: Callable[[Case], Any] = lambda _: True) -> pytest.MarkDecorator:
    """Run a test for every case of every client; ``chosen`` leaves some out."""
    pairs = [
        pytest.param(payload, case, id=f"{payload.client}-{case.path}")
        for payload in PAYLOADS
        for case in payload.cases
        if chosen(case)
    ]
    return pytest.mark.parametrize(("payload", "case"), pairs)


def main_cases(chosen: Callable[[Case], Any] = lambda _: True) -> pytest.MarkDecorator:
    """Run a test for the first case of every client, the one that people use; ``chosen`` leaves some out."""
    first = [pytest.param(each, each.cases[0], id=each.client) for each in PAYLOADS if chosen(each.cases[0])]
    return pytest.mark.parametrize(("payload", "case"), first)


def main_streams() -> pytest.MarkDecorator:
    """Run a test for the first case of every client where that can stream."""
    return main_cases(lambda case: case.streamed is not None)
