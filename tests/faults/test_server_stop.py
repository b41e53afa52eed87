"""A web server that is told to stop sends what is there, whichever server it is and whenever set-up ran."""

import importlib.util
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.harness.distribution import distribution
from tests.harness.patience import eventually
from tests.harness.process import ROOT, Process
from tests.harness.sink import HttpSink, Mode

pytestmark = pytest.mark.process

# The batch delay is far longer than the test, so only a flush can have sent the spans.
QUIET = {
    "OTEL_BSP_SCHEDULE_DELAY": "60000",
    "OTEL_METRIC_EXPORT_INTERVAL": "600000",
    "OTEL_BLRP_SCHEDULE_DELAY": "60000",
}

APP = """
import genai_otel
genai_otel.setup()
from fastapi import FastAPI
app = FastAPI()

@app.get("/")
async def hello():
    return {"hello": "world"}
"""

APP_WITH_LIFESPAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    import genai_otel
    genai_otel.setup()
    yield

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def hello():
    return {"hello": "world"}
"""

WSGI = """
import genai_otel
genai_otel.setup()
from opentelemetry import trace

def app(environ, start_response):
    with trace.get_tracer("app").start_as_current_span("GET /"):
        start_response("200 OK", [])
        return [b"hello"]
"""

UVICORN = ["-m", "uvicorn", "--port", "0", "served:app"]
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "served:app"]


def stopped(
    folder: Path, command: list[str], app: str, sink: HttpSink, number: int = signal.SIGTERM
) -> float:
    """Start the server, make requests, stop it; the seconds that stopping took."""
    distribution(folder, "served", modules={"served": app})
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{folder}", **QUIET, **sink.environment()}
    with Process([sys.executable, *command], env=env, cwd=folder) as server:
        port = server.wait_for("127.0.0.1:").rpartition("127.0.0.1:")[2].split()[0].rstrip(")")
        eventually(lambda: get(port) == 200, timeout=20)
        get(port)
        assert sink.spans() == []
        start = time.monotonic()
        server.signal(number)
        server.finish(timeout=20)
        return time.monotonic() - start


def get(port: str) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=20, trust_env=False).status_code
    except httpx.ConnectError:
        return 0


SERVERS = {
    "uvicorn": (UVICORN, APP),
    "uvicorn, set up at start-up": (UVICORN, APP_WITH_LIFESPAN),
    "gunicorn, worker of uvicorn": ([*GUNICORN, "-k", "uvicorn.workers.UvicornWorker"], APP),
    "gunicorn, worker of uvicorn, preloaded": (
        [*GUNICORN, "--preload", "-k", "uvicorn.workers.UvicornWorker"],
        APP,
    ),
    "gunicorn, asgi": ([*GUNICORN, "-k", "asgi"], APP),
    "gunicorn, sync": (GUNICORN, WSGI),
    "gunicorn, sync, preloaded": ([*GUNICORN, "--preload"], WSGI),
    "gunicorn, threads": ([*GUNICORN, "--threads", "2"], WSGI),
    "gunicorn, gevent": ([*GUNICORN, "-k", "gevent"], WSGI),
}


@pytest.mark.parametrize("server", SERVERS)
def test_nothing_is_lost(server: str, tmp_path: Path) -> None:
    command, app = SERVERS[server]
    if "asgi" in command and importlib.util.find_spec("gunicorn.workers.gasgi") is None:
        pytest.skip("this gunicorn has no worker for asgi")
    with HttpSink() as sink:
        stopped(tmp_path, command, app, sink)
        assert len(sink.spans("GET /")) >= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_runs_uvicorn_itself(number: int, tmp_path: Path) -> None:
    program = APP + "\nimport uvicorn\nuvicorn.run(app, port=0)\n"
    with HttpSink() as sink:
        stopped(tmp_path, ["-m", "served"], program, sink, number)
        assert len(sink.spans("GET /")) >= 2


@pytest.mark.parametrize(
    ("server", "mode"), [("uvicorn", "silent"), ("gunicorn, worker of uvicorn", "refuse")]
)
def test_a_dead_back_end_delays_the_stop_by_five_seconds_at_most(
    server: str, mode: Mode, tmp_path: Path
) -> None:
    command, app = SERVERS[server]
    with HttpSink(mode) as sink:
        seconds = stopped(tmp_path, command, app, sink)
    assert seconds < 6.5  # five, and what the server itself takes
