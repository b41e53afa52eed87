"""Workers of a server that loaded the app before it forked: each is an instance of its own, counted from zero."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.harness.distribution import distribution
from tests.harness.patience import eventually
from tests.harness.process import ROOT, Process
from tests.harness.sink import GrpcSink, HttpSink

pytestmark = pytest.mark.process

APP = """
import genai_otel
genai_otel.setup()
from tests.harness.spans import model_span
model_span("loading")

def wsgi(environ, start_response):
    model_span("request")
    start_response("200 OK", [])
    return [b"hello"]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        model_span("request")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
"""
LAZY = {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_METRIC_EXPORT_INTERVAL": "600000"}


@pytest.mark.seed_rows("000-07")
@pytest.mark.parametrize(
    ("worker", "kind"),
    [("sync", HttpSink), ("sync", GrpcSink), ("uvicorn.workers.UvicornWorker", HttpSink)],
    ids=["sync", "sync, gRPC", "uvicorn"],
)
def test_preloaded(worker: str, kind: type[HttpSink | GrpcSink], tmp_path: Path) -> None:
    with kind() as sink:
        with preloaded(worker, {**sink.environment(), **LAZY}, tmp_path) as server:
            server.signal(signal.SIGTERM)
            assert server.finish(timeout=20).code == 0
        spans: dict[str, Counter[str]] = {}
        for span in sink.spans():
            if span.scope == "their.library":
                spans.setdefault(span.resource["service.instance.id"], Counter())[span.name] += 1
        measured: Counter[str] = Counter()
        for point in sink.latest("gen_ai.client.operation.duration"):
            measured[point.resource["service.instance.id"]] += point.count
    master = next(instance for instance, names in spans.items() if "loading" in names)
    workers = {instance: names for instance, names in spans.items() if instance != master}
    assert spans[master] == {"loading": 1}
    assert sum(names["request"] for names in workers.values()) == 20
    assert measured == {instance: names.total() for instance, names in spans.items()}


@pytest.mark.parametrize("worker", ["sync", "uvicorn.workers.UvicornWorker"])
def test_a_server_with_dead_back_ends_stops_as_fast_as_one_process(worker: str, tmp_path: Path) -> None:
    with HttpSink("silent") as sink, preloaded(worker, sink.environment(), tmp_path) as server:
        begin = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.finish(timeout=30).code == 0
        # 4 s of the workers at the same time, and not another 4 s of the master.
        assert 4 < time.monotonic() - begin < 7.5


@contextmanager
def preloaded(worker: str, env: dict[str, str], folder: Path) -> Generator[Process]:
    """gunicorn with two workers that have answered 20 requests."""
    distribution(folder, "served", modules={"served": APP})
    app = "served:wsgi" if worker == "sync" else "served:asgi"
    command = ["-m", "gunicorn", "--preload", "-w", "2", "-k", worker, "-b", "127.0.0.1:0", app]
    env = {**env, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{folder}"}
    with Process([sys.executable, *command], env=env, cwd=folder) as server:
        port = server.wait_for("Listening at: http://127.0.0.1:").partition("127.0.0.1:")[2].split()[0]
        eventually(lambda: answers(port), timeout=20)
        for _ in range(19):
            assert answers(port)
        yield server


def answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=10, trust_env=False).status_code == 200
    except httpx.ConnectError:
        return False
