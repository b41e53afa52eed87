"""Where something of a usual system or interpreter is missing or replaced, the rest works."""

from __future__ import annotations

import textwrap

import pytest

from genai_otel.testing import ModelServer
from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

LAZY = {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_METRIC_EXPORT_INTERVAL": "600000"}

CALLS = """
import genai_otel, openai
genai_otel.setup()
from genai_otel.testing import ModelServer
with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
    client.chat.completions.create(model="gpt-4o-mini", messages=[])
    usage = {"include_usage": True}
    list(client.chat.completions.create(model="gpt-4o", messages=[], stream=True, stream_options=usage))
"""


def names(sink: HttpSink) -> list[str]:
    return sorted(span.name for span in sink.spans() if span.name.startswith("chat "))


def test_without_fcntl_fork_hooks_and_sigterm() -> None:
    """As on Windows, as far as our own code and the SDK look."""
    script = """
    import os, signal, sys
    sys.modules["fcntl"] = None
    for name in ("register_at_fork", "fork", "killpg"):
        delattr(os, name)
    for name in ("SIGTERM", "SIGALRM", "SIGKILL"):
        delattr(signal, name)
    """
    with HttpSink() as sink:
        done = run(textual(script, CALLS), env={**sink.environment(), **LAZY}).ok()
        assert names(sink) == ["chat gpt-4o", "chat gpt-4o-mini"]
        assert sink.metrics() >= {"gen_ai.client.operation.duration"}
    assert done.err == ""


def test_without_threads_at_the_end() -> None:
    """As Python 3.12 and newer do, and every interpreter that is short of memory."""
    script = """
    import atexit, threading
    def refuse(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")
    import genai_otel
    genai_otel.setup()
    atexit.register(lambda: setattr(threading.Thread, "start", refuse))  # runs before ours
    from tests.harness.spans import model_span
    model_span("chat m")
    """
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), **LAZY}).ok()
        assert names(sink) == ["chat m"]
    assert done.err == ""


def test_a_gevent_program() -> None:
    pytest.importorskip("gevent")
    script = """
    from gevent import monkey
    monkey.patch_all()
    import gevent, threading
    import genai_otel, openai
    genai_otel.setup()
    from genai_otel.testing import ModelServer
    from opentelemetry import trace

    def work(number):
        with trace.get_tracer("app").start_as_current_span(f"greenlet {number}"):
            client.chat.completions.create(model=f"m{number}", messages=[])
            list(client.chat.completions.create(model=f"s{number}", messages=[], stream=True))
            gevent.sleep(0)

    with ModelServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        greenlets = [gevent.spawn(work, number) for number in range(4)]
        gevent.joinall(greenlets, raise_error=True)
    assert genai_otel.flush(5)
    """
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **LAZY}).ok()
        assert names(sink) == sorted(f"chat {kind}{number}" for kind in "ms" for number in range(4))
        parents = {span.span_id: span.name for span in sink.spans()}
        for span in sink.spans():
            if span.name.startswith("chat "):
                assert parents[span.parent_id] == f"greenlet {span.name[-1]}"


def test_forks_of_a_gevent_program() -> None:
    """A subprocess is one there: it must not go on with what its parent does.  A child that stays sends its own."""
    pytest.importorskip("gevent")
    script = """
    from gevent import monkey
    monkey.patch_all()
    import os, subprocess
    import gevent
    import genai_otel, openai
    genai_otel.setup()
    parent = os.getpid()

    def work():
        for _ in range(3):
            subprocess.check_call(["true"])
            gevent.sleep(0)
            if os.getpid() != parent:
                os.write(1, b"the parent's work")

    def call(model):
        with openai.OpenAI(base_url=os.environ["MODELS"], api_key="k") as client:
            client.chat.completions.create(model=model, messages=[])

    gevent.joinall([gevent.spawn(work) for _ in range(4)], raise_error=True)
    call("before")
    child = os.fork()
    call("parent" if child else "child")
    if child:
        assert os.waitpid(child, 0)[1] == 0
    """
    with HttpSink() as sink, ModelServer() as server:
        done = run(script, env={**sink.environment(), **LAZY, "MODELS": server.base_url}).ok()
        assert names(sink) == ["chat before", "chat child", "chat parent"]
        assert sum(point.count for point in sink.latest("gen_ai.client.operation.duration")) == 3
        identities = {span.resource.get("service.instance.id") for span in sink.spans()}
        assert len(identities) == 2 or identities == {None}  # by the SDK's version
    # A greenlet that was a thread of the parent may complain of its end in the child that stays.
    assert done.out == ""


def test_a_trio_program() -> None:
    pytest.importorskip("trio")
    script = """
    import trio
    import genai_otel, openai
    genai_otel.setup()
    from genai_otel.testing import ModelServer
    from opentelemetry import trace

    async def work(client, number):
        with trace.get_tracer("app").start_as_current_span(f"task {number}"):
            await client.chat.completions.create(model=f"m{number}", messages=[])
            async for _ in await client.chat.completions.create(model=f"s{number}", messages=[], stream=True):
                pass
            with trio.move_on_after(0.2):
                await client.chat.completions.create(model=f"m{number}+hang", messages=[])

    async def main(url):
        own = openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0)
        async with own as client, trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(work, client, number)

    with ModelServer() as server:
        trio.run(main, server.base_url)
    """
    with HttpSink() as sink:
        run(script, env={**sink.environment(), **LAZY}).ok()
        tasks = {span.span_id: span.name for span in sink.spans() if span.name.startswith("task ")}
        calls = [span for span in sink.spans() if span.name.startswith("chat ")]
        assert len(calls) == 9
        for span in calls:
            assert tasks[span.parent_id] == f"task {span.name[6]}"
            hangs = span.name.endswith("+hang")
            assert span.attributes["genai_otel.outcome"] == ("cancelled" if hangs else "completed")


def test_threads_lose_no_call() -> None:
    script = """
    import threading
    import genai_otel
    genai_otel.setup()
    from tests.harness.spans import model_span
    threads = [threading.Thread(target=lambda: [model_span() for _ in range(1000)]) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    """
    with HttpSink() as sink:
        run(script, env=sink.environment(), timeout=60).ok()
        assert [point.count for point in sink.latest("gen_ai.client.operation.duration")] == [8000]


def textual(*scripts: str) -> str:
    return "\n".join(map(textwrap.dedent, scripts))
