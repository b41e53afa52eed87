"""A FastAPI app is traced whatever was imported, made or serving before set-up, and no request has two server spans."""

import os

import pytest

from tests.harness.process import run

pytestmark = pytest.mark.process

SCRIPT = """
import asyncio, gc, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()

def setup():
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    from genai_otel import instrumentors
    instrumentors.activate(["httpx", "httpx2"])

async def get(app, path="/items/7"):
    import httpx
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        response = await client.get(path)
        return response.status_code

def routes(app):
    @app.get("/items/{number}")
    async def item(number: int):
        return {"number": number}
    @app.get("/stream")
    async def stream():
        from fastapi.responses import StreamingResponse
        async def chunks():
            for _ in range(50):
                yield b"chunk"
        return StreamingResponse(chunks())
    @app.get("/broken")
    async def broken():
        raise RuntimeError("ours")
    return app

def made():
    from fastapi import FastAPI
    return routes(FastAPI())

def spans():
    found = [f"{span.kind.name} {span.name}" for span in exporter.get_finished_spans()]
    exporter.clear()
    return found

async def show(app, path="/items/7"):
    spans()
    print(await get(app, path), spans())

async def main():
"""


def script(body: str, **env: str) -> list[str]:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    done = run(SCRIPT + lines + "asyncio.run(main())\n", env=env).ok()
    assert done.err == "", done.err
    return done.out.splitlines()


ONE = "200 ['SERVER GET /items/{number}']"


@pytest.mark.parametrize(
    "order",
    {
        "set up first": "setup(); app = made()",
        "class imported before": "from fastapi import FastAPI; setup(); app = routes(FastAPI())",
        "app made before": "app = made(); setup()",
        "app serving before": "app = made(); await get(app); setup()",
        "app serving while nobody refers to it but a closure": (
            "app = (lambda a: lambda: a)(made()); await get(app()); setup(); app = app()"
        ),
        "activated twice": (
            "setup(); app = made(); await get(app); from genai_otel import instrumentors, web; "
            "instrumentors.activate([]); web.cover_fastapi({})"
        ),
    }.items(),
    ids=lambda item: item[0],
)
def test_each_order_gives_one_server_span(order: tuple[str, str]) -> None:
    # The second request checks that an app which builds its middlewares anew stays traced.
    assert script(f"{order[1]}\nawait show(app)\napp.middleware_stack = None\nawait show(app)") == [ONE, ONE]


@pytest.mark.seed_rows("002-12")
def test_set_up_in_the_apps_own_start_up_traces_what_comes_then() -> None:
    body = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    setup()
    yield

app = routes(FastAPI(lifespan=lifespan))
sent = asyncio.Queue()
got = asyncio.Queue()
task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, got.get, sent.put))
await got.put({"type": "lifespan.startup"})
assert (await sent.get())["type"] == "lifespan.startup.complete"
await show(app)
await got.put({"type": "lifespan.shutdown"})
await task
"""
    assert script(body) == [ONE]


def test_middlewares_of_a_serving_app_stay_the_same_objects() -> None:
    body = """
from fastapi import FastAPI
made_of = []

class Counting:
    def __init__(self, app):
        self.app, self.count = app, 0
        made_of.append(self)
    async def __call__(self, scope, receive, send):
        self.count += 1
        await self.app(scope, receive, send)

app = routes(FastAPI())
app.add_middleware(Counting)
await get(app)
setup()
await show(app)
print(len(made_of), made_of[0].count)
"""
    assert script(body) == [ONE, "1 2"]


def test_a_subclass_that_builds_its_own_stack_keeps_it() -> None:
    body = """
from fastapi import FastAPI

class App(FastAPI):
    def build_middleware_stack(self):
        stack = super().build_middleware_stack()
        async def outermost(scope, receive, send):
            print("outermost")
            await stack(scope, receive, send)
        outermost.app = stack
        return outermost

setup()
app = routes(App())
await show(app)
app.middleware_stack = None
await show(app)
"""
    assert script(body) == ["outermost", ONE, "outermost", ONE]


def test_an_app_that_cannot_be_covered_is_named_in_one_warning() -> None:
    body = """
import logging
logging.getLogger("opentelemetry").disabled = True
logging.getLogger("opentelemetry.instrumentation.fastapi").disabled = True
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from fastapi import FastAPI

class App(FastAPI):
    def build_middleware_stack(self):
        stack = super().build_middleware_stack()
        async def outermost(scope, receive, send):
            await stack(scope, receive, send)
        return outermost

app = routes(App(title="billing"))
await get(app)
setup()
print(await get(app))
"""
    warning, answer = script(body)
    assert "'billing'" in warning
    assert "could not be traced" in warning
    assert answer == "200"


@pytest.mark.parametrize(
    "order",
    [
        "app = made(); FastAPIInstrumentor.instrument_app(app, excluded_urls='healthz'); setup()",
        "setup(); app = made(); FastAPIInstrumentor.instrument_app(app)",
        "setup(); FastAPIInstrumentor().instrument(); app = made()",
        "app = made(); await get(app); FastAPIInstrumentor.instrument_app(app); setup()",
        "app = made(); setup(); await get(app); genai_otel.instrument_app(app); genai_otel.instrument_app(app)",
        "app = made(); genai_otel.instrument_app(app); setup(); genai_otel.instrument_app(app)",
    ],
)
def test_a_program_that_instruments_its_app_itself_gets_one_server_span(order: str) -> None:
    (line,) = script(
        f"""
from genai_otel import web as genai_otel
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
{order}
await show(app)
"""
    )
    assert line.count("SERVER") == 1
    assert line.startswith("200")


@pytest.mark.seed_rows("002-23", "003-12")
def test_mounted_streaming_failing_and_forgotten_apps() -> None:
    body = """
import weakref
setup()
app, inner = made(), made()
app.mount("/sub", inner)
print(await get(app, "/sub/items/7"), sum(span.startswith("SERVER") for span in spans()))
await show(app, "/stream")
print(await get(app, "/broken"))
(span,) = exporter.get_finished_spans()
print(span.status.status_code.name, [event.name for event in span.events])
gone = weakref.ref(app)
del app
await asyncio.sleep(0)  # what streamed has ended by then, on every Python
gc.collect()
print(gone() is None)
"""
    assert script(body) == ["200 1", "200 ['SERVER GET /stream']", "500", "ERROR ['exception']", "True"]


def test_providers_that_are_not_the_global_ones_are_used() -> None:
    body = """
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
from genai_otel import instrumentors
instrumentors.activate(["httpx", "httpx2"], providers={"tracer_provider": provider})
await show(made())
"""
    assert script(body) == [ONE]


def test_disabled_means_untouched() -> None:
    body = """
from fastapi import FastAPI
before = FastAPI.build_middleware_stack
from genai_otel import instrumentors
instrumentors.activate(["fastapi"])
print(FastAPI.build_middleware_stack is before)
"""
    assert script(body) == ["True"]


def test_anything_but_an_app_is_one_clear_error() -> None:
    from genai_otel.web import instrument_app

    with pytest.raises(TypeError, match="takes a FastAPI app, not str"):
        instrument_app("app")  # pyright: ignore[reportArgumentType] - what is under test


def test_fastapi_adds_no_exporters_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from genai_otel.web import native_export_off

    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "True")
    native_export_off()
    assert os.environ["FASTAPI_OTEL_AUTO_CONFIGURE"] == "false"
