"""The app of the demo: FastAPI and the OpenAI client as anybody would write them, without a line about telemetry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from openai import AsyncOpenAI, RateLimitError

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam

# The local model server reads from a model's name how to behave: slowly, with an error.
MODEL = "gpt-4o-mini"
SLOW = "gpt-4o-mini+slow-first-150ms+slow-chunk-40ms"
BUSY = "gpt-4o-mini+error-429"

TOOLS: list[ChatCompletionToolUnionParam] = [
    {
        "type": "function",
        "function": {
            "name": "opening_hours",
            "description": "When the shop is open on a day of the week",
            "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
        },
    }
]


def application(base_url: str) -> FastAPI:
    """The app, with a client that talks to ``base_url``."""
    app = FastAPI()
    client = AsyncOpenAI(base_url=base_url, api_key="none needed", max_retries=0, timeout=10)

    @app.get("/chat")
    async def chat(question: str) -> str:  # pyright: ignore[reportUnusedFunction] - the decorator uses it
        answer = await client.chat.completions.create(model=MODEL, messages=[_user(question)])
        return answer.choices[0].message.content or ""

    @app.get("/stream")
    async def stream(question: str) -> StreamingResponse:  # pyright: ignore[reportUnusedFunction] - as above
        return StreamingResponse(_words(client, question), media_type="text/plain")

    @app.get("/agent")
    async def agent(task: str) -> str:  # pyright: ignore[reportUnusedFunction] - as above
        return await _work(client, task)

    @app.get("/search")
    async def search(text: str) -> int:  # pyright: ignore[reportUnusedFunction] - as above
        found = await client.embeddings.create(model="text-embedding-3-small", input=text)
        return len(found.data[0].embedding)

    @app.get("/busy")
    async def busy() -> JSONResponse:  # pyright: ignore[reportUnusedFunction] - as above
        try:
            await client.chat.completions.create(model=BUSY, messages=[_user("hello")])
        except RateLimitError:
            return JSONResponse("the model is busy, please try again", status_code=503)
        return JSONResponse("the model had time")

    return app


async def _words(client: AsyncOpenAI, question: str) -> AsyncIterator[str]:
    chunks = await client.chat.completions.create(
        model=SLOW, messages=[_user(question)], stream=True, stream_options={"include_usage": True}
    )
    async for chunk in chunks:
        for choice in chunk.choices:
            yield choice.delta.content or ""


async def _work(client: AsyncOpenAI, task: str) -> str:
    """Let the model call tools until it answers."""
    messages = [_user(task)]
    for _ in range(5):
        answer = await client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(cast("ChatCompletionMessageParam", message.model_dump(exclude_none=True)))
        messages.extend(_tool(call.id, "9 to 5") for call in message.tool_calls)
    return "the task is not done after five rounds"


def _user(text: str) -> ChatCompletionMessageParam:
    return {"role": "user", "content": text}


def _tool(call_id: str, result: str) -> ChatCompletionMessageParam:
    return {"role": "tool", "tool_call_id": call_id, "content": result}
