"""Harmless values: whatever a program or a model hands over, what comes out can be exported.

Nothing here runs code of the value: no ``str()``, ``repr()``, property, comparison or iterator of an unknown object.
Types are taken from ``type()``, never from ``__class__``, which proxies and mocks answer as they like.
"""

from __future__ import annotations

from genai_otel.safe.copying import cut, json_text, plain
from genai_otel.safe.json_object import json_object
from genai_otel.safe.secrets import REDACTED, is_secret_name, scrub
from genai_otel.safe.values import Attribute, attribute, clean, label, utf8

__all__ = [
    "REDACTED",
    "Attribute",
    "attribute",
    "clean",
    "cut",
    "is_secret_name",
    "json_object",
    "json_text",
    "label",
    "plain",
    "scrub",
    "utf8",
]
