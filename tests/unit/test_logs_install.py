"""The bridge comes and goes, and the program's own logging stays exactly as it was."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator

import pytest

from genai_otel import logs
from tests.harness.process import run
from tests.harness.records import Kept, bridged, provider_of


@pytest.fixture(name="kept")
def _kept() -> Iterator[Kept]:
    with bridged() as kept:
        yield kept


@pytest.fixture(name="log")
def _log() -> logging.Logger:
    log = logging.getLogger("app.orders")
    log.setLevel(logging.DEBUG)
    return log


# --- the standard variables -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "sent"),
    [
        ("OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION", "false", []),
        ("OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION", "true", ["low", "high"]),
        ("OTEL_PYTHON_LOG_HANDLER_LEVEL", "Warning", ["high"]),
        ("OTEL_PYTHON_LOG_HANDLER_LEVEL", "", ["low", "high"]),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis, logging", []),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*", []),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis", ["low", "high"]),
    ],
)
def test_the_standard_variables_hold(log: logging.Logger, variable: str, value: str, sent: list[str]) -> None:
    with bridged(environ={variable: value}) as kept:
        log.info("low")
        log.error("high")
    assert kept.bodies == sent


def test_a_level_that_is_none_is_named(caplog: pytest.LogCaptureFixture, log: logging.Logger) -> None:
    with bridged(environ={"OTEL_PYTHON_LOG_HANDLER_LEVEL": "loud"}) as kept:
        log.debug("sent")
    assert "OTEL_PYTHON_LOG_HANDLER_LEVEL is 'loud'" in caplog.text
    assert "warning" in caplog.text
    assert kept.bodies == ["sent"]


def test_correlation_puts_the_ids_into_the_lines_of_the_program() -> None:
    script = """
        import logging
        from opentelemetry.sdk.trace import TracerProvider
        from genai_otel import logs

        logs.install(None)
        with TracerProvider().get_tracer("t").start_as_current_span("s") as span:
            logging.getLogger("app").info("hello")
            print(format(span.get_span_context().trace_id, "032x"))
        """
    finished = run(script, env={"OTEL_PYTHON_LOG_CORRELATION": "true"}).ok()
    assert f"trace_id={finished.out.strip()}" in finished.err


# --- coming and going -----------------------------------------------------------------------------


def test_the_last_installation_holds(kept: Kept, log: logging.Logger) -> None:
    again = Kept()
    logs.install(provider_of(again), environ={})
    log.info("one")
    assert kept.bodies == []
    assert again.bodies == ["one"]


def test_what_is_uninstalled_leaves_the_method_as_it_was(log: logging.Logger) -> None:
    before = logging.Logger.callHandlers
    with bridged() as kept:
        assert logging.Logger.callHandlers is not before
    logs.uninstall()
    log.info("gone")
    assert logging.Logger.callHandlers is before
    assert kept.bodies == []


def test_another_wrapper_around_ours_survives(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    before = logging.Logger.callHandlers
    with bridged() as kept:
        ours = logging.Logger.callHandlers

        def theirs(self: logging.Logger, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())
            ours(self, record)

        monkeypatch.setattr(logging.Logger, "callHandlers", theirs)
        log.info("both")
    log.info("theirs alone")
    with bridged() as kept_again:
        log.info("both again")
    assert heard == ["both", "theirs alone", "both again"]
    assert (kept.bodies, kept_again.bodies) == (["both"], ["both again"])
    monkeypatch.undo()
    logs.uninstall()
    assert logging.Logger.callHandlers is before


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_where_the_standard_handler_is_in_place_it_does_the_work(first: str, log: logging.Logger) -> None:
    kept = Kept()
    provider = provider_of(kept)
    handler = standard_handler(provider)
    try:
        if first == "ours":
            logs.install(provider, environ={})
        logging.root.addHandler(handler)
        if first == "theirs":
            logs.install(provider, environ={})
        log.info("once")
        logging.getLogger("opentelemetry.sdk").error("never")
        assert kept.bodies == ["once"]
        logs.uninstall()
        assert handler.filters == []
    finally:
        logs.uninstall()
        logging.root.removeHandler(handler)


def test_a_standard_handler_of_another_pipeline_takes_nothing_from_ours(
    kept: Kept, log: logging.Logger
) -> None:
    theirs = Kept()
    handler = standard_handler(provider_of(theirs))
    logging.root.addHandler(handler)
    try:
        log.info("for both")
    finally:
        logging.root.removeHandler(handler)
    assert kept.bodies == theirs.bodies == ["for both"]


def standard_handler(provider: object) -> logging.Handler:
    module = pytest.importorskip(
        "opentelemetry.instrumentation.logging.handler", reason="the floor release has no such handler"
    )
    return module.LoggingHandler(logger_provider=provider)


def test_the_standard_instrumentor_and_we_send_a_record_once() -> None:
    """It takes the global provider, through the API's proxy where it runs before the provider is set."""
    pytest.importorskip(
        "opentelemetry.instrumentation.logging.handler", reason="the floor release has no such handler"
    )
    script = """
        import logging, sys
        from opentelemetry import _logs
        from opentelemetry.instrumentation.logging import LoggingInstrumentor
        from genai_otel import logs
        from tests.harness.records import Kept, provider_of

        kept = Kept()
        provider = provider_of(kept)
        steps = [LoggingInstrumentor().instrument, lambda: _logs.set_logger_provider(provider),
                 lambda: logs.install(provider)]
        for step in sys.argv[1]:
            steps[int(step)]()
        logging.getLogger("app").error("once")
        logging.getLogger("opentelemetry.x").error("never")
        print(kept.bodies)
        """
    for order in ("012", "102", "120"):
        assert run(script, arguments=[order]).ok().out.strip() == "['once']", order


# --- the program's own logging --------------------------------------------------------------------

PROGRAMS = {
    "a warning without any configuration": "logging.getLogger('app').warning('on the last resort')",
    "the first logging.warning() configures": "logging.warning('with a format')",
    "a later basicConfig()": """
logging.basicConfig(level=logging.INFO, format='%(levelname)s|%(message)s')
logging.getLogger('app').info('formatted')""",
    "dictConfig() that replaces the root's handlers": """
logging.config.dictConfig({'version': 1, 'formatters': {'f': {'format': '>%(message)s'}},
    'handlers': {'h': {'class': 'logging.StreamHandler', 'formatter': 'f'}}, 'root': {'handlers': ['h']}})
logging.getLogger('app').error('through a handler')""",
    "an unformattable record": "logging.getLogger('app').warning('%d', 'x')",
    "a record at exit": "import atexit; atexit.register(logging.getLogger('app').error, 'the last words')",
}
IMPORTS = """
import logging, logging.config
from genai_otel import logs
from tests.harness.records import Kept, provider_of
"""


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_the_program_prints_what_it_printed_without_us(program: str) -> None:
    plainly = run(IMPORTS + program).ok()
    with_us = run(f"{IMPORTS}logs.install(provider_of(Kept()))\n{program}").ok()
    assert lines(with_us.err) == lines(plainly.err)
    assert with_us.err.strip()


def lines(text: str) -> list[str]:
    """Without the frames of tracebacks: ours is one of them, in the middle of the stdlib's."""
    return [line for line in text.splitlines() if not line.startswith("  ")]


def test_records_still_leave_after_the_program_configured_its_logging(kept: Kept) -> None:
    handlers = list(logging.root.handlers)
    try:
        logging.config.dictConfig(
            {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "INFO"}}
        )
        logging.getLogger("app.later").info("still here")
    finally:
        logging.root.handlers = handlers
    assert kept.bodies == ["still here"]
