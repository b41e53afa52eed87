"""What the tests ask of models, and how they read streams that may break."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Any

HELLO: Any = [{"role": "user", "content": "say hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
        },
    },
}
"""A tool as chat completions want it."""
WEATHER_FLAT: Any = {"type": "function", **WEATHER["function"], "strict": False}
"""The same tool as the Responses API wants it."""


def chat(client: Any, model: str = "gpt-4o-mini", **extra: Any) -> Any:
    """One chat completion; `messages` may be among the extra arguments."""
    return client.chat.completions.create(model=model, messages=extra.pop("messages", HELLO), **extra)


def read(stream: Iterable[Any]) -> tuple[list[Any], Exception | None]:
    """What a stream gave, and what it raised at the end, if anything."""
    seen: list[Any] = []
    try:
        for element in stream:
            seen.append(element)  # noqa: PERF402 - what came before the error counts
    except Exception as error:  # noqa: BLE001 - it is handed back
        return seen, error
    return seen, None


async def read_async(stream: AsyncIterable[Any]) -> tuple[list[Any], Exception | None]:
    """`read` for asynchronous streams; cancellation passes."""
    seen: list[Any] = []
    try:
        async for element in stream:
            seen.append(element)
    except Exception as error:  # noqa: BLE001 - it is handed back
        return seen, error
    return seen, None
