"""A small agent with tools, traced: `python examples/agent/agent.py`.

With OPENAI_API_KEY set it talks to OpenAI; without it, to a model server on this machine.  With
OTEL_EXPORTER_OTLP_ENDPOINT set the telemetry goes there; without it, to this terminal.
"""

import json
import os
from contextlib import ExitStack
from typing import Any

from openai import OpenAI

import genai_otel
from genai_otel.testing import ModelServer

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
ROUNDS = 4
NOTES = {"rome": "The summers are hot.", "oslo": "The winters are long."}


@genai_otel.cache("notes")
def remembered(city: str) -> str | None:
    return NOTES.get(city.lower())


@genai_otel.tool
def weather(city: str) -> str:
    return f"18 degrees and sunny. {remembered(city) or ''}"


TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


@genai_otel.agent("packing")
def pack(client: OpenAI, city: str) -> str:
    """Ask the model, run the tools that it asks for, and again, until it has an answer."""
    messages: list[Any] = [{"role": "user", "content": f"What do I pack for {city}?"}]
    for number in range(1, ROUNDS + 1):
        with genai_otel.iteration(number):
            answer = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
            message: Any = answer.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message)
            for call in message.tool_calls:
                with genai_otel.parsing("json"):
                    arguments = json.loads(call.function.arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": weather(**arguments)})
    return "The model had no answer."


@genai_otel.workflow("trip")
def main() -> None:
    with ExitStack() as stack:
        if os.environ.get("OPENAI_API_KEY"):
            client = stack.enter_context(OpenAI())
        else:
            server = stack.enter_context(ModelServer())
            client = stack.enter_context(OpenAI(base_url=server.base_url, api_key="none needed"))
        print(pack(client, "Rome"))
        genai_otel.event("trip.planned", city="Rome")


if __name__ == "__main__":
    genai_otel.setup()
    main()
