"""Reads a message that is a JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

_decoder: Any = json.JSONDecoder()
# As json.loads does it, without its looks at what kind of text it has: this is done for every message.
_scan: Final[Callable[[str, int], tuple[Any, int]]] = _decoder.scan_once


def json_object(message: Any) -> dict[str, Any] | None:
    """The object that a text, or bytes of one, is; None where it is of another kind, or the vendor's mistake."""
    try:
        text = message if message.__class__ is str else message.decode()
        said, _ = _scan(text, 0)
    except StopIteration:  # no value begins there
        inside = message.strip()
        return json_object(inside) if len(inside) < len(message) else None
    except (AttributeError, ValueError, RecursionError):
        return None
    return said if said.__class__ is dict else None
