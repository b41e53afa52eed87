"""Older clients are asked for what they have."""

from __future__ import annotations

import inspect
from operator import attrgetter
from typing import Any

import openai
import pytest


def needs(client: Any, path: str, *arguments: str) -> None:
    """Skip with a client that is older than what the test is about."""
    try:
        known = inspect.signature(attrgetter(path)(client)).parameters
    except AttributeError:
        known = {}
    if not known or not known.keys() >= set(arguments):
        pytest.skip(f"openai {openai.__version__} has no {path} with {arguments}")
