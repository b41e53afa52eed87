"""JSON lines on stdout: one line a record, whoever logged it, in place of what the console showed."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from genai_otel.logs.lines import json_line
from tests.harness.process import run

SETUP = """
import logging, sys
import genai_otel
genai_otel.setup(json_logs=True, console="off", resource_attributes={"service.name": "shop"})
"""
FIELDS = ["time", "level", "event", "service", "logger"]


def printed(script: str, *, before: str = "", env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The lines of a program, parsed; nothing else may be on stdout or stderr."""
    done = run(before + SETUP + script, env=env).ok()
    assert done.err == ""
    return [json.loads(line) for line in done.out.splitlines()]


# --- one line ------------------------------------------------------------------------------------


def line(event: str, /, **more: Any) -> dict[str, Any]:
    made = json_line(event, time=0.25, level="INFO", logger="app", service="shop", more=more)
    assert "\n" not in made
    return json.loads(made)


@pytest.mark.seed_rows("000-01", "003-18")
def test_a_line_has_time_level_event_and_service() -> None:
    assert line("two\nlines") == {
        "time": "1970-01-01T00:00:00.250000Z",
        "level": "info",
        "event": "two\nlines",
        "service": "shop",
        "logger": "app",
    }


@pytest.mark.seed_rows("000-01", "003-18")
def test_a_line_in_a_span_has_its_ids() -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with tracer.start_as_current_span("s") as span:
        said = line("inside")
    assert said["trace_id"] == f"{span.get_span_context().trace_id:032x}"
    assert said["span_id"] == f"{span.get_span_context().span_id:016x}"


def test_no_extra_hides_a_field_of_ours() -> None:
    said = line("real", event="other", time="never", order=7)
    assert (said["event"], said["time"][:4], said["order"]) == ("real", "1970", 7)


def test_what_structlog_rendered_is_not_rendered_twice() -> None:
    said = line('{"event": "paid", "order": 7, "timestamp": "t", "level": "error"}')
    assert (said["event"], said["order"], said["level"]) == ("paid", 7, "error")
    assert "timestamp" not in said


@pytest.mark.parametrize("event", ['{"answer": 42}', '{"event": 1}', "{broken", "{}", '{"event": [1]}'])
def test_data_that_looks_like_json_stays_a_text(event: str) -> None:
    assert line(event)["event"] == event


def test_secrets_and_long_texts_do_not_pass() -> None:
    said = line("call with api_key=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789", body="x" * 200_000)
    assert "abcdefghijklmnop" not in json.dumps(said)
    assert len(json.dumps(said)) < 70_000


# --- programs ------------------------------------------------------------------------------------


def test_a_program_without_handlers() -> None:
    (said,) = printed("logging.getLogger('app').warning('paid %s', 7, extra={'plant': 'p1'})")
    assert list(said) == [*FIELDS, "plant"]
    assert (said["level"], said["event"], said["service"], said["logger"]) == (
        "warning",
        "paid 7",
        "shop",
        "app",
    )


@pytest.mark.parametrize(
    "before", ["", "import logging, sys; logging.basicConfig(level='INFO', stream=sys.stdout)"]
)
def test_handlers_of_the_console_are_stood_in_for_whenever_they_were_added(before: str) -> None:
    script = """
logging.basicConfig(level=logging.INFO)
log = logging.getLogger("app")
log.addHandler(logging.StreamHandler())
log.addHandler(logging.StreamHandler(sys.stdout))  # added twice by mistake
log.info("once")
log.debug("not at all")
"""
    assert [said["event"] for said in printed(script, before=before)] == ["once"]


def test_the_level_and_the_filters_of_the_console_hold() -> None:
    script = """
console = logging.StreamHandler()
console.setLevel(logging.ERROR)
console.addFilter(lambda record: "secret" not in record.msg)
logging.root.addHandler(console)
logging.root.setLevel(logging.DEBUG)
logging.info("low")
logging.error("secret")
logging.error("high")
"""
    assert [said["event"] for said in printed(script)] == ["high"]


def test_other_handlers_get_their_records_as_before(tmp_path: Any) -> None:
    script = f"""
logging.basicConfig(filename={str(tmp_path / "app.log")!r}, level=logging.INFO, format="%(message)s")
logging.info("both")
"""
    assert [said["event"] for said in printed(script)] == ["both"]
    assert (tmp_path / "app.log").read_text() == "both\n"


@pytest.mark.seed_rows("000-01", "003-16")
def test_a_second_set_up_adds_nothing_and_shutdown_gives_the_console_back() -> None:
    script = """
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
genai_otel.setup(json_logs=True)
logging.info("line")
genai_otel.shutdown()
print(0)
logging.info("1")
logging.getLogger("x").handlers[:] = []
"""
    first, *rest = printed(script)
    assert first["event"] == "line"
    assert rest == [0, 1]


