"""A web app that streams a model's answer: `uvicorn --app-dir examples/fastapi app:app`, then

    curl -N "localhost:8000/ask?question=why"

Each request is one trace: the server span, the call below it, the HTTP request below that.  With OPENAI_API_KEY
set it talks to OpenAI; without it, to a model server on this machine.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import genai_otel

genai_otel.setup()  # before the app is made: its requests are traced from the first one on

from fastapi import FastAPI, Request  # noqa: E402 - see above
from fastapi.responses import StreamingResponse  # noqa: E402 - see above
from openai import AsyncOpenAI  # noqa: E402 - see above

from genai_otel.testing import ModelServer  # noqa: E402 - see above

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        if os.environ.get("OPENAI_API_KEY"):
            client = AsyncOpenAI()
        else:
            server = stack.enter_context(ModelServer())
            client = AsyncOpenAI(base_url=server.base_url, api_key="none needed")
        app.state.client = await stack.enter_async_context(client)
        yield


app = FastAPI(lifespan=lifespan)


async def words(client: AsyncOpenAI, question: str) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": question}], stream=True
    )
    async for chunk in stream:
        for choice in chunk.choices:
            if choice.delta.content:
                yield choice.delta.content


@app.get("/ask")
async def ask(request: Request, question: str) -> StreamingResponse:
    return StreamingResponse(words(request.app.state.client, question), media_type="text/plain")
