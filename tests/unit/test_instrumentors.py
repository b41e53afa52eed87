"""Instrumentors of others start with their libraries, each alone; what the program does not use is not imported."""

import os
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from genai_otel.instrumentors import CONVENTIONS, GROUP, choose_conventions
from tests.harness.distribution import distribution
from tests.harness.process import ROOT, run

pytestmark = pytest.mark.process

HTTPX2 = {"httpx", "httpx2"} <= {each.name for each in entry_points(group=GROUP)} and find_spec(
    "httpx2"
) is not None
both = pytest.mark.skipif(not HTTPX2, reason="needs httpx2 and an instrumentation that knows it")

PROLOGUE = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from genai_otel import instrumentors

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}/"

def spans(call=None):
    exporter.clear()
    if call:
        call()
    return [(span.name, sorted(span.attributes)) for span in exporter.get_finished_spans()]

def states():
    return {each.name: each.state for each in instrumentors.installed()}

def get(library):
    with library.Client(trust_env=False) as client:
        client.get(url)
"""


def script(body: str, *folders: Path, env: dict[str, str] | None = None) -> tuple[list[str], str]:
    """The lines that a script printed, and its stderr."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), *map(str, folders)])
    done = run(PROLOGUE + body, env={"PYTHONPATH": path, **(env or {})}).ok()
    return done.out.splitlines(), done.err


def fake(folder: Path, name: str, *, library: str = "", requires: str = "", body: str = "pass") -> None:
    """An installed instrumentor called `name`, whose `_instrument` is `body`."""
    library = library or f"{name}lib"
    distribution(
        folder,
        f"instrumentation-{name}",
        modules={
            f"instrumentation_{name}": f"""
            import {library}
            from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

            class Instrumentor(BaseInstrumentor):
                def instrumentation_dependencies(self):
                    return ["{requires or library}"]
                def _instrument(self, **kwargs):
                    {body}
                def _uninstrument(self, **kwargs):
                    pass
            """
        },
        requires=[f"{requires or library}; extra == 'instruments'"],
        entry_points={f"opentelemetry_instrumentor:{name}": f"instrumentation_{name}:Instrumentor"},
    )


def test_nothing_is_imported_before_it_is_used() -> None:
    out, _ = script("""
# These instrument what every process has, so they are active at once where they are installed.
instrumentors.activate(["threading", "asyncio", "exceptions", "system_metrics"])
print({state for name, state in states().items() if name in ("fastapi", "httpx", "httpx2")})
print([name for name in ("wrapt", "asyncio", "httpx", "httpx2", "fastapi", "starlette", "packaging",
    "opentelemetry.instrumentation.instrumentor", "opentelemetry.propagate") if name in sys.modules])
""")
    assert out == ["{'waiting'}", "[]"]


@both
def test_a_library_imported_later_is_instrumented_and_its_sibling_is_not_imported() -> None:
    out, _ = script("""
instrumentors.activate([])
import httpx2
print(spans(lambda: get(httpx2)))
print("httpx" in sys.modules)
import httpx
print(spans(lambda: get(httpx)) == spans(lambda: get(httpx2)))
""")
    assert "'GET'" in out[0]
    assert "'url.full'" in out[0]  # the new conventions
    assert "'http.url'" not in out[0]
    assert out[0].count("GET") == 1
    assert out[1:] == ["False", "True"]


@both
def test_the_programs_own_use_of_an_instrumentor_stays_possible() -> None:
    out, _ = script("""
instrumentors.activate([])
import httpx2
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.instrumentation.httpx import SyncOpenTelemetryTransport, SyncOpenTelemetryTransportHttpx2
import httpx
print(HTTPX2ClientInstrumentor().is_instrumented_by_opentelemetry)
print(HTTPXClientInstrumentor().is_instrumented_by_opentelemetry)
HTTPX2ClientInstrumentor().instrument()
print(len(spans(lambda: get(httpx2))), len(spans(lambda: get(httpx))))
HTTPX2ClientInstrumentor().uninstrument()
print(len(spans(lambda: get(httpx2))), len(spans(lambda: get(httpx))))
""")
    assert out == ["True", "True", "1 1", "0 1"]


@both
def test_the_instrumentors_module_may_be_imported_first() -> None:
    out, _ = script("""
instrumentors.activate([])
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
HTTPXClientInstrumentor().instrument()
import httpx, httpx2
print(len(spans(lambda: get(httpx))), len(spans(lambda: get(httpx2))), states()["httpx"], states()["httpx2"])
""")
    assert out == ["1 1 active active"]


@both
def test_libraries_imported_or_instrumented_before_are_covered_once() -> None:
    out, _ = script("""
import httpx, httpx2
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
HTTPXClientInstrumentor().instrument()
instrumentors.activate([])
instrumentors.activate([])
print(len(spans(lambda: get(httpx))), len(spans(lambda: get(httpx2))))
""")
    assert out == ["1 1"]


