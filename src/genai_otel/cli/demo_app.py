"""The app of the demo: FastAPI and the OpenAI client as anybody would write them.

What is asked of us: which functions are an agent and its tool, and ratings.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from openai import AsyncOpenAI, RateLimitError

import genai_otel
from genai_otel.quality.feedbacks import feedback

if TYPE_CHECKING:
    from openai.types.chat import (
        ChatCompletionMessageParam,
        ChatCompletionMessageToolCallUnion,
        ChatCompletionToolUnionParam,
    )

MODEL = "gpt-4o-mini"
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

router = APIRouter()
_log = logging.getLogger("shop")


def application(base_url: str) -> FastAPI:
    """The app, with a client that talks to ``base_url``."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncOpenAI(base_url=base_url, api_key="none needed", max_retries=0, timeout=10) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    app.add_exception_handler(RateLimitError, _busy)
    return app


def _client(request: Request) -> AsyncOpenAI:
    return request.app.state.client


Client = Annotated[AsyncOpenAI, Depends(_client)]


@router.get("/chat")
async def chat(client: Client, question: str) -> str:
    answer = await client.chat.completions.create(model=MODEL, messages=[_user(question)])
    return answer.choices[0].message.content or ""


@router.get("/")
def page() -> FileResponse:
    """A question, its answer, and five buttons that rate it."""
    return FileResponse(Path(__file__).with_name("demo_page.html"))


@router.get("/answer")
async def answer(client: Client, question: str) -> dict[str, str]:
    """An answer with the reference by which the page's user rates it."""
    text = await chat(client, question)
    return {"text": text, "ref": genai_otel.response_ref()}


@router.post("/feedback")
def rate(payload: dict[str, Any]) -> Response:
    return Response(status_code=feedback(payload))


@router.get("/stream")
async def stream(client: Client, question: str) -> StreamingResponse:
    return StreamingResponse(_words(client, question), media_type="text/plain")


@router.get("/agent")
async def agent(client: Client, task: str) -> str:
    """What an agent with a tool says to a task."""
    return await assistant(client, task)


@genai_otel.agent("shop assistant")
async def assistant(client: AsyncOpenAI, task: str) -> str:
    """Let the model call tools until it answers."""
    messages = [_user(task)]
    for _ in range(5):
        answer = await client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        if not message.tool_calls:
            return message.content or ""
        messages.append(cast("ChatCompletionMessageParam", message.model_dump(exclude_none=True)))
        messages.extend(_called(call) for call in message.tool_calls)
    return "the task is not done after five rounds"


@genai_otel.tool
def opening_hours(day: str) -> str:
    """When the shop is open on a day of the week."""
    return "closed" if day == "Sunday" else "9 to 5"


@router.get("/search")
async def search(client: Client, text: str) -> int:
    found = await client.embeddings.create(model="text-embedding-3-small", input=text)
    return len(found.data[0].embedding)


async def _words(client: AsyncOpenAI, question: str) -> AsyncIterator[str]:
    chunks = await client.chat.completions.create(
        model=MODEL, messages=[_user(question)], stream=True, stream_options={"include_usage": True}
    )
    async for chunk in chunks:
        for choice in chunk.choices:
            yield choice.delta.content or ""


async def _busy(request: Request, error: Exception) -> JSONResponse:
    _log.warning("%s found the model too busy: %s", request.url.path, error)
    return JSONResponse("the model is busy, please try again", status_code=503)


def _user(text: str) -> ChatCompletionMessageParam:
    return {"role": "user", "content": text}


def _called(call: ChatCompletionMessageToolCallUnion) -> ChatCompletionMessageParam:
    arguments: dict[str, str] = json.loads(call.function.arguments) if call.type == "function" else {}
    return {"role": "tool", "tool_call_id": call.id, "content": opening_hours(**arguments)}
