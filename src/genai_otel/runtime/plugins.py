"""Specs of clients that other packages bring: entry points of the group ``genai_otel_client``.

Each names a :class:`genai_otel.spec.ClientSpec`.  Loading one imports the module that the spec stands in, which should
import ``genai_otel.spec`` and nothing of the client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from opentelemetry.util._importlib_metadata import (
    entry_points,  # pyright: ignore[reportUnknownVariableType] - cached by the API, without types
)

if TYPE_CHECKING:
    from genai_otel.spec import ClientSpec

GROUP: Final = "genai_otel_client"


def specs(problem: Callable[[str], None]) -> Iterator[ClientSpec]:
    """Every spec that an installed package offers; ``problem`` is told of those that cannot be had."""
    for entry in entry_points(group=GROUP):
        from genai_otel.spec import ClientSpec

        try:
            spec = entry.load()
        except Exception as error:  # noqa: BLE001 - a foreign package
            problem(
                f"the client {entry.name!r} is not traced: {entry.value} fails with {type(error).__name__}: {error}"
            )
            continue
        if isinstance(spec, ClientSpec):
            yield spec
        else:
            problem(f"the client {entry.name!r} is not traced: {entry.value} is no genai_otel.ClientSpec")
