"""Workers of a server that loaded the app before it forked: each is an instance of its own, counted from zero."""

from __future__ import annotations

import signal
import sys
from collections import Counter
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


@pytest.mark.parametrize(
    ("worker", "kind"),
    [("sync", HttpSink), ("sync", GrpcSink), ("uvicorn.workers.UvicornWorker", HttpSink)],
    ids=["sync", "sync, gRPC", "uvicorn"],
)
def test_preloaded(worker: str, kind: type[HttpSink | GrpcSink], tmp_path: Path) -> None:
    distribution(tmp_path, "served", modules={"served": APP})
    app = "served:wsgi" if worker == "sync" else "served:asgi"
    command = ["-m", "gunicorn", "--preload", "-w", "2", "-k", worker, "-b", "127.0.0.1:0", app]
    with kind() as sink:
        env = {**sink.environment(), **LAZY, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}:{tmp_path}"}
        with Process([sys.executable, *command], env=env, cwd=tmp_path) as server:
            port = server.wait_for("Listening at: http://127.0.0.1:").partition("127.0.0.1:")[2].split()[0]
            eventually(lambda: answers(port), timeout=20)
            for _ in range(19):
                assert answers(port)
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


def answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=10, trust_env=False).status_code == 200
    except httpx.ConnectError:
        return False
