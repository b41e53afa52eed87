"""Spans of model calls as other libraries make them: for scripts about processes, which need no client."""

from __future__ import annotations

from opentelemetry import trace

MODEL = "gpt-4o-mini"


def model_span(name: str = f"chat {MODEL}", model: str = MODEL, **attributes: object) -> None:
    """One call that has begun and ended; further attributes with `__` for `.`."""
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 3,
        **{key.replace("__", "."): value for key, value in attributes.items()},
    }
    tracer = trace.get_tracer("their.library")
    with tracer.start_as_current_span(name, kind=trace.SpanKind.CLIENT, attributes=given):  # pyright: ignore[reportArgumentType] - tests pass nonsense too
        pass
