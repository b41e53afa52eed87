"""Our wrapper around a client's method."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import wrapt

from genai_otel.engine.indirect import wrapper_of
from genai_otel.engine.proxy import Proxy
from genai_otel.spec import ClientSpec, Endpoint


class Wrapped(Proxy):
    """A client's method with the engine in front; told from other people's wrappers by its class."""

    def __init__(self, original: Any, spec: ClientSpec, endpoint: Endpoint) -> None:
        on = [True]  # wrapt looks at each call whether it is true, and lets nobody set another one later
        super().__init__(original, wrapper_of(spec, endpoint), enabled=on)  # pyright: ignore[reportUnknownMemberType] - see above
        self._self_on = on

    @property
    def on(self) -> bool:
        """Whether the engine is in front."""
        return bool(self._self_on)

    def pass_through(self) -> None:
        """Take the engine out where the wrapper itself cannot be taken away."""
        self._self_on.clear()


def resolve(module: ModuleType, path: str) -> tuple[Any, str, Any] | None:
    """(parent, attribute, original) of ``path`` in ``module``, or None when it is not there."""
    try:
        return wrapt.resolve_path(module, path)
    except AttributeError:
        return None