def test_a_web_server_with_handlers_of_its_own() -> None:
    script = """
import logging.config, uvicorn.config
logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
logging.getLogger("uvicorn.error").info("Started")
logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", "/", "1.1", 200)
"""
    first, second = printed(script)
    assert (first["event"], first["logger"]) == ("Started", "uvicorn.error")
    assert second["event"] == '127.0.0.1:1 - "GET / HTTP/1.1" 200'


def test_an_exception_is_in_its_line() -> None:
    script = """
try:
    raise KeyError("order")
except KeyError:
    logging.exception("failed")
"""
    (said,) = printed(script)
    assert (said["exception.type"], said["level"]) == ("KeyError", "error")
    assert "raise KeyError" in said["exception.stacktrace"]


def test_structlog_as_it_comes() -> None:
    script = """
import structlog
structlog.contextvars.bind_contextvars(plant="p1")
log = structlog.get_logger()
log.info("paid", order=7)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""
    first, second = printed(script)
    assert (first["event"], first["order"], first["plant"], first["service"]) == ("paid", 7, "p1", "shop")
    assert list(first)[:3] == FIELDS[:3]
    assert (second["exception.type"], second["level"]) == ("ZeroDivisionError", "error")


def test_structlog_as_the_program_wants_it() -> None:
    script = """
import structlog
structlog.configure(
    processors=[structlog.stdlib.add_log_level, structlog.processors.JSONRenderer()],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
logging.basicConfig(level=logging.INFO)
structlog.get_logger("app").info("paid", order=7)
"""
    (said,) = printed(script)
    assert (said["event"], said["order"], said["logger"]) == ("paid", 7, "app")


@pytest.mark.parametrize("early", [True, False])
def test_loguru_as_it_comes(early: bool) -> None:
    script = """
from loguru import logger
from opentelemetry import trace
with trace.get_tracer("t").start_as_current_span("s"):
    logger.bind(order=7).info("paid")
"""
    (said,) = printed(script, before="import loguru\n" if early else "")
    assert (said["event"], said["order"], said["level"], said["service"]) == ("paid", 7, "info", "shop")
    assert len(said["trace_id"]) == 32


def test_loguru_as_the_program_wants_it() -> None:
    script = """
from loguru import logger
logger.remove()
logger.add(sys.stdout, format='{{"mine": "{message}"}}')
logger.info("paid")
"""
    assert printed(script) == [{"mine": "paid"}]


def test_what_loguru_and_the_standard_library_hand_each_other_is_one_line() -> None:
    script = """
from loguru import logger

class ToLoguru(logging.Handler):
    def emit(self, record):
        logger.opt(depth=6, exception=record.exc_info).log(record.levelname, record.getMessage())

class ToLogging(logging.Handler):
    def emit(self, record):
        logging.getLogger("back").handle(record)

logging.basicConfig(handlers=[ToLoguru()], level=0)
logging.info("to loguru")
logging.root.handlers.clear()
logger.add(ToLogging(), format="{message}")
logger.info("from loguru")
"""
    assert [said["event"] for said in printed(script)] == ["to loguru", "from loguru"]


@pytest.mark.seed_rows("003-16")
def test_a_broken_extra_costs_nothing_but_itself() -> None:
    script = """
class Evil:
    def __str__(self): raise RuntimeError("no")
    __repr__ = __str__
logging.error("still here", extra={"evil": Evil(), "good": 1})
"""
    (said,) = printed(script)
    assert (said["event"], said["good"]) == ("still here", 1)


def test_lines_of_a_forked_child_come_whole() -> None:
    script = """
import os
pid = os.fork()
logging.error("child" if pid == 0 else "parent")
if pid:
    os.waitpid(pid, 0)
else:
    os._exit(0)
"""
    env = {"PYTHONWARNINGS": "ignore:This process:DeprecationWarning"}  # it has our threads
    assert sorted(said["event"] for said in printed(script, env=env)) == ["child", "parent"]


def test_the_variable_does_what_the_argument_does() -> None:
    done = run(
        "import logging, genai_otel; genai_otel.setup(); logging.error('x')",
        env={"GENAI_OTEL_JSON_LOGS": "true", "OTEL_SERVICE_NAME": "shop", "GENAI_OTEL_CONSOLE": "off"},
    ).ok()
    assert json.loads(done.out)["service"] == "shop"


def test_standard_output_that_is_gone_is_no_error_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from genai_otel.logs import Lines

    record = logging.LogRecord("app", logging.ERROR, "", 0, "x", (), None)
    monkeypatch.setattr(sys, "stdout", None)
    Lines("shop").handle(record)
