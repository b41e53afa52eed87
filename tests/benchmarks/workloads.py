"""The calls that are measured: the real OpenAI client over an in-process transport (no socket, no server).

Every answer has its own response id, as in real life, so that a cache keyed by id would show as growth.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import functools
import importlib
import itertools
import json
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

MODEL = "gpt-4o-mini"
PROMPT = [
    {"role": "system", "content": "You answer in one sentence."},
    {"role": "user", "content": "Which three colours are primary?"},
]
LONG_PROMPT = [
    PROMPT[0],
    {"role": "user", "content": ('She said "again" and began once more.\n' * 1300)[:50_000]},
]

Run = Callable[[int], None]
"""Performs that many calls (or whole streams)."""

JSON_HEADERS = {"content-type": "application/json", "x-request-id": "req_0001"}
SSE_HEADERS = {"content-type": "text/event-stream", "x-request-id": "req_0001"}
ID = b"ID-0000000"


def chat_answer() -> dict[str, Any]:
    message = {"role": "assistant", "content": "Red, yellow and blue.", "refusal": None}
    return {
        "id": f"chatcmpl-{ID.decode()}",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {
            "prompt_tokens": 21,
            "completion_tokens": 7,
            "total_tokens": 28,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_0001",
    }


def chat_events(chunks: int) -> list[bytes]:
    """``chunks`` chunks with text, the last of them with the finish reason, then usage, one body part per event."""
    head = {
        "id": f"chatcmpl-{ID.decode()}",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_0001",
    }
    deltas = [
        {"role": "assistant", "content": ""},
        *({"content": f" word{i}"} for i in range(chunks - 2)),
        {},
    ]
    events: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]
    usage = {"prompt_tokens": 21, "completion_tokens": chunks, "total_tokens": 21 + chunks}
    events.append({**head, "choices": [], "usage": usage})
    return [b"data: %s\n\n" % json.dumps(event).encode() for event in events] + [b"data: [DONE]\n\n"]


def response_answer() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "output_text", "text": "Red, yellow and blue.", "annotations": []}
    return {
        "id": f"resp_{ID.decode()}",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": "gpt-4o-mini-2024-07-18",
        "output": [
            {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
        ],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 21,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 28,
        },
    }


def embedding_answer() -> dict[str, Any]:
    vector = struct.pack("<256f", *(i / 256 for i in range(256)))
    return {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": base64.b64encode(vector).decode()}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
    }


def client(body: bytes | list[bytes], *, asynchronous: bool = False) -> Any:
    """An OpenAI client whose transport answers everything with ``body`` (a list is sent part by part)."""
    import openai

    kind: Any = openai.DefaultAsyncHttpxClient if asynchronous else openai.DefaultHttpxClient
    # The client's own HTTP library: httpx, and httpx2 from openai 3 on.
    http: Any = importlib.import_module(kind.__mro__[1].__module__.partition(".")[0])
    numbers = itertools.count()

    async def later() -> AsyncIterator[bytes]:
        for part in body:
            assert isinstance(part, bytes)
            yield part

    def answer(_request: object) -> Any:
        if isinstance(body, bytes):
            fresh = body.replace(ID, b"ID-%07d" % next(numbers), 1)
            return http.Response(200, headers=JSON_HEADERS, content=fresh)
        return http.Response(200, headers=SSE_HEADERS, content=later() if asynchronous else iter(body))

    async def answer_later(request: object) -> Any:
        await asyncio.sleep(0)  # a real suspension, so that the calls interleave
        return answer(request)

    transport = http.MockTransport(answer_later if asynchronous else answer)
    create: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return create(
        api_key="sk-benchmark",
        base_url="https://api.openai.com/v1",
        max_retries=0,
        http_client=kind(transport=transport),
    )


@functools.cache
def event_loop() -> asyncio.AbstractEventLoop:
    """One loop for all asynchronous workloads of this process."""
    loop = asyncio.new_event_loop()

    def close() -> None:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    atexit.register(close)
    return loop


def _encode(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode()


def _repeat(create: Callable[..., object], **arguments: object) -> Run:
    def run(calls: int) -> None:
        for _ in range(calls):
            create(**arguments)

    return run


def _chat_arguments(messages: list[dict[str, str]], *, stream: bool = False) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "model": MODEL,
        "messages": messages,
        "temperature": 0.2,
        "max_tokens": 64,
    }
    if stream:
        arguments.update(stream=True, stream_options={"include_usage": True})
    return arguments


def chat() -> Run:
    return _repeat(client(_encode(chat_answer())).chat.completions.create, **_chat_arguments(PROMPT))


def chat_50k() -> Run:
    return _repeat(client(_encode(chat_answer())).chat.completions.create, **_chat_arguments(LONG_PROMPT))


def responses() -> Run:
    create = client(_encode(response_answer())).responses.create
    return _repeat(create, model=MODEL, input=PROMPT[1]["content"], temperature=0.2)


def embeddings() -> Run:
    create = client(_encode(embedding_answer())).embeddings.create
    return _repeat(create, model="text-embedding-3-small", input="a short text to embed")


def chat_async() -> Run:
    """As many calls as wanted, all of them open at the same time."""
    create = client(_encode(chat_answer()), asynchronous=True).chat.completions.create
    loop = event_loop()

    async def together(calls: int) -> None:
        await asyncio.gather(*[create(**_chat_arguments(PROMPT)) for _ in range(calls)])

    return lambda calls: loop.run_until_complete(together(calls))


def stream(chunks: int) -> Callable[[], Run]:
    def make() -> Run:
        create = client(chat_events(chunks)).chat.completions.create
        arguments = _chat_arguments(PROMPT, stream=True)

        def run(calls: int) -> None:
            for _ in range(calls):
                seen = sum(1 for _ in create(**arguments))
                assert seen == chunks + 1, seen

        return run

    return make


def stream_async(chunks: int) -> Callable[[], Run]:
    def make() -> Run:
        create = client(chat_events(chunks), asynchronous=True).chat.completions.create
        arguments = _chat_arguments(PROMPT, stream=True)
        loop = event_loop()

        async def read(calls: int) -> None:
            for _ in range(calls):
                seen = 0
                async for _chunk in await create(**arguments):
                    seen += 1
                assert seen == chunks + 1, seen
                await asyncio.sleep(0)  # the client's own generators are closed by a task of the loop

        return lambda calls: loop.run_until_complete(read(calls))

    return make


def abandoned() -> Run:
    """Streams of which one chunk is read and which are then dropped."""
    create = client(chat_events(20)).chat.completions.create
    arguments = _chat_arguments(PROMPT, stream=True)

    def run(calls: int) -> None:
        for _ in range(calls):
            opened: Iterator[object] = iter(create(**arguments))
            next(opened)

    return run


class Workload(NamedTuple):
    """``make`` builds a client and returns what calls it; a timed block is ``block`` calls, a turn ``pairs`` pairs."""

    make: Callable[[], Run]
    block: int
    pairs: int


WORKLOADS = {
    "chat": Workload(chat, 5, 8),
    "chat_async": Workload(chat_async, 100, 2),
    "stream20": Workload(stream(20), 2, 5),
    "stream60": Workload(stream(60), 1, 4),
    "stream200": Workload(stream(200), 1, 4),
    "stream20_async": Workload(stream_async(20), 2, 4),
    "stream60_async": Workload(stream_async(60), 1, 4),
    "stream200_async": Workload(stream_async(200), 1, 3),
    "responses": Workload(responses, 5, 6),
    "embeddings": Workload(embeddings, 5, 6),
    "chat_50k": Workload(chat_50k, 5, 6),
}