def test_many_threads_activate_and_import_at_once() -> None:
    out, _ = script("""
barrier = threading.Barrier(8)
def work():
    barrier.wait()
    instrumentors.activate([])
    import httpx
    instrumentors.activate([])
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import httpx
print(len(spans(lambda: get(httpx))))
""")
    assert out == ["1"]


@both
@pytest.mark.parametrize(
    ("disabled", "expected"),
    [("['httpx2']", "0 1"), ("['*']", "0 0"), ("['HTTPX2 ', 'x']", "0 1"), ("[]", "1 1")],
)
def test_disabled_instrumentations_stay_off(disabled: str, expected: str) -> None:
    out, _ = script(f"""
instrumentors.activate({disabled})
import httpx, httpx2
print(len(spans(lambda: get(httpx2))), len(spans(lambda: get(httpx))))
""")
    assert out == [expected]


def test_an_instrumentor_that_raises_is_named_once_and_stops_no_other(tmp_path: Path) -> None:
    distribution(tmp_path, "brokenlib", modules={"brokenlib": "VALUE = 1"})
    fake(tmp_path, "broken", body="raise RuntimeError('somebody else')")
    out, err = script(
        """
instrumentors.activate([])
import brokenlib, httpx
instrumentors.activate([])
print(brokenlib.VALUE, len(spans(lambda: get(httpx))), states()["broken"])
""",
        tmp_path,
        env={"GENAI_OTEL_STRICT": "0"},
    )
    assert out == ["1 1 failed"]
    assert "instrumentors.broken: RuntimeError" in err
    assert len(err.splitlines()) == 1


def test_a_library_of_the_wrong_version_is_skipped_with_one_line(tmp_path: Path) -> None:
    distribution(tmp_path, "oldlib", modules={"oldlib": ""}, version="1.5")
    fake(tmp_path, "old", library="oldlib", requires="oldlib >= 5")
    out, err = script("instrumentors.activate([])\nimport oldlib\nprint(states()['old'])", tmp_path)
    assert out == ["skipped"]
    assert len(err.splitlines()) == 1
    assert "'old'" in err
    assert "oldlib >= 5" in err or "oldlib>=5" in err
    assert "1.5" in err


def test_a_library_with_a_module_of_another_name_is_found_by_its_distribution(tmp_path: Path) -> None:
    distribution(tmp_path, "vector-store-client", modules={"vectors.client": "", "vectors.__init__": ""})
    fake(
        tmp_path,
        "vectorstore",
        library="vectors.client",
        requires="vector-store-client >= 1",
        body="print('on')",
    )
    out, _ = script("instrumentors.activate([])\nprint(states()['vectorstore'])\nimport vectors", tmp_path)
    assert out == ["waiting", "on"]


def test_instrumentors_of_a_client_that_we_wrap_are_left_to_the_program(tmp_path: Path) -> None:
    fake(tmp_path, "openai", library="openai", body="print('activated')")
    out, err = script(
        """
import logging
logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
instrumentors.activate([], rivals=["openai"])
import openai
print(states()["openai"])
""",
        tmp_path,
    )
    assert out == ["skipped"]
    assert err.count("instrumentation-openai") == 1


def test_an_instrumentor_without_a_library_is_left_to_the_launcher(tmp_path: Path) -> None:
    distribution(
        tmp_path,
        "instrumentation-everything",
        modules={"everything": "class All:\n    def instrument(self, **_):\n        print('on')"},
        entry_points={"opentelemetry_instrumentor:everything": "everything:All"},
    )
    out, _ = script(
        """
instrumentors.activate([])
print(states()["everything"])
from importlib.metadata import entry_points
(found,) = [each for each in entry_points(group="opentelemetry_instrumentor") if each.name == "everything"]
instrumentors.consider(found, launched=True)
""",
        tmp_path,
    )
    assert out == ["skipped", "on"]


def test_django_waits_for_its_settings(tmp_path: Path) -> None:
    distribution(tmp_path, "django", modules={"django": ""})
    fake(tmp_path, "django", library="django", body="print('on')")
    body = "instrumentors.activate([])\nimport django\nprint(states()['django'])"
    out, err = script(body, tmp_path)
    assert out == ["skipped"]
    assert "DJANGO_SETTINGS_MODULE" in err
    out, err = script(body, tmp_path, env={"DJANGO_SETTINGS_MODULE": "site.settings"})
    assert (out, err) == (["on", "active"], "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "http,database"),
        ("", "http,database"),
        ("gen_ai_latest_experimental", "gen_ai_latest_experimental,http,database"),
        ("http/dup", "http/dup,database"),
        ("database , http", "database,http"),
        ("default", "default"),
    ],
)
def test_the_new_conventions_are_on_unless_the_user_chose(before: str | None, after: str) -> None:
    environ = {} if before is None else {CONVENTIONS: before}
    choose_conventions(environ)
    choose_conventions(environ)
    assert environ[CONVENTIONS] == after
