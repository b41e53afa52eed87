"""Log records of a whole program: they arrive once and with their span, and a dead backend makes no more of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

PROGRAM = """
import logging
import genai_otel
from opentelemetry import trace

genai_otel.setup()
with trace.get_tracer("app").start_as_current_span("request") as span:
    logging.getLogger("app").error("paid %s", 7, extra={"order": 7})
    print(format(span.get_span_context().trace_id, "032x"), format(span.get_span_context().span_id, "016x"))
"""


def test_a_record_arrives_once_with_its_span() -> None:
    with HttpSink() as sink:
        finished = run(PROGRAM, env=sink.environment()).ok()
    assert len(sink.logs()) == 1, sink.logs()
    record = sink.logs()[0]
    assert [record.trace_id, record.span_id] == finished.out.split()
    assert (record.body, record.scope, record.attributes) == ("paid 7", "app", {"order": 7})
    assert record.resource["telemetry.distro.name"] == "genai-otel"
    assert finished.err.strip() == "paid 7"  # where the program put it, as without us


def test_it_arrives_once_under_the_launcher_too() -> None:
    """The launcher would load the standard logging instrumentor as well."""
    launcher = (str(Path(sys.executable).parent / "opentelemetry-instrument"), sys.executable)
    with HttpSink() as sink:
        finished = run(PROGRAM, env=sink.environment(), launcher=launcher).ok()
    assert [(record.body, record.trace_id) for record in sink.logs()] == [("paid 7", finished.out.split()[0])]


def test_a_record_of_the_last_moment_neither_hangs_nor_complains() -> None:
    script = """
        import atexit, logging
        atexit.register(logging.getLogger("app").error, "the last words")
        import genai_otel
        genai_otel.setup()
        logging.getLogger("app").error("before")
        """
    with HttpSink("silent") as sink:
        finished = run(script, env=sink.environment()).ok()
    assert finished.seconds < 7  # five for the exit, the rest is Python's start
    assert finished.err.splitlines()[0] == "before"
    assert "the last words" in finished.err
    assert "Traceback" not in finished.err


@pytest.mark.slow
def test_a_dead_backend_makes_no_more_of_a_record() -> None:
    script = """
        import logging, time
        logging.basicConfig(level=logging.DEBUG)
        import genai_otel
        from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

        class Counting(LogRecordExporter):
            bodies = []
            def export(self, batch):
                self.bodies.extend(item.log_record.body for item in batch)
                return LogRecordExportResult.SUCCESS
            def shutdown(self): pass
            def force_flush(self, timeout_millis=30000): return True

        handle = genai_otel.setup(log_exporters=[Counting()])
        logging.getLogger("app").error("one record of the program")
        time.sleep(6)
        handle.shutdown()
        print(Counting.bodies)
        """
    with HttpSink("refuse") as sink:
        settings = {
            **sink.environment(),
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
        }
        finished = run(script, env=settings, timeout=60).ok()
    assert "urllib3" in finished.err  # the exporters did try
    assert finished.out.strip() == "['one record of the program']"
