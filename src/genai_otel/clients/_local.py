"""Models that run in the program's own process: what they are called."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

_CACHED: Final = "models--"


def model_name(name: Any) -> str | None:
    """The name of a model that is known by where it lies: of a path the last part, which is the same on every machine.

    ``organisation/model`` is a name and stays; where a hub's cache is named, it is the name there.
    """
    return _named(name) if isinstance(name, str) else None


@lru_cache(maxsize=64)
def _named(name: str) -> str | None:
    parts = name.replace("\\", "/").rstrip("/").split("/")
    cached = next((part for part in parts if part.startswith(_CACHED)), None)
    if cached is not None:
        return cached.removeprefix(_CACHED).replace("--", "/")
    if len(parts) > 2 or parts[0] in ("", ".", "..", "~") or parts[0].endswith(":"):
        return parts[-1] or None
    return name or None
