"""``genai-otel demo``: a small web app with the real OpenAI client against a local model, seen through genai-otel.

``setup()`` is the only line about telemetry, here and in the app.  Everything listens on loopback ports that are
free at the time, and ends by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Generator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fastapi import FastAPI

    from genai_otel.runtime import Handle

_NEEDS = ("fastapi", "openai", "uvicorn")
_WAIT = 10.0  # seconds that a start or a request may take; none needs one


class _Reply(NamedTuple):
    """What the model does next: its text, else its tool calls; how, in the words of the model server."""

    text: str | None = None
    tool_calls: Mapping[str, object] | None = None
    manner: str = ""


class _Step(NamedTuple):
    what: str
    path: str
    replies: tuple[_Reply, ...]
    read: int | None = None  # bytes to read before hanging up; None reads to the end
    rating: int | None = None  # what the reader thinks of the answer, of five


_BUDGET = "0.0001 USD/day"  # one tale takes more
_SLOWLY = "slow-first-150ms+slow-chunk-30ms"
_TALE = "Once upon a time there was a program that knew what its calls cost."
_STEPS = (
    _Step(
        "a question and its answer",
        "/chat?question=Are+you+open",
        (_Reply("Yes, until five.", manner="input-41"),),
    ),
    _Step(
        "an answer streamed to its reader",
        "/stream?question=Tell+me+a+tale",
        (_Reply(_TALE, manner=f"{_SLOWLY}+input-1220+cached-1024+output-24"),),
    ),
    _Step(
        "a reader who leaves after the first word",
        "/stream?question=Tell+me+a+tale",
        (_Reply(_TALE, manner=_SLOWLY),),
        read=4,
    ),
    _Step(
        "an agent that uses a tool",
        "/agent?task=When+are+you+open+on+Monday",
        (
            _Reply(tool_calls={"opening_hours": {"day": "Monday"}}, manner="input-96+output-18"),
            _Reply("On Monday we are open from nine to five.", manner="input-131+output-15"),
        ),
    ),
    _Step(
        "an answer, and what its reader thinks of it",
        "/answer?question=Do+you+sell+umbrellas",
        (_Reply("We do, in red and in green.", manner="input-43"),),
        rating=4,
    ),
    _Step("an embedding", "/search?text=umbrella", (_Reply(),)),
    _Step("a model that is too busy", "/chat?question=Are+you+there", (_Reply(manner="error-429"),)),
)


def run() -> int:
    """Run the demo; returns the exit code."""
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        print(f"The demo needs {', '.join(missing)}: pip install 'genai-otel[openai,web]'", file=sys.stderr)
        return 1

    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    import genai_otel
    from genai_otel.console import metrics_table

    name = os.environ.get("OTEL_SERVICE_NAME") or "genai-otel-demo"
    reader = InMemoryMetricReader()
    handle = genai_otel.setup(service_name=name, console="on", metric_readers=[reader], budget=_BUDGET)
    _say(
        "A FastAPI app, the OpenAI client and a model server on this machine, after one line:\n"
        f'genai_otel.setup(budget="{_BUDGET}")'
    )
    _say("".join(f"  {line}\n" for line in [*handle.exporters, *handle.problems]))
    _play(handle)
    _say("The metrics derived from these spans:\n")
    _say(metrics_table(reader.get_metrics_data()) or "none: this process was set up without them\n")
    handle.shutdown()
    _say(_next_step())
    return 0


def _play(handle: Handle) -> None:
    from genai_otel.cli.demo_app import application
    from genai_otel.testing import ModelServer

    with ModelServer() as model, _serving(application(model.base_url)) as port:
        for number, step in enumerate(_STEPS, 1):
            _say(f"[{number}/{len(_STEPS)}] {step.what}: GET {step.path}\n")
            for reply in step.replies:
                model.reply(reply.text, tool_calls=reply.tool_calls, directives=reply.manner)
            answer = _answer(port, step)
            time.sleep(0.1)  # the app ends its span a moment after the reader has the last byte
            handle.flush(timeout=0.2)  # a back end that is away must not slow the show down
            _say(f"The app answered {answer}\n")


@contextlib.contextmanager
def _serving(app: FastAPI) -> Generator[int]:
    """Serve an app with uvicorn in a thread; gives its port."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            end = time.monotonic() + _WAIT
            while not server.started:
                if time.monotonic() > end or not thread.is_alive():
                    raise TimeoutError("the demo's web server did not start")
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(_WAIT)


def _answer(port: int, step: _Step) -> str:
    """What the app answers, as one line."""
    status, body = _ask(port, "GET", step.path, read=step.read)
    if step.rating is not None:
        answer = json.loads(body)
        rated, _ = _ask(port, "POST", "/feedback", {"ref": answer["ref"], "value": step.rating})
        return f"{status} {answer['text']}, and to a rating of {step.rating} of 5: {rated}"
    return f"{status} {body}" + (" ... and hangs up" if step.read else "")


def _ask(
    port: int, method: str, path: str, payload: object = None, *, read: int | None = None
) -> tuple[int, str]:
    """Status and body of an answer of the app."""
    from http.client import HTTPConnection

    connection = HTTPConnection("127.0.0.1", port, timeout=_WAIT)
    with contextlib.closing(connection):
        body = None if payload is None else json.dumps(payload)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(read).decode(errors="replace")


def _next_step() -> str:
    return "Next: put genai_otel.setup() into your own program; `genai-otel doctor` checks where its telemetry goes."


def _say(text: str) -> None:
    print(text, flush=True)
