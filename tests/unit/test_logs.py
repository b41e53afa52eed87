"""Which of the program's log records leave, and in which shape."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider

from genai_otel.context_keys import DESTINATION_KEY
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


@pytest.mark.seed_rows("003-18")
def test_a_record_carries_the_span_in_which_it_was_logged(kept: Kept, log: logging.Logger) -> None:
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("request") as span:
        log.warning("order %s is late", 7)
    sent = kept.only()
    assert sent.trace_id == span.get_span_context().trace_id
    assert sent.span_id == span.get_span_context().span_id
    assert sent.body == "order 7 is late"
    assert sent.severity_text == "WARN"
    assert kept.records[0].instrumentation_scope.name == "app.orders"
    assert abs(sent.timestamp - time.time_ns()) < 5e9


def test_outside_a_span_it_leaves_without_one(kept: Kept, log: logging.Logger) -> None:
    log.info("started")
    assert not trace.get_current_span().get_span_context().is_valid
    assert not kept.only().trace_id


# --- the shape ------------------------------------------------------------------------------------


def _raised() -> dict[str, Any]:
    try:
        raise LookupError("no such order")
    except LookupError as error:
        return {"exc_info": (type(error), error, error.__traceback__)}


@pytest.mark.parametrize(
    ("level", "message", "arguments", "more"),
    [
        (logging.INFO, "plain", (), {}),
        (logging.DEBUG, "%s is no placeholder without arguments", (), {}),
        (logging.CRITICAL, "%s and %d", ("a", 2), {}),
        (logging.INFO, "%(name)s", ({"name": "n"},), {}),
        (25, "between two levels", (), {}),
        (5, "below all levels", (), {}),
        (60, "above all levels", (), {}),
        (logging.ERROR, "an exception", (), _raised()),
        (logging.INFO, "scalars", (), {"extra": {"user": "u1", "n": 3, "ok": True, "f": 0.5, "none": None}}),
        (logging.INFO, "structures", (), {"extra": {"tags": ["a", "b"], "nested": {"a": {"b": 1}}}}),
        (logging.INFO, "an event", (), {"extra": {"otel.event.name": "order.paid", "event.name": "old"}}),
        (logging.INFO, "an event by its old name", (), {"extra": {"event.name": "order.sent"}}),
    ],
)
def test_it_is_the_one_that_the_standard_handler_gives(
    log: logging.Logger, level: int, message: str, arguments: tuple[object, ...], more: dict[str, Any]
) -> None:
    standard = pytest.importorskip(
        "opentelemetry.instrumentation.logging.handler", reason="the floor release has no such handler"
    )
    record = log.makeRecord(
        log.name, level, "f.py", 1, message, arguments, more.get("exc_info"), "f", more.get("extra")
    )
    theirs = Kept()
    standard.LoggingHandler(logger_provider=provider_of(theirs)).emit(record)
    with bridged() as ours:
        log.callHandlers(record)
        mine, expected = ours.only(), theirs.only()
    for name in ("timestamp", "severity_number", "severity_text", "body", "event_name"):
        assert getattr(mine, name) == getattr(expected, name), name
    assert plain(mine.attributes) == plain(expected.attributes)


def plain(value: Any) -> Any:
    """Sequences and mappings as the message has them: the SDK keeps several kinds of each."""
    if hasattr(value, "items"):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value  # pyright: ignore[reportUnknownVariableType] - Any inside


def test_the_place_in_the_source_on_demand(log: logging.Logger) -> None:
    with bridged(environ={"OTEL_PYTHON_LOG_CODE_ATTRIBUTES": "true"}) as kept:
        log.info("here")
    attributes = kept.only().attributes
    assert attributes["code.function.name"] == "test_the_place_in_the_source_on_demand"
    assert attributes["code.file.path"].endswith("test_logs.py")
    assert attributes["code.line.number"] > 0


# --- what a program may log -----------------------------------------------------------------------


def test_arguments_that_do_not_fit_lose_nothing_and_raise_nothing(
    kept: Kept, log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # the stdlib's own handlers print a traceback
    wrong: list[tuple[str, object]] = [
        ("%d of %d", "x"),
        ("%(name)s", {"other": 1}),
        ("%s %s", "one"),
        ("%z", 1),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root, "handlers", [])  # pytest's own raises
        for message, argument in wrong:
            log.info(message, argument)
    assert kept.bodies == [message for message, _ in wrong]


class Hostile:
    def __repr__(self) -> str:
        raise AssertionError("a value was asked for its text")

    __str__ = __repr__


def test_no_extra_can_do_harm(kept: Kept, log: logging.Logger) -> None:
    log.info("x", extra={"object": Hostile(), "huge": 2**80, "broken": "\ud800", "deep": {"a": Hostile()}})
    attributes = kept.only().attributes
    assert attributes["broken"].encode("utf-8")
    assert "Hostile" in str(plain(attributes["object"]))
    assert "Hostile" in str(plain(attributes["deep"]))


def test_an_exception_that_cannot_say_itself_is_no_problem(kept: Kept, log: logging.Logger) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root, "handlers", [])
        try:
            raise Mute
        except Mute:
            log.exception("failed")
    assert kept.only().attributes["exception.type"] == "Mute"


def test_a_lone_surrogate_does_not_cost_the_batch(kept: Kept, log: logging.Logger) -> None:
    log.info("half a character: \ud83d")
    assert kept.only().body.encode("utf-8").startswith(b"half a character")


# --- what stays here ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["opentelemetry.sdk.trace.export", "opentelemetry", "genai_otel", "genai_otel.x"]
)
def test_what_telemetry_says_about_itself(kept: Kept, name: str) -> None:
    logging.getLogger(name).error("export failed")
    assert kept.bodies == []


def test_a_program_may_have_a_name_that_begins_like_ours(kept: Kept) -> None:
    logging.getLogger("opentelemetry_demo").error("mine")
    assert kept.bodies == ["mine"]


def test_what_is_logged_while_telemetry_is_sent(kept: Kept) -> None:
    with suppress_instrumentation():
        logging.getLogger("urllib3.connectionpool").error("Retrying")
    logging.getLogger("urllib3.connectionpool").error("the program's own request")
    assert kept.bodies == ["the program's own request"]


@pytest.mark.parametrize("content", [False, True])
def test_what_a_client_logs_of_a_call_at_debug_is_content(log: logging.Logger, content: bool) -> None:
    token = attach(set_value(DESTINATION_KEY, "api.openai.com"))
    try:
        with bridged(content=content) as kept:
            log.debug("Request options: %s", {"messages": ["secret"]})
            log.info("Retrying request")
    finally:
        detach(token)
    assert len(kept.bodies) == 1 + content
    assert kept.bodies[-1] == "Retrying request"


def test_a_logger_that_does_not_propagate(kept: Kept) -> None:
    log = logging.getLogger("app.private")
    log.propagate = False
    log.error("own handlers only")
    logging.getLogger("app.private.child").error("neither")
    assert kept.bodies == []


# --- a dead backend -------------------------------------------------------------------------------

DEAD = """
import logging, time
logging.basicConfig(level=logging.DEBUG)
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from genai_otel import logs
from tests.harness.records import Kept, provider_of

kept = Kept()
exporter = OTLPLogExporter(endpoint="http://127.0.0.1:9/v1/logs", timeout=1)
provider = provider_of(kept, BatchLogRecordProcessor(exporter, schedule_delay_millis=100))
logs.install(provider)
logging.getLogger("app").error("one record of the program")
time.sleep(6)
alive = kept.bodies
logs.uninstall()
started = time.monotonic()
provider.shutdown()
logging.getLogger("app").error("after the end")
print(alive, time.monotonic() - started < 4)
"""


@pytest.mark.slow
@pytest.mark.process
def test_a_dead_backend_feeds_nothing_back() -> None:
    """In the same place the standard handler makes 45 records of the one, and 51 with the shutdown."""
    finished = run(DEAD, timeout=60).ok()
    assert "urllib3.connectionpool" in finished.err  # it did try, and said so
    assert finished.out.strip() == "['one record of the program'] True"
